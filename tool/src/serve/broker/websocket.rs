//! MQTT in the binary messages of a websocket (MQTT 3.1.1 section 6).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Bytes, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::transport::Stream;
use crate::serve::settings::Address;

/// The name of MQTT among the protocols of websockets.
const PROTOCOL: HeaderValue = HeaderValue::from_static("mqtt");

/// Makes a connection a websocket.
pub(super) async fn upgrade(
    address: &Address,
    stream: Box<dyn Stream>,
) -> io::Result<Box<dyn Stream>> {
    let mut request = address.to_string().into_client_request().map_err(other)?;
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", PROTOCOL);
    let (socket, _) = client_async(request, stream).await.map_err(other)?;
    Ok(Box::new(MessageStream {
        socket,
        received: Bytes::new(),
    }))
}

fn other(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// The bytes in the messages of a websocket.
struct MessageStream {
    socket: WebSocketStream<Box<dyn Stream>>,
    /// The rest of the last message.
    received: Bytes,
}

impl AsyncRead for MessageStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.received.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.received = bytes,
                Some(Ok(Message::Text(_))) => {
                    return Poll::Ready(Err(io::Error::other("a text message, expected MQTT")));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(other(error))),
            }
        }
        let length = self.received.len().min(buffer.remaining());
        let taken = self.received.split_to(length);
        buffer.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MessageStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(other)?;
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket)
            .start_send(message)
            .map_err(other)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket)
            .poll_flush(context)
            .map_err(other)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket)
            .poll_close(context)
            .map_err(other)
    }
}
