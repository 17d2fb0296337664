//! The loopback address answers nobody who calls it by another name.

use crate::support::Running;
use labelrelay_http::admin::{Metrics, serve_admin};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
            let mut stream = TcpStream::connect(address).await.unwrap();
            let raw = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            stream.write_all(raw.as_bytes()).await.unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            let is_refused = said.starts_with("HTTP/1.1 421 ");
            assert_eq!(is_refused, !good, "{host}{path}: {said}");
        }
    }
    server.abort();
}
