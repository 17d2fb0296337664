//! A server with AWS's protocols that misbehaves on demand.
//!
//! Told nothing, it is an SQS that takes everything and keeps nothing but a record of it.

mod exchange;
mod tls;

use exchange::{Request, answer_of};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use tls::Identity;

/// Its misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Not at all: messages are taken, with the right digests.
    Well,
    /// As well, but nobody is answered before so many requests were read: each needs a connection.
    WellTogether(usize),
    /// Messages are answered with the digest of another body.
    WrongBodyMd5,
    /// Messages are answered with the digest of other attributes.
    WrongAttributesMd5,
    /// Messages are answered without a digest.
    NoMd5,
    /// Messages are answered without an id.
    NoMessageId,
    /// Every request is answered with this.
    Answer {
        /// Status code.
        status: u16,
        /// Names and values, beside the length.
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
    },
    /// Requests for these actions are answered so, all others well.
    ByAction(Vec<(&'static str, Behaviour)>),
    /// No request is answered.
    Hang,
    /// Requests are read, then the connection ends without an answer.
    HangUp,
    /// Half of an answer comes, then the connection ends.
    Cut,
    /// Connections are reset before a byte is read: with TLS, within the handshake.
    Reset,
    /// The first request of a connection is answered well, the next ones not at all: what a frozen
    /// function finds when it wakes up.
    StaleAndSilent,
    /// The first request of a connection is answered well, then the connection is reset.
    StaleAndReset,
}

impl Behaviour {
    /// An error of SQS, Secrets Manager or SSM, in their JSON.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": code, "message": message });
        Self::Answer {
            status,
            headers: vec![(
                "content-type".to_owned(),
                "application/x-amz-json-1.0".to_owned(),
            )],
            body: body.to_string(),
        }
    }

    fn to(self, action: &str) -> Self {
        let Self::ByAction(actions) = self else {
            return self;
        };
        let mut actions = actions.into_iter();
        let found = actions.find(|(name, _)| *name == action);
        found.map_or(Self::Well, |(_, behaviour)| behaviour)
    }

    /// An error of S3, in its XML.
    pub fn s3_error(status: u16, code: &str, message: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
            body: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            ),
        }
    }

    /// A page as proxies and captive portals send it.
    pub fn html(status: u16) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: "<!doctype html><title>Welcome</title>".to_owned(),
        }
    }
}

/// One request as it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which connection it came over, from 0.
    pub connection: usize,
    /// Method and target.
    pub line: String,
    /// `x-amz-target`: service and action.
    pub action: String,
    /// `authorization`: who signed it.
    pub authorization: String,
    /// Body.
    pub body: Vec<u8>,
}

/// A running server; its port is closed when this is dropped.
pub struct Misbehaving {
    /// Address that it listens on.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    identity: Option<Arc<Identity>>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    seen: Mutex<Vec<Seen>>,
    /// Each that was opened; `None` once it was reset, which takes that nobody holds it.
    connections: Mutex<Vec<Option<TcpStream>>>,
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Misbehaving {
    /// Starts one that speaks plain HTTP.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::listen(behaviour, None)
    }

    /// Starts one that speaks TLS, with a certificate of its own.
    pub fn start_tls(behaviour: Behaviour) -> Self {
        Self::listen(behaviour, Some(Arc::new(Identity::new())))
    }

    fn listen(behaviour: Behaviour, identity: Option<Arc<Identity>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            seen: Mutex::default(),
            connections: Mutex::default(),
            ended: Mutex::default(),
            changed: Condvar::new(),
        });
        thread::spawn({
            let (shared, identity) = (Arc::clone(&shared), identity.clone());
            move || accept(&listener, &shared, identity.as_ref())
        });
        Self {
            address,
            shared,
            identity,
        }
    }

    /// URL, without a slash at its end.
    pub fn endpoint(&self) -> String {
        let scheme = if self.identity.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// A file with the certificate to trust: for `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
    ///
    /// # Panics
    /// When it does not speak TLS.
    pub fn authority(&self) -> &Path {
        self.identity.as_ref().expect("TLS").file()
    }

    /// Misbehaves otherwise from the next request on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Number of connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.lock().unwrap().len()
    }

    /// Waits until so many requests were read.
    pub fn wait_for(&self, requests: usize) {
        self.shared.wait_for(requests);
    }
}

impl Shared {
    fn wait_for(&self, requests: usize) {
        let seen = self.seen.lock().unwrap();
        let few = |seen: &mut Vec<Seen>| seen.len() < requests;
        let patience = crate::relay::PATIENCE;
        let waited = self.changed.wait_timeout_while(seen, patience, few);
        let (seen, waited) = waited.unwrap();
        assert!(!waited.timed_out(), "{} of {requests} requests", seen.len());
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        *self.shared.ended.lock().unwrap() = true;
        for connection in self.shared.connections.lock().unwrap().iter().flatten() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, identity: Option<&Arc<Identity>>) {
    for stream in listener.incoming() {
        if *shared.ended.lock().unwrap() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = {
            let mut connections = shared.connections.lock().unwrap();
            connections.push(stream.try_clone().ok());
            connections.len() - 1
        };
        let (shared, identity) = (Arc::clone(shared), identity.map(Arc::clone));
        thread::spawn(move || {
            // A client that goes away is none of our business.
            let _ = connected(&shared, number, &stream, identity.as_deref());
        });
    }
}

fn connected(
    shared: &Shared,
    number: usize,
    stream: &TcpStream,
    identity: Option<&Identity>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    if shared.behaviour.lock().unwrap().clone() == Behaviour::Reset {
        return reset(shared, number, stream);
    }
    match identity {
        Some(identity) => serve(shared, number, stream, identity.accept(stream)),
        None => serve(shared, number, stream, stream),
    }
}

/// Ends the connection with bytes unread, of which the other side hears by a reset.
fn reset(shared: &Shared, number: usize, stream: &TcpStream) -> std::io::Result<()> {
    stream.peek(&mut [0])?;
    shared.connections.lock().unwrap()[number] = None;
    Ok(())
}

fn serve(
    shared: &Shared,
    number: usize,
    raw: &TcpStream,
    mut stream: impl Read + Write,
) -> std::io::Result<()> {
    let mut unread = Vec::new();
    for nth in 0.. {
        if nth > 0 {
            // The behaviour is asked for when the next request comes, not when the last one was answered.
            raw.peek(&mut [0])?;
            if *shared.behaviour.lock().unwrap() == Behaviour::StaleAndReset {
                return reset(shared, number, raw);
            }
        }
        let Some(request) = Request::read(&mut stream, &mut unread)? else {
            return Ok(());
        };
        let behaviour = shared.behaviour.lock().unwrap().clone();
        let behaviour = behaviour.to(&request.action);
        let answer = answer_of(&behaviour, &request);
        shared.seen.lock().unwrap().push(Seen {
            connection: number,
            line: request.line,
            action: request.action,
            authorization: request.authorization,
            body: request.body,
        });
        shared.changed.notify_all();
        if let Behaviour::WellTogether(requests) = behaviour {
            shared.wait_for(requests);
        }
        match behaviour {
            Behaviour::Hang => return silent(&mut stream),
            Behaviour::StaleAndSilent if nth > 0 => return silent(&mut stream),
            Behaviour::HangUp => return raw.shutdown(Shutdown::Both),
            Behaviour::Cut => {
                stream.write_all(&answer.as_bytes()[..answer.len() / 2])?;
                stream.flush()?;
                return raw.shutdown(Shutdown::Both);
            }
            _ => {
                stream.write_all(answer.as_bytes())?;
                stream.flush()?;
            }
        }
    }
    Ok(())
}

/// Reads until the other side has had enough.
fn silent(stream: &mut impl Read) -> std::io::Result<()> {
    let mut sink = [0; 4096];
    loop {
        match stream.read(&mut sink) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
