//! Connections: which end by themselves, how many there may be, and what a stop does to them.

use crate::support::{Running, body, head, request};
use labelrelay_http::ServeOptions;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is to come within it, comes at once, if the machine lets it.
const SHORT: Duration = Duration::from_millis(500);

/// Everything that comes until the other end closes.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text))
        .await
        .expect("the connection is closed")
        .unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_connection_with_an_incomplete_head_is_closed() {
    let options = ServeOptions::default()
        .with_head_timeout(SHORT)
        .with_idle_timeout(SHORT);
    let running = Running::start_with("", options).await;
    // The second one could still become HTTP/2.
    for begun in [
        &b""[..],
        b"PRI * HT",
        b"POST /labelbox HTTP/1.1\r\nHost: re",
    ] {
        let mut stream = running.connect().await;
        stream.write_all(begun).await.unwrap();
        let said = to_the_end(&mut stream).await;
        assert!(!said.starts_with("HTTP/1.1 2"), "{said}");
    }
    let mut idle = running.connect().await;
    idle.write_all(&request(&body(1), "")).await.unwrap();
    let said = to_the_end(&mut idle).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn the_time_for_a_head_does_not_end_a_body() {
    let options = ServeOptions::default().with_head_timeout(SHORT);
    let running = Running::start_with("", options).await;
    let sent = body(1);
    let raw = request(&sent, "Connection: close\r\n");
    let (first, last) = raw.split_at(raw.len() - 3);
    let mut stream = running.connect().await;
    stream.write_all(first).await.unwrap();
    // The time itself is what this is about.
    tokio::time::sleep(SHORT * 3).await;
    stream.write_all(last).await.unwrap();
    let said = to_the_end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn a_stop_waits_for_no_connection_for_ever_and_leaves_none() {
    let options = ServeOptions::default().with_drain(Duration::ZERO);
    let running = Running::start_with("", options).await;
    running.queue.open.forget_permits(1000);
    let mut whole = running.connect().await;
    whole.write_all(&request(&body(1), "")).await.unwrap();
    let (mut late, mut never) = (running.connect().await, running.connect().await);
    let sent = body(2);
    let length = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", sent.len());
    for stream in [&mut late, &mut never] {
        stream.write_all(&head(&sent, &length)).await.unwrap();
        // The server asks for the body: so it has the head, and has begun to read.
        stream.read_exact(&mut [0; 25]).await.unwrap();
    }
    running
        .until("one waits at the queue", |running| {
            running.queue.entered.load(Ordering::Relaxed) == 1
        })
        .await;
    let Running {
        stop,
        server,
        queue,
        address,
        ..
    } = running;
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    // The drain of no length is over a moment after the listener is gone.
    tokio::time::sleep(SHORT).await;
    late.write_all(&sent).await.unwrap();
    let said = to_the_end(&mut late).await;
    assert!(
        said.contains("HTTP/1.1 503 ") && said.contains("stopping"),
        "{said}"
    );
    assert!(!server.is_finished(), "one still waits at the queue");
    queue.open.add_permits(1000);
    let said = to_the_end(&mut whole).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    timeout(PATIENCE, server).await.expect("it stops").unwrap();
    assert_eq!(to_the_end(&mut never).await, "");
    assert_eq!(queue.entered.load(Ordering::Relaxed), 1);
    assert_eq!(queue.inner.messages().len(), 1);
}
