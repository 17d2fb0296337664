//! Slots, when there are fewer than connections.

use crate::support::{Running, answer, body, head, request};
use labelrelay_http::ServeOptions;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const READY: &[u8] = b"GET /-/ready HTTP/1.1\r\nHost: relay\r\n\r\n";

async fn start(max: usize, of_one: Option<usize>) -> Running {
    let options = ServeOptions::default()
        .with_max_connections(max)
        // Longer than the patience, so that nothing ends by itself.
        .with_head_timeout(PATIENCE * 2)
        .with_write_timeout(PATIENCE * 2)
        .with_max_connections_per_address(of_one);
    Running::start_with("", options).await
}

/// A connection from 127.0.0.`last`, seen by the server once it has said something.
async fn from(running: &Running, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    socket.connect(running.address).await.unwrap()
}

/// A connection whose system takes little that is not read.
async fn small_ears(running: &Running) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(running.address).await.unwrap()
}

/// Waits until the server has closed it.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // An orderly end or a reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .expect("it is closed");
}

async fn is_open(stream: &mut TcpStream) -> bool {
    stream.write_all(READY).await.unwrap();
    let said = timeout(PATIENCE, answer(stream)).await;
    said.expect("an answer or an end").is_some()
}

async fn answered(running: &Running, last: u8, number: usize) -> String {
    let mut stream = from(running, last).await;
    let raw = request(&body(number), "Connection: close\r\n");
    stream.write_all(&raw).await.unwrap();
    let mut said = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut said))
        .await
        .expect("an answer")
        .unwrap();
    said
}

#[tokio::test]
async fn the_longest_idle_connection_is_evicted() {
    let running = start(3, None).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = running.connect().await;
        assert!(is_open(&mut stream).await);
        open.push(stream);
    }
    assert!(is_open(&mut open[0]).await, "nobody had to go yet");
    let said = answered(&running, 1, 1).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    closed(&mut open[1]).await;
    assert!(is_open(&mut open[0]).await && is_open(&mut open[2]).await);
}

#[tokio::test]
async fn connections_that_brought_an_event_are_evicted_last() {
    let running = start(2, None).await;
    let mut proven = running.connect().await;
    proven.write_all(&request(&body(1), "")).await.unwrap();
    assert!(answer(&mut proven).await.is_some());
    let mut stranger = running.connect().await;
    assert!(is_open(&mut stranger).await);
    assert!(answered(&running, 1, 2).await.starts_with("HTTP/1.1 200 "));
    closed(&mut stranger).await;
    proven.write_all(&request(&body(3), "")).await.unwrap();
    running
        .until("it is served on", |running| running.queued() == 3)
        .await;
}

#[tokio::test]
async fn slow_heads_slow_bodies_and_peers_that_do_not_read_are_evicted() {
    let running = start(4, None).await;
    let body_head = head(&body(1), "Content-Length: 5000\r\n");
    let mut open = Vec::new();
    for begun in [&b""[..], b"POST /labelbox HT", &body_head] {
        let mut stream = running.connect().await;
        stream.write_all(begun).await.unwrap();
        open.push(stream);
    }
    // A client that asks and does not read, until the server can write no more.
    let mut deaf = small_ears(&running).await;
    let many = READY.repeat(100);
    while timeout(Duration::from_millis(300), deaf.write_all(&many))
        .await
        .is_ok()
    {}
    open.push(deaf);
    // Four deliveries at once, each of which is held at the queue, need all slots.
    running.queue.open.forget_permits(1000);
    let mut waiting = Vec::new();
    for number in 0..4 {
        let mut stream = from(&running, 9).await;
        stream.write_all(&request(&body(number), "")).await.unwrap();
        waiting.push(stream);
    }
    running
        .until("all are under way", |running| {
            running.queue.entered.load(Ordering::Relaxed) == 4
        })
        .await;
    running.queue.open.add_permits(1000);
    for stream in &mut waiting {
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
    }
    for stream in &mut open {
        closed(stream).await;
    }
}

#[tokio::test]
async fn a_delivery_under_way_is_never_evicted_and_the_next_waits() {
    let running = start(2, None).await;
    running.queue.open.forget_permits(1000);
    let mut open = Vec::new();
    for number in 0..2 {
        let mut stream = running.connect().await;
        stream
            .write_all(&request(&body(number), "Connection: close\r\n"))
            .await
            .unwrap();
        open.push(stream);
    }
    running
        .until("both are under way", |running| {
            running.queue.entered.load(Ordering::Relaxed) == 2
        })
        .await;
    let mut third = running.connect().await;
    third.write_all(&request(&body(2), "")).await.unwrap();
    let early = timeout(Duration::from_millis(300), third.read_u8()).await;
    assert!(early.is_err(), "two are served");
    running.queue.open.add_permits(1000);
    for mut stream in open {
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
    assert_eq!(third.read_u8().await.unwrap(), b'H');
    assert_eq!(running.queued(), 3);
}

#[tokio::test]
async fn one_address_gets_no_more_than_its_share() {
    let running = start(100, Some(2)).await;
    let mut other = from(&running, 3).await;
    assert!(is_open(&mut other).await);
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = from(&running, 2).await;
        assert!(is_open(&mut stream).await);
        open.push(stream);
    }
    closed(&mut open[0]).await;
    assert!(is_open(&mut open[1]).await && is_open(&mut open[2]).await);
    assert!(is_open(&mut other).await, "others keep theirs");
    assert!(answered(&running, 2, 1).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn deliveries_over_an_address_limit_wait_and_are_served() {
    let running = start(1000, Some(4)).await;
    let mut open = Vec::new();
    for number in 0..100 {
        let mut stream = from(&running, 2).await;
        stream
            .write_all(&request(&body(number), "Connection: close\r\n"))
            .await
            .unwrap();
        open.push(stream);
    }
    for mut stream in open {
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
    assert_eq!(running.queued(), 100);
}

#[tokio::test]
async fn a_peer_that_reads_no_answers_is_closed() {
    let options = ServeOptions::default().with_write_timeout(Duration::from_millis(200));
    let running = Running::start_with("", options).await;
    let mut deaf = small_ears(&running).await;
    let many = READY.repeat(100);
    timeout(PATIENCE, async {
        while deaf.write_all(&many).await.is_ok() {}
    })
    .await
    .expect("it is closed");
}

#[tokio::test]
async fn a_slow_body_is_evicted_even_right_after_a_byte() {
    let running = start(1, None).await;
    let mut slow = running.connect().await;
    let begun = head(&body(1), "Content-Length: 5000\r\n");
    slow.write_all(&begun).await.unwrap();
    // The connection counts as slow after this pause, although bytes keep coming.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let dripping = tokio::spawn(async move {
        while slow.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(answered(&running, 1, 2).await.starts_with("HTTP/1.1 200 "));
    timeout(PATIENCE, dripping)
        .await
        .expect("it is closed")
        .unwrap();
}
