//! A connection of a client, with or without TLS.

use std::{
    cell::RefCell,
    error::Error,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use socket2::{Domain, Type};

/// Bytes read at once, before they are decrypted.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static ENCRYPTED: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// A connection. An address is `HOST:PORT`, or `HOST:PORT/PATH` for TLS, with the path of the
/// certificate of the server.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(crate) fn connect(address: &str) -> Result<Self, Box<dyn Error>> {
        Self::connect_with(address, None)
    }

    /// The same; the kernel keeps no more than about `buffer` bytes that were not read.
    pub(crate) fn connect_with(
        address: &str,
        buffer: Option<usize>,
    ) -> Result<Self, Box<dyn Error>> {
        static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
        let Some((address, certificate)) = address.split_once('/') else {
            return Ok(Self::Plain(tcp(address, buffer)?));
        };
        // The process of clients knows one server.
        let config = CONFIG.get_or_init(|| tls_config(certificate, true).ok());
        let config = config.as_ref().ok_or("no certificate")?;
        let socket = tcp(address, buffer)?;
        Ok(Self::Tls(Box::new(handshake(socket, config)?)))
    }

    /// The connection under TLS, or the one that there is.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

/// A configuration that trusts the certificate at `/path`, and goes on with sessions or not.
pub(crate) fn tls_config(path: &str, resumes: bool) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(format!("/{path}"))?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if !resumes {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// A connection whose handshake is done.
pub(crate) fn connect_tls(
    address: &str,
    config: &Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Box<dyn Error>> {
    handshake(tcp(address, None)?, config)
}

fn handshake(
    mut socket: TcpStream,
    config: &Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Box<dyn Error>> {
    let mut connection = ClientConnection::new(config.clone(), "localhost".try_into()?)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

fn tcp(address: &str, buffer: Option<usize>) -> io::Result<TcpStream> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(bytes) = buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.connect(&address.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Read for Stream {
    /// With TLS `buffer` must have room for what can be decrypted at once.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let tls = match self {
            Self::Plain(stream) => return stream.read(buffer),
            Self::Tls(tls) => tls,
        };
        ENCRYPTED.with_borrow_mut(|encrypted| {
            loop {
                let count = tls.sock.read(encrypted)?;
                if count == 0 {
                    return Ok(0);
                }
                let mut rest = &encrypted[..count];
                let mut filled = 0;
                while !rest.is_empty() {
                    tls.conn.read_tls(&mut rest)?;
                    let state = tls.conn.process_new_packets().map_err(io::Error::other)?;
                    let readable = state.plaintext_bytes_to_read();
                    let part = &mut buffer[filled..filled + readable];
                    tls.conn.reader().read_exact(part)?;
                    filled += readable;
                }
                if filled > 0 {
                    return Ok(filled);
                }
            }
        })
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
