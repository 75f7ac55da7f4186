//! `/api/health`: tells everybody if the driver is well.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

use super::Api;
use crate::http::monitor;

impl Api {
    /// Answers as the path of the key `url-health` does.
    pub(super) fn health(&self) -> Response<Full<Bytes>> {
        monitor::show_health(&self.shared)
    }
}
