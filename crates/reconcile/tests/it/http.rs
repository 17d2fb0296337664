//! Tries again what may pass, within bounds; keeps its pace and its connections.

use crate::server::{Server, answer};
use bytes::Bytes;
use http::Request;
use labelrelay_reconcile::http::{Answer, HttpClient, HttpError, HttpOptions};
use std::time::{Duration, Instant};

async fn get(server: &Server, change: impl FnOnce(&mut HttpOptions)) -> Result<Answer, HttpError> {
    let mut options = crate::server::options();
    options.attempts = 3;
    change(&mut options);
    let client = HttpClient::new(options).unwrap();
    client.send(&request(server)).await
}

fn request(server: &Server) -> Request<Bytes> {
    let uri = format!("{}/path?token=hidden", server.url);
    Request::get(uri).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn server_errors_are_retried_and_client_errors_are_not() {
    let no_wait = "Retry-After: 0\r\n";
    let passing = ["429 Too Many Requests", "503 Service Unavailable"];
    let server = Server::start(passing.map(|status| answer(status, no_wait, "")).into()).await;
    let got = get(&server, |_| {}).await.unwrap();
    assert_eq!((got.status.as_u16(), server.count()), (200, 3));

    for status in ["401 Unauthorized", "404 Not Found", "302 Found"] {
        let server = Server::start(vec![answer(status, "", "no")]).await;
        let got = get(&server, |_| {}).await.unwrap();
        assert_eq!((got.status.as_str(), server.count()), (&status[..3], 1));
    }
}

#[tokio::test]
async fn a_request_that_makes_something_is_sent_once() {
    let busy = answer("503 Service Unavailable", "Retry-After: 0\r\n", "busy");
    let server = Server::start(vec![busy, String::new()]).await;
    let client = HttpClient::new(crate::server::options()).unwrap();
    let got = client.send_once(&request(&server), 100).await.unwrap();
    assert_eq!((got.status.as_u16(), &got.body[..]), (503, &b"busy"[..]));
    let error = client.send_once(&request(&server), 100).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(server.count(), 2);
}

/// A server that counts requests sends the rest away before it looks at them: a webhook for each of many projects is
/// made all the same, and none twice.
#[tokio::test]
async fn what_makes_something_waits_for_a_server_that_is_asked_too_often() {
    let often = || answer("429 Too Many Requests", "Retry-After: 0\r\n", "");
    let made = answer("201 Created", "", "made");
    let server = Server::start(vec![often(), often(), made]).await;
    let mut options = crate::server::options();
    options.attempts = 3;
    let client = HttpClient::new(options.clone()).unwrap();
    let got = client.send_once(&request(&server), 100).await.unwrap();
    assert_eq!((got.status.as_u16(), server.count()), (201, 3));

    let server = Server::start((0..5).map(|_| often()).collect()).await;
    let client = HttpClient::new(options).unwrap();
    let error = client.send_once(&request(&server), 100).await.unwrap_err();
    assert_eq!(server.count(), 3);
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains("wait some minutes"), "{error}");
}

#[tokio::test]
async fn attempts_end_with_an_error_that_names_the_url_without_its_query() {
    let down = || answer("502 Bad Gateway", "Retry-After: 0\r\n", "");
    let server = Server::start((0..5).map(|_| down()).collect()).await;
    let error = get(&server, |_| {}).await.unwrap_err();
    assert_eq!(server.count(), 3);
    assert!(error.is_retryable(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("/path: answered 502") && !text.contains("hidden"),
        "{text}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_is_followed_by_another_and_a_good_one_is_kept() {
    let server = Server::start(vec![String::new(), answer("200 OK", "", "{}")]).await;
    let client = HttpClient::new(crate::server::options()).unwrap();
    for _ in 0..3 {
        let got = client.send(&request(&server)).await.unwrap();
        assert_eq!(&got.body[..], b"{}");
    }
    let connections = server.connections.lock().unwrap();
    assert_eq!(connections[..], [0, 1, 1, 1]);
}

#[tokio::test]
async fn an_answer_that_does_not_end_or_is_too_large_ends_the_attempt() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_owned();
    let server = Server::start(vec![half.clone(), half]).await;
    let error = get(&server, |options| {
        options.attempts = 1;
        options.timeout = Duration::from_secs(1);
    });
    let error = error.await.unwrap_err();
    assert!(
        error.to_string().contains("no whole answer within"),
        "{error}"
    );

    let server = Server::start(vec![answer("200 OK", "", "12345")]).await;
    let error = get(&server, |options| options.max_answer_bytes = 4)
        .await
        .unwrap_err();
    assert!(
        !error.is_retryable() && error.to_string().contains("larger than 4 bytes"),
        "{error}"
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn requests_stay_within_the_rate() {
    let server = Server::start(Vec::new()).await;
    let mut options = crate::server::options();
    options.per_second = Some(20.0);
    let client = HttpClient::new(options).unwrap();
    // Before the first one is sent: when it arrives depends on how busy the machine is.
    let begun = Instant::now();
    for _ in 0..4 {
        client.send(&request(&server)).await.unwrap();
    }
    let whole = begun.elapsed();
    // Three pauses of 50 ms; only too short a time is wrong, a busy machine makes it longer.
    assert!(whole >= Duration::from_millis(150), "{whole:?}");
}

#[tokio::test]
async fn the_time_is_the_server_s() {
    let date = "Date: Wed, 25 Nov 2026 22:44:22 GMT\r\n";
    let server = Server::start(vec![answer("200 OK", date, "")]).await;
    let got = get(&server, |_| {}).await.unwrap();
    assert_eq!(got.date(), Some("2026-11-25T22:44:22Z".parse().unwrap()));
}
