//! Connections that look alive and are not.

use crate::setup::queue;
use labelrelay_core::QueueErrorKind;
use labelrelay_core::clock::within;
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::message;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// A queue service whose first `silent` connections answer one request each, all at the same time, and
/// nothing afterwards. Returns the URL of a queue of it, and how many connections came.
fn service(silent: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a/events?sig=x", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let together = Arc::new(Barrier::new(silent.max(1)));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let falls_silent = counter.fetch_add(1, Ordering::SeqCst) < silent;
            let together = falls_silent.then(|| Arc::clone(&together));
            std::thread::spawn(move || serve(stream, together.as_deref()));
        }
    });
    (url, count)
}

fn serve(stream: TcpStream, falls_silent: Option<&Barrier>) {
    let mut reader = BufReader::new(stream);
    for served in 0.. {
        let mut length = 0;
        let mut is_post = false;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            is_post |= line.starts_with("post ");
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        if let Some(together) = falls_silent {
            if served > 0 {
                // Until the other end hangs up.
                let _ = reader.read(&mut [0]);
                return;
            }
            together.wait();
        }
        let (status, body) = if is_post {
            (
                "201 Created",
                "<QueueMessagesList><QueueMessage><MessageId>1</MessageId></QueueMessage></QueueMessagesList>",
            )
        } else {
            ("200 OK", "")
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (url, connections) = service(0);
    let queue = queue(&url);
    queue.check().await.unwrap();
    for n in 0..5 {
        queue.send(&message(&n.to_string(), b"{}")).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Kept connections whose other ends were all replaced: no reset, no answer.
#[tokio::test]
async fn an_abandoned_attempt_retires_its_connections() {
    let (url, connections) = service(3);
    let queue = queue(&url);
    let opened = tokio::join!(queue.check(), queue.check(), queue.check());
    opened.0.and(opened.1).and(opened.2).unwrap();
    let clock = SystemClock::new();
    let sent = message("1", b"{}");
    let first = within(&clock, Duration::from_secs(2), queue.send(&sent)).await;
    assert!(first.is_err(), "all connections are silent");
    let second = within(&clock, Duration::from_secs(30), queue.send(&sent)).await;
    second.expect("not another silent one").unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_refused_connection_is_reported_at_once_and_retryable() {
    let [port] = labelrelay_tests::servers::free_ports();
    let url = format!("http://127.0.0.1:{port}/a/events?sig=secret");
    let error = queue(&url).send(&message("1", b"{}")).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Unavailable);
    assert!(error.retryable);
    assert!(
        error.message.contains("the queue `events` of account `a`"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("secret"));
}
