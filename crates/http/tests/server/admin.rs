//! The loopback address answers nobody who calls it by another name.

use crate::support::Running;
use http::Response;
use http::request::Parts;
use labelrelay_http::admin::{Metrics, PageAnswer, serve_admin};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn get(address: SocketAddr, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let raw = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[tokio::test]
async fn a_web_page_cannot_read_it_under_its_own_name() {
    let running = Running::start("").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let relay = Arc::clone(&running.relay);
    let never = std::future::pending();
    let server = tokio::spawn(serve_admin(
        listener,
        Arc::new(Metrics::new()),
        relay,
        None,
        never,
    ));
    let port = address.port();
    for (host, good) in [
        (format!("127.0.0.1:{port}"), true),
        (format!("localhost:{port}"), true),
        (format!("[::1]:{port}"), true),
        ("localhost".to_owned(), true),
        (format!("evil.example:{port}"), false),
        ("evil.example".to_owned(), false),
        ("localhost.evil.example".to_owned(), false),
    ] {
        for path in ["/metrics", "/ready", "/"] {
            let said = get(address, path, &host).await;
            let is_refused = said.starts_with("HTTP/1.1 421 ");
            assert_eq!(is_refused, !good, "{host}{path}: {said}");
        }
    }
    server.abort();
}

#[tokio::test]
async fn a_page_has_every_other_path_and_its_panic_is_its_own() {
    let running = Running::start("").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let relay = Arc::clone(&running.relay);
    let page: PageAnswer = Arc::new(|head: &Parts| {
        assert_ne!(head.uri.path(), "/panics", "a bug of the test");
        Response::new(format!("page {}", head.uri).into())
    });
    let server = tokio::spawn(serve_admin(
        listener,
        Arc::new(Metrics::new()),
        relay,
        Some(page),
        std::future::pending(),
    ));
    for (path, status, words) in [
        ("/", "200", "page /"),
        ("/api/x?y=z", "200", "page /api/x?y=z"),
        ("/panics", "500", "deliveries go on"),
        ("/again", "200", "page /again"),
        ("/metrics", "200", "# EOF"),
        ("/ready", "200", "ready"),
    ] {
        let said = get(address, path, "localhost").await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.trim_end().ends_with(words), "{path}: {said}");
    }
    let said = get(address, "/", "evil.example").await;
    assert!(said.starts_with("HTTP/1.1 421 "), "{said}");
    server.abort();
}
