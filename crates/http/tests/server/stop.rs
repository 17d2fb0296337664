//! Requests that had arrived before a stop are served, in whichever buffer they are.
//!
//! These tests run on one thread, and write without giving the server a turn: so it cannot have seen what
//! they write when it hears of the stop.

use crate::support::{Running, body, head, request};
use labelrelay_http::ServeOptions;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that the server says, read when it has ended.
fn said(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = Vec::new();
    // A reset behind the answers does not take them back.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

/// A connection whose bytes go out as they are written.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A connection that has had one answer and is now idle.
async fn idle(running: &Running, number: usize) -> TcpStream {
    let mut stream = connect(running.address);
    stream.write_all(&request(&body(number), "")).unwrap();
    running
        .until("the first is queued", |running| running.queued() > number)
        .await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    stream
}

#[tokio::test]
async fn whole_requests_in_the_accept_queue_and_in_idle_connections_are_served() {
    let running = Running::start("").await;
    let mut streams = Vec::new();
    for number in 0..20 {
        streams.push(idle(&running, number).await);
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&request(&body(100 + number), "")).unwrap();
    }
    for number in 0..200 {
        let mut stream = connect(running.address);
        stream.write_all(&request(&body(200 + number), "")).unwrap();
        streams.push(stream);
    }
    let Running {
        stop,
        server,
        queue,
        address,
        ..
    } = running;
    stop.send(()).unwrap();
    timeout(PATIENCE, server).await.expect("it stops").unwrap();
    for (number, stream) in streams.iter_mut().enumerate() {
        let said = said(stream);
        assert!(said.contains("200 OK") || number < 20, "{number}: `{said}`");
        assert!(said.contains("connection: close"), "{number}: `{said}`");
        assert!(said.ends_with('}'), "{number}: `{said}`");
    }
    assert_eq!(queue.inner.messages().len(), 240);
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn pipelined_requests_are_all_answered() {
    let running = Running::start("").await;
    let mut open = idle(&running, 0).await;
    let mut fresh = connect(running.address);
    for number in 1..4 {
        open.write_all(&request(&body(number), "")).unwrap();
        fresh.write_all(&request(&body(10 + number), "")).unwrap();
    }
    let Running {
        stop,
        server,
        queue,
        ..
    } = running;
    stop.send(()).unwrap();
    timeout(PATIENCE, server).await.expect("it stops").unwrap();
    let all = said(&mut fresh);
    assert_eq!(all.matches("200 OK").count(), 3, "{all}");
    assert_eq!(said(&mut open).matches("200 OK").count(), 3);
    assert_eq!(queue.inner.messages().len(), 7);
}

#[tokio::test]
async fn a_request_that_has_begun_may_end_within_the_drain() {
    let running = Running::start("").await;
    let mut open = idle(&running, 0).await;
    let mut fresh = connect(running.address);
    let (one, two) = (request(&body(1), ""), request(&body(2), ""));
    let in_head = 20;
    let in_body = head(&body(2), "").len() + 20;
    open.write_all(&one[..in_head]).unwrap();
    fresh.write_all(&two[..in_body]).unwrap();
    let Running {
        stop,
        server,
        queue,
        address,
        ..
    } = running;
    stop.send(()).unwrap();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    open.write_all(&one[in_head..]).unwrap();
    fresh.write_all(&two[in_body..]).unwrap();
    timeout(PATIENCE, server).await.expect("it stops").unwrap();
    for stream in [&mut open, &mut fresh] {
        let said = said(stream);
        assert!(
            said.contains("200 OK") && said.contains("connection: close"),
            "{said}"
        );
    }
    assert_eq!(queue.inner.messages().len(), 3);
}

#[tokio::test]
async fn more_connections_than_slots_are_all_served() {
    let options = ServeOptions::default().with_max_connections(4);
    let running = Running::start_with("", options).await;
    let mut streams = Vec::new();
    for number in 0..100 {
        let mut stream = connect(running.address);
        stream.write_all(&request(&body(number), "")).unwrap();
        streams.push(stream);
    }
    let Running {
        stop,
        server,
        queue,
        ..
    } = running;
    stop.send(()).unwrap();
    timeout(PATIENCE, server).await.expect("it stops").unwrap();
    for stream in &mut streams {
        let said = said(stream);
        assert!(said.starts_with("HTTP/1.1 200 "), "`{said}`");
    }
    assert_eq!(queue.inner.messages().len(), 100);
}
