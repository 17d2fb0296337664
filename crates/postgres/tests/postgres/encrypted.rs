//! TLS: the package's server is built without it, so a front before it takes the connections, as a proxy does.

use crate::setup::queue_at;
use labelrelay_core::EventQueue as _;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Postgres as Server;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// What a client of Postgres sends to ask for TLS.
const ASKS_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Takes encrypted connections and no others, with a certificate for `localhost`; its address, and the certificate.
async fn front(server: SocketAddr) -> (SocketAddr, NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.cert.pem()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(pass_on(stream, acceptor.clone(), server));
        }
    });
    (address, file)
}

/// Ends with the connection, and where a client asks for no TLS or trusts nobody here.
async fn pass_on(mut stream: TcpStream, acceptor: TlsAcceptor, server: SocketAddr) -> Option<()> {
    let mut asked = [0; 8];
    stream.read_exact(&mut asked).await.ok()?;
    if asked != ASKS_FOR_TLS {
        return None;
    }
    stream.write_all(b"S").await.ok()?;
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut behind = TcpStream::connect(server).await.ok()?;
    copy_bidirectional(&mut stream, &mut behind).await.ok()?;
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn connections_are_encrypted_and_whose_they_are_is_checked() {
    let server = Server::start();
    let (address, certificate) = front(server.address).await;
    let at = |host: &str, more: &str| {
        let port = address.port();
        let url = format!("postgres://postgres@{host}:{port}/postgres?schema=encrypted{more}");
        queue_at(&server, &url)
    };
    let trusted = format!(
        "&sslmode=verify-full&sslrootcert={}",
        certificate.path().display()
    );
    at("localhost", &trusted).check().await.expect("ready");
    let sent = at("localhost", &trusted).send(&message("one", b"1")).await;
    assert!(!sent.expect("taken").repeat);
    // Another name than the certificate's.
    let error = at("127.0.0.1", &trusted).check().await.unwrap_err();
    assert!(error.message.contains("sslrootcert"), "{error}");
    // Without TLS, and to a server that has none.
    at("localhost", "&sslmode=disable")
        .check()
        .await
        .unwrap_err();
    let plain = server.url("encrypted").replace("127.0.0.1", "localhost") + &trusted;
    let error = queue_at(&server, &plain).check().await.unwrap_err();
    assert!(error.message.contains("sslmode=disable"), "{error}");
}
