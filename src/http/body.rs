//! The bodies of requests: bounded in size and in time.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{StatusCode, body::Body};
use tokio::time::timeout;

use crate::memory;

/// How long a client may take to send the body of its request.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the body of a request, of at most `max` bytes. Fails with the status and the text to
/// answer.
pub(super) async fn read<B>(body: B, max: usize) -> Result<Bytes, (StatusCode, &'static str)>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    const TOO_LARGE: (StatusCode, &str) = (
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is too large: at most max-message-size bytes, 1 MiB for names.\n",
    );
    const NO_MEMORY: (StatusCode, &str) = (
        StatusCode::SERVICE_UNAVAILABLE,
        "There is no memory for the body.\n",
    );
    // Content-Length says it before the body has come.
    if body.size_hint().lower() > max as u64 {
        return Err(TOO_LARGE);
    }
    let mut body = pin!(Limited::new(body, max));
    let read = async {
        let mut read = Vec::new();
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
                true => TOO_LARGE,
                false => (StatusCode::BAD_REQUEST, "The body is broken.\n"),
            })?;
            let data = frame.into_data().unwrap_or_default();
            read.try_reserve(data.len()).map_err(|_| NO_MEMORY)?;
            read.extend_from_slice(&data);
        }
        match memory::is_there_for(read.len()) {
            true => Ok(read.into()),
            false => Err(NO_MEMORY),
        }
    };
    timeout(BODY_TIMEOUT, read).await.unwrap_or_else(|_| {
        let text = "The body came too slowly.\n";
        Err((StatusCode::REQUEST_TIMEOUT, text))
    })
}
