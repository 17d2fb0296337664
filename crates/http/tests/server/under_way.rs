//! Deliveries of which a part has come, when there are fewer slots than connections.

use crate::support::{Running, answer, body, head, head_with_secret, request};
use labelrelay_http::ServeOptions;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pause that one lost packet causes. A body that pauses this long counts as slow.
const PAUSE: Duration = Duration::from_millis(300);

const SLOTS: usize = 4;

async fn start(settings: &str) -> Running {
    let options = ServeOptions::default()
        .with_max_connections(SLOTS)
        // Longer than the patience, so that nothing ends by itself.
        .with_head_timeout(PATIENCE * 2)
        .with_idle_timeout(PATIENCE * 2);
    Running::start_with(settings, options).await
}

/// A delivery that pauses after the first byte of its body.
struct Paused {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Paused {
    async fn of(running: &Running, head: Vec<u8>, body: &[u8]) -> Self {
        let mut stream = running.connect().await;
        let (first, rest) = body.split_at(1);
        stream.write_all(&[&head, first].concat()).await.unwrap();
        tokio::time::sleep(PAUSE).await;
        Self {
            stream,
            rest: rest.to_vec(),
        }
    }

    /// A paused delivery whose head shows the secret.
    async fn with_secret(running: &Running, number: usize) -> Self {
        let body = body(number);
        Self::of(running, head_with_secret(&body), &body).await
    }

    /// A paused delivery whose signature is compared after its last byte.
    async fn signed(running: &Running, number: usize) -> Self {
        let body = body(number);
        let length = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        Self::of(running, head(&body, &length), &body).await
    }

    /// Sends the rest; the answer.
    async fn goes_on(mut self) -> String {
        let mut said = String::new();
        // A reset, if it was closed.
        let _ = self.stream.write_all(&self.rest).await;
        let read = self.stream.read_to_string(&mut said);
        let _ = timeout(PATIENCE, read).await.expect("an answer or an end");
        said
    }
}

/// Connections that say nothing. Each has a slot, or had one: the last of them answers.
async fn silent(running: &Running, count: usize) -> Vec<TcpStream> {
    let mut silent = Vec::new();
    for _ in 0..count {
        silent.push(running.connect().await);
    }
    let last = silent.last_mut().unwrap();
    last.write_all(b"GET /-/ready HTTP/1.1\r\nHost: relay\r\n\r\n")
        .await
        .unwrap();
    assert!(timeout(PATIENCE, answer(last)).await.unwrap().is_some());
    silent
}

#[tokio::test]
async fn idle_connections_are_evicted_before_a_delivery_under_way() {
    let running = start("").await;
    let signed = Paused::signed(&running, 1).await;
    let with_secret = Paused::with_secret(&running, 2).await;
    let _silent = silent(&running, 5 * SLOTS).await;
    for delivery in [signed, with_secret] {
        let said = delivery.goes_on().await;
        assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
    }
}

#[tokio::test]
async fn a_delivery_whose_head_shows_the_secret_is_evicted_last() {
    let running = start("").await;
    let with_secret = Paused::with_secret(&running, 1).await;
    let mut signed = Vec::new();
    for number in 0..2 * SLOTS {
        signed.push(Paused::signed(&running, 2 + number).await);
    }
    let said = with_secret.goes_on().await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
}

#[tokio::test]
async fn slow_bodies_of_strangers_leave_half_of_the_slots_to_others() {
    let running = start("").await;
    let mut bodies = Vec::new();
    for number in 0..SLOTS {
        bodies.push(Paused::signed(&running, number).await);
    }
    // The newcomer has a slot, and no head yet, while bodies come and go.
    let mut newcomer = running.connect().await;
    for number in 0..2 * SLOTS {
        bodies.push(Paused::signed(&running, SLOTS + number).await);
    }
    let raw = request(&body(100), "Connection: close\r\n");
    let _ = newcomer.write_all(&raw).await;
    let mut said = String::new();
    let read = newcomer.read_to_string(&mut said);
    let _ = timeout(PATIENCE, read).await.expect("an answer or an end");
    assert!(said.starts_with("HTTP/1.1 200 "), "{said:?}");
}

#[tokio::test]
async fn a_verified_sender_is_no_stranger_though_it_was_told_503() {
    let running = start("deadline_ms = 2000").await;
    running.queue.open.forget_permits(1000);
    let mut verified = running.connect().await;
    verified.write_all(&request(&body(1), "")).await.unwrap();
    let said = answer(&mut verified).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    running.queue.open.add_permits(1000);
    let _silent = silent(&running, 5 * SLOTS).await;
    verified.write_all(&request(&body(2), "")).await.unwrap();
    let said = timeout(PATIENCE, answer(&mut verified)).await.unwrap();
    assert!(said.is_some_and(|said| said.starts_with("HTTP/1.1 200 ")));
}
