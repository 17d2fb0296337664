//! A server that gives one answer after the other, whatever it is asked.

use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// One answer, as bytes; empty: hangs up without one.
pub(crate) type Answer = String;

pub(crate) struct Server {
    pub(crate) url: String,
    /// When each request came, and on which connection.
    pub(crate) requests: Arc<Mutex<Vec<(Instant, usize)>>>,
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Answer {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

impl Server {
    /// Starts one; after the last answer it says 200 to everything.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for connection in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    // Requests have no bodies here.
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if !head.ends_with(b"\r\n\r\n") {
                            continue;
                        }
                        head.clear();
                        seen.lock().unwrap().push((Instant::now(), connection));
                        let next = answers.lock().unwrap().next();
                        let next = next.unwrap_or_else(|| answer("200 OK", "", "{}"));
                        if next.is_empty() || stream.write_all(next.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}
