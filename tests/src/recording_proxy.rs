//! A TCP proxy that passes every byte on and keeps a copy: the truth about what was delivered.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One request and what it was answered.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method and target, as sent.
    pub request_line: String,
    /// Body of the request.
    pub body: Vec<u8>,
    /// Status of the answer; `None` when none came.
    pub status: Option<u16>,
    /// Body of the answer.
    pub answer: Vec<u8>,
}

/// A running proxy; its threads end with the connections.
pub struct Recorder {
    /// Address that it listens on.
    pub address: SocketAddr,
    connections: Connections,
}

/// Bytes that one connection carried, each way.
#[derive(Default)]
struct Copies {
    sent: Mutex<Vec<u8>>,
    answered: Mutex<Vec<u8>>,
}

type Connections = Arc<Mutex<Vec<Arc<Copies>>>>;

impl Recorder {
    /// Passes what arrives on to `upstream`.
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Connections::default();
        thread::spawn({
            let connections = Arc::clone(&connections);
            move || {
                for client in listener.incoming() {
                    let (Ok(client), Ok(server)) = (client, TcpStream::connect(upstream)) else {
                        continue;
                    };
                    let copies = Arc::new(Copies::default());
                    connections.lock().unwrap().push(Arc::clone(&copies));
                    pump(&client, &server, Arc::clone(&copies), |copies| &copies.sent);
                    pump(&server, &client, copies, |copies| &copies.answered);
                }
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Everything that was exchanged so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let connections = self.connections.lock().unwrap().clone();
        connections
            .iter()
            .flat_map(|copies| {
                exchanges(
                    &copies.sent.lock().unwrap(),
                    &copies.answered.lock().unwrap(),
                )
            })
            .collect()
    }
}

/// Copies one direction until its end, and passes the end on too.
fn pump(
    from: &TcpStream,
    to: &TcpStream,
    copies: Arc<Copies>,
    side: fn(&Copies) -> &Mutex<Vec<u8>>,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    for stream in [&from, &to] {
        stream.set_nodelay(true).unwrap();
    }
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // Kept before it is passed on: whoever saw an answer finds it recorded.
            side(&copies)
                .lock()
                .unwrap()
                .extend_from_slice(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn exchanges(mut sent: &[u8], mut answered: &[u8]) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    while let Some((request_line, body, rest)) = message(sent) {
        sent = rest;
        let (status, answer) = match message(answered) {
            Some((status_line, answer, rest)) => {
                answered = rest;
                (
                    status_line
                        .split(' ')
                        .nth(1)
                        .and_then(|code| code.parse().ok()),
                    answer,
                )
            }
            None => (None, Vec::new()),
        };
        exchanges.push(Exchange {
            request_line,
            body,
            status,
            answer,
        });
    }
    assert!(
        sent.is_empty(),
        "a request that broke off: {}",
        String::from_utf8_lossy(sent)
    );
    exchanges
}

/// First line, body and what follows; all senders and receivers here state their lengths.
fn message(bytes: &[u8]) -> Option<(String, Vec<u8>, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut length = 0;
    for line in head.split("\r\n").skip(1) {
        let (name, value) = line.split_once(':')?;
        assert!(
            !name.eq_ignore_ascii_case("transfer-encoding"),
            "chunked, which nobody here sends"
        );
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some((
        head.split("\r\n").next()?.to_owned(),
        body,
        &bytes[end + 4 + length..],
    ))
}
