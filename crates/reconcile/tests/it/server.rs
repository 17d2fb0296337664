//! A server that answers as a test says, whatever it is asked.

use labelrelay_core::Entropy;
use labelrelay_reconcile::http::HttpOptions;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Always the same: pauses need no spreading here.
pub(crate) struct Same;

impl Entropy for Same {
    fn ten_bytes(&self) -> [u8; 10] {
        [0; 10]
    }
}

pub(crate) fn options() -> HttpOptions {
    HttpOptions::new(Arc::new(Same))
}

/// One answer, as bytes; empty: hangs up without one.
pub(crate) type Answer = String;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct Server {
    pub(crate) url: String,
    /// Of each request, on which connection it came.
    pub(crate) connections: Arc<Mutex<Vec<usize>>>,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
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
        let answers = Mutex::new(answers.into_iter());
        Self::by(move |_| {
            let next = answers.lock().unwrap().next();
            next.unwrap_or_else(|| answer("200 OK", "", "{}"))
        })
        .await
    }

    /// Starts one that answers by what it is asked.
    pub(crate) async fn by(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            connections: Arc::default(),
            asked: Arc::default(),
        };
        let (connections, all) = (Arc::clone(&server.connections), Arc::clone(&server.asked));
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let answer = Arc::clone(&answer);
                let (connections, all) = (Arc::clone(&connections), Arc::clone(&all));
                tokio::spawn(async move {
                    while let Some(asked) = read(&mut stream).await {
                        connections.lock().unwrap().push(connection);
                        let next = answer(&asked);
                        all.lock().unwrap().push(asked);
                        if next.is_empty() || stream.write_all(next.as_bytes()).await.is_err() {
                            return;
                        }
                        if next.contains("Connection: close") {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    pub(crate) fn count(&self) -> usize {
        self.connections.lock().unwrap().len()
    }
}

/// The next request of a connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        })
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Asked { head, body })
}
