//! A small server that gives identities out, as a test says, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Method and target.
    pub(super) line: String,
    /// The headers, in small letters.
    pub(super) head: String,
    pub(super) body: String,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Lines of the head, each with its end.
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn of(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            head: String::new(),
            body: body.into(),
        }
    }

    pub(super) fn good(body: impl Into<String>) -> Self {
        Self::of(200, body)
    }

    pub(super) fn with(mut self, line: &str) -> Self {
        self.head = format!("{}{line}\r\n", self.head);
        self
    }
}

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

/// A running one. It listens until the process of the tests ends.
pub(super) struct StandIn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub(super) fn start(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&asked);
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                thread::spawn(move || {
                    // Whoever asks may have given up.
                    let _ = serve(&stream, &*answers, &seen);
                });
            }
        });
        Self { address, asked }
    }

    /// One that nobody is to ask.
    pub(super) fn trap() -> Self {
        Self::start(|_| Answer::of(500, ""))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    answers: &Answers,
    seen: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut whole = String::new();
    while !whole.ends_with("\r\n\r\n") {
        if reader.read_line(&mut whole)? == 0 {
            return Ok(());
        }
    }
    let (line, head) = whole.split_once("\r\n").unwrap_or_default();
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = String::new();
    reader.take(length.unwrap_or(0)).read_to_string(&mut body)?;
    let asked = Asked {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        head,
        body,
    };
    let answer = answers(&asked);
    seen.lock().unwrap().push(asked);
    write!(
        stream,
        "HTTP/1.1 {} Told\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.status,
        answer.head,
        answer.body.len(),
        answer.body
    )
}
