//! The suite that every adapter passes, through the host as well.

use crate::in_process::behind_the_host;
use labelrelay_core::Relay;
use labelrelay_testkit::adapter_suite::{AdapterResponse, same_as_serve};
use labelrelay_testkit::request::TestRequest;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

fn exchange(address: SocketAddr, request: TestRequest) -> AdapterResponse {
    let path = format!("/api{}", request.path);
    let mut stream = TcpStream::connect(address).unwrap();
    // An answer may come before the body was read, and then the rest cannot be sent.
    let _ = stream.write_all(&request.at(&path).close().raw());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.expect("a head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    AdapterResponse::new(status.parse().unwrap(), headers, answer[end + 4..].to_vec())
}

async fn directly(relay: Arc<Relay>, request: TestRequest) -> AdapterResponse {
    behind_the_host(relay, |_, handler| exchange(handler, request)).await
}

async fn through_the_host(relay: Arc<Relay>, request: TestRequest) -> AdapterResponse {
    behind_the_host(relay, |host, _| exchange(host.address, request)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_answers_like_serve() {
    same_as_serve("Azure Functions, handler", &|relay, request| {
        Box::pin(directly(relay, request))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_host_the_handler_answers_like_serve() {
    same_as_serve("Azure Functions, behind the host", &|relay, request| {
        Box::pin(through_the_host(relay, request))
    })
    .await;
}
