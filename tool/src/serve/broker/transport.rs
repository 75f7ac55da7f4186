//! The connection under MQTT: TCP, TLS, or a websocket over either.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

use super::websocket;
use crate::serve::settings::{Mqtt, Scheme};

/// A connection to a broker.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Connects to the broker.
pub(super) async fn connect(mqtt: &Mqtt) -> io::Result<Box<dyn Stream>> {
    let address = &mqtt.address;
    let tcp = tcp(mqtt).await?;
    tcp.set_nodelay(mqtt.no_delay)?;
    let stream: Box<dyn Stream> = match &mqtt.tls {
        Some(tls) => {
            let name = ServerName::try_from(address.host.clone());
            let name =
                name.map_err(|_| io::Error::other("the name of the broker is no host name"))?;
            let connector = TlsConnector::from(Arc::clone(&tls.0));
            Box::new(connector.connect(name, tcp).await?)
        }
        None => Box::new(tcp),
    };
    match address.scheme {
        Scheme::Tcp | Scheme::Tls => Ok(stream),
        Scheme::Ws | Scheme::Wss => websocket::upgrade(address, stream).await,
    }
}

async fn tcp(mqtt: &Mqtt) -> io::Result<TcpStream> {
    let address = &mqtt.address;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for place in lookup_host((&*address.host, address.port)).await? {
        match from(&mqtt.bind, place).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connects from a local address, if there is one.
async fn from(local: &str, place: SocketAddr) -> io::Result<TcpStream> {
    let socket = match place {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if !local.is_empty() {
        let local: IpAddr = local.parse().map_err(|_| {
            io::Error::other(format!("bind: {local:?} is no address of this machine"))
        })?;
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(place).await
}
