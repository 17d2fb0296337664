//! Things that senders do to a connection, and events that must not be lost.

use crate::support::{Running, body, head, request};
use labelrelay_event::Envelope;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn an_answer_has_its_headers() {
    let running = Running::start("").await;
    let answer = running
        .talk(&request(&body(1), "Connection: close\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/json\r\n"));
    assert!(answer.contains("\"outcome\":\"accepted\""));
    let answer = running
        .talk(b"GET /labelbox HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: POST\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn chunks_expect_and_a_false_encoding_change_nothing() {
    let running = Running::start("").await;
    let sent = body(2);
    let (first, second) = sent.split_at(5);
    let mut raw = head(
        &sent,
        "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\nConnection: close\r\n",
    );
    for chunk in [first, second] {
        raw.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        raw.extend(chunk);
        raw.extend(b"\r\n");
    }
    raw.extend(b"0\r\n\r\n");
    assert!(running.talk(&raw).await.starts_with("HTTP/1.1 200 "));
    let message = running.queue.inner.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    assert_eq!(
        envelope.data.bytes().unwrap().as_deref(),
        Some(sent.as_slice())
    );

    let mut stream = running.connect().await;
    let sent = body(3);
    stream
        .write_all(&head(
            &sent,
            &format!(
                "Content-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n",
                sent.len()
            ),
        ))
        .await
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    stream.write_all(&sent).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_sender_that_hangs_up_after_the_last_byte_cancels_nothing() {
    let running = Running::start("").await;
    running.queue.open.forget_permits(1000);
    for number in 0..20 {
        let mut stream = running.connect().await;
        stream.write_all(&request(&body(number), "")).await.unwrap();
        if number % 2 == 0 {
            // A reset instead of an orderly end, as a timeout of the sender's library makes it.
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
    }
    // Every sender is gone. A reset may overtake bytes that were not read yet; those deliveries never
    // arrived whole, but all others wait at the queue now.
    running
        .until("the orderly ones wait", |running| {
            running.queue.entered.load(Ordering::Relaxed) >= 10
        })
        .await;
    running.queue.open.add_permits(1000);
    running
        .until("they are queued", |running| {
            running.queued() == running.queue.entered.load(Ordering::Relaxed)
        })
        .await;
}

#[tokio::test]
async fn a_truncated_body_is_no_event() {
    let running = Running::start("").await;
    let whole = request(&body(1), "");
    let mut stream = running.connect().await;
    stream.write_all(&whole[..whole.len() - 3]).await.unwrap();
    drop(stream);
    running
        .until("it is reported", |running| {
            running.seen.reports().len() == 1
        })
        .await;
    assert_eq!(running.seen.reports()[0].outcome.as_str(), "malformed");
    assert_eq!(running.queued(), 0);
}

#[tokio::test]
async fn a_slow_body_is_cut_off() {
    let running = Running::start("[serve]\nbody_timeout_ms = 500").await;
    let mut stream = running.connect().await;
    let begun = head(&body(1), "Content-Length: 1000000\r\nConnection: close\r\n");
    stream.write_all(&begun).await.unwrap();
    let (mut answers, mut drops) = stream.into_split();
    // Each drop comes long before the time of the whole body is over.
    let dripping = tokio::spawn(async move {
        while drops.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut answer = [0; 13];
    let answered = timeout(Duration::from_secs(60), answers.read_exact(&mut answer)).await;
    dripping.abort();
    answered.expect("it is cut off while it drips").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408 ");
    assert_eq!(running.queued(), 0);
}

#[tokio::test]
async fn a_late_queue_is_503_in_time_and_the_event_is_kept_all_the_same() {
    let running = Running::start("deadline_ms = 2000").await;
    running.queue.open.forget_permits(1000);
    let answer = running
        .talk(&request(&body(1), "Connection: close\r\n"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: "),
        "{answer}"
    );
    assert_eq!(running.queued(), 0);
    running.queue.open.add_permits(1000);
    running
        .until("the event is queued", |running| running.queued() == 1)
        .await;
    // With the same short deadline: on a busy machine the first answer may be late, too.
    let mut answer = String::new();
    for _ in 0..30 {
        answer = running
            .talk(&request(&body(1), "Connection: close\r\n"))
            .await;
        if !answer.starts_with("HTTP/1.1 503 ") {
            break;
        }
    }
    assert!(answer.contains("\"outcome\":\"repeat\""), "{answer}");
}

#[tokio::test]
async fn a_sender_that_closes_its_half_still_gets_the_answer() {
    let running = Running::start("").await;
    let mut stream = running.connect().await;
    stream.write_all(&request(&body(1), "")).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_panic_is_one_500() {
    let running = Running::start("").await;
    running.queue.panics.store(true, Ordering::Relaxed);
    let answer = running
        .talk(&request(&body(1), "Connection: close\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    running.queue.panics.store(false, Ordering::Relaxed);
    assert!(
        running
            .talk(&request(&body(1), "Connection: close\r\n"))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn a_stop_finishes_what_was_accepted() {
    let running = Running::start("").await;
    running.queue.open.forget_permits(1000);
    let mut waiting = running.connect().await;
    waiting.write_all(&request(&body(1), "")).await.unwrap();
    let mut gone = running.connect().await;
    gone.write_all(&request(&body(2), "")).await.unwrap();
    let idle = running.connect().await;
    running
        .until("both wait at the queue", |running| {
            running.queue.entered.load(Ordering::Relaxed) == 2
        })
        .await;
    drop(gone);
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
    queue.open.add_permits(1000);
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.await.unwrap();
    assert_eq!(queue.inner.messages().len(), 2);
    drop(idle);
}
