//! The adapter that the others are held against: `serve`, on a port of its own.

use super::AdapterResponse;
use crate::request::TestRequest;
use labelrelay_core::{BoxFuture, Relay};
use labelrelay_http::ServeOptions;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// One request through the server of `labelrelay serve`.
pub fn serve(relay: Arc<Relay>, request: TestRequest) -> BoxFuture<'static, AdapterResponse> {
    Box::pin(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = labelrelay_http::serve(
            listener,
            relay,
            async {
                let _ = stopped.await;
            },
            ServeOptions::default(),
        );
        let exchange = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // An answer may come before the body was read, and then the rest cannot be sent.
            let _ = stream.write_all(&request.close().raw()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            drop(stop);
            read(&answer)
        };
        tokio::join!(server, exchange).1
    })
}

/// An answer, taken apart.
fn read(answer: &[u8]) -> AdapterResponse {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    AdapterResponse::new(status.parse().unwrap(), headers, answer[end + 4..].to_vec())
}
