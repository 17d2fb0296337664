//! The suite that every adapter passes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use axum::Router;
use labelrelay_core::Relay;
use labelrelay_example_axum::answer;
use labelrelay_testkit::adapter_suite::{AdapterResponse, same_as_serve};
use labelrelay_testkit::request::TestRequest;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn exchange(relay: Arc<Relay>, request: TestRequest) -> AdapterResponse {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer).with_state(relay);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    // An answer may come before the body was read, and then the rest cannot be sent.
    let _ = stream.write_all(&request.close().raw()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    server.abort();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    AdapterResponse::new(status.parse().unwrap(), headers, answer[end + 4..].to_vec())
}

#[tokio::test]
async fn the_handler_answers_like_serve() {
    same_as_serve("axum", &|relay, request| Box::pin(exchange(relay, request))).await;
}
