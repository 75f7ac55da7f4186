//! Bodies of responses whose end is noticed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{
    Response, StatusCode,
    body::{Body, Frame, SizeHint},
};

use crate::client::Place;

/// The body of a response. When it is dropped, at its end or before, its connection is idle.
#[derive(Debug)]
pub(super) struct TrackedBody<B> {
    body: B,
    /// `None` if the connection is no longer one of HTTP.
    place: Option<Arc<Place>>,
}

impl<B> TrackedBody<B> {
    /// Follows the body of a response on the connection that has the place.
    pub(super) fn follow(response: Response<B>, place: Arc<Place>) -> Response<Self> {
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let place = (!is_upgrade).then_some(place);
        response.map(|body| Self { body, place })
    }
}

impl<B> Drop for TrackedBody<B> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.note_idle();
        }
    }
}

impl<B: Body + Unpin> Body for TrackedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
