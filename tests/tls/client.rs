//! A client that speaks TLS.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    Client, Response, Server,
    client::path_of,
    http, tcp,
    tls::{Authority, Pair},
};

pub(crate) const V1_2: &[&SupportedProtocolVersion] = &[&TLS12];
pub(crate) const V1_3: &[&SupportedProtocolVersion] = &[&TLS13];
pub(crate) const ANY: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// How a client speaks TLS, and whom it trusts. Connections of the same one can resume sessions.
#[derive(Clone)]
pub(crate) struct Peer(Arc<ClientConfig>);

impl Peer {
    /// Trusts `authority` and shows `identity`.
    pub(crate) fn new(
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<&Pair>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
                builder
                    .with_client_auth_cert(vec![chain.unwrap()], key.unwrap())
                    .unwrap()
            }
        };
        Self(Arc::new(config))
    }

    /// Connects; what went wrong where the handshake fails.
    pub(crate) fn connect(
        &self,
        address: SocketAddr,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
        let name = "localhost".try_into().unwrap();
        let mut connection = ClientConnection::new(self.0.clone(), name).unwrap();
        let mut socket = tcp(address);
        while connection.is_handshaking() {
            connection
                .complete_io(&mut socket)
                .map_err(|error| error.to_string())?;
        }
        Ok(StreamOwned::new(connection, socket))
    }

    /// Connects and asks for a page that is not there.
    pub(crate) fn get(&self, address: SocketAddr) -> Result<SecureResponse, String> {
        let mut stream = self.connect(address)?;
        let mut answer = Vec::new();
        stream
            .write_all(http::request("GET", "/nothing", &[], "").as_bytes())
            .and_then(|()| stream.read_to_end(&mut answer))
            .map_err(|error| error.to_string())?;
        Ok(SecureResponse {
            status: Response::parse(&answer).status,
            connection: stream.conn,
        })
    }

    /// A websocket client that has been greeted.
    pub(crate) fn websocket(
        &self,
        server: &Server,
        protocol: Protocol,
    ) -> Client<StreamOwned<ClientConnection, TcpStream>> {
        let stream = self.connect(server.address()).unwrap();
        let mut client = Client::over(stream, path_of(protocol), protocol, &[]);
        client.take_greeting();
        client
    }

    /// A websocket client that has logged in and opened.
    pub(crate) fn open(
        &self,
        server: &Server,
        protocol: Protocol,
    ) -> Client<StreamOwned<ClientConnection, TcpStream>> {
        let mut client = self.websocket(server, protocol);
        client.login("admin");
        client.command("OPEN");
        client
    }
}

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct SecureResponse {
    pub(crate) status: u16,
    pub(crate) connection: ClientConnection,
}

impl SecureResponse {
    /// The certificate that the server has shown, in DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.connection.peer_certificates().unwrap()[0]
    }
}
