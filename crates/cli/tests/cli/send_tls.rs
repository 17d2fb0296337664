//! `send` over TLS: to a server whose certificate this machine trusts, and to one that it does not.

use crate::support::Place;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The settings of a server that shows this certificate.
pub(crate) fn config(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> ServerConfig {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(
        certified.signing_key.serialize_der(),
    ));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap()
}

/// A server for one connection; what it was sent, when the handshake succeeds.
pub(crate) fn server(
    certified: &rcgen::CertifiedKey<rcgen::KeyPair>,
) -> (u16, std::thread::JoinHandle<Option<String>>) {
    let config = config(certified);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !request.ends_with(b"the body") {
            match stream.read(&mut piece) {
                Ok(bytes) if bytes > 0 => request.extend(piece.iter().take(bytes)),
                _ => return None,
            }
        }
        stream
            .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
            .unwrap();
        stream.flush().unwrap();
        Some(String::from_utf8(request).unwrap())
    });
    (port, served)
}

fn place(trusted: &str) -> Place {
    let place = Place::new();
    let authorities = place.write("authorities.pem", trusted);
    place.write("body", "the body");
    place
        .with("SSL_CERT_FILE", authorities.to_str().unwrap())
        .with("SECRET", "a secret that is long enough")
}

#[test]
fn only_a_server_that_this_machine_trusts_gets_the_delivery() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let place = place(&own.cert.pem());
    let send = |port: u16| {
        let url = format!("https://localhost:{port}/labelbox?code=key");
        place.run(&[
            "send",
            "--to",
            &url,
            "--provider",
            "labelbox",
            "--secret",
            "env:SECRET",
            "--file",
            "body",
        ])
    };
    let (port, served) = server(&own);
    assert!(send(port).good().starts_with("202 after"));
    let request = served.join().unwrap().unwrap();
    assert!(
        request.starts_with("POST /labelbox?code=key HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nX-Hub-Signature: sha1="), "{request}");
    assert!(
        request.contains(&format!("\r\nHost: localhost:{port}\r\n")),
        "{request}"
    );

    let (port, served) = server(&stranger);
    send(port).failed(1, &["certificate"]);
    assert_eq!(served.join().unwrap(), None);
}
