//! Lambda's runtime API, as far as the program speaks it, and a collector beside it. Both write down what happens in one
//! list: which of the two came first is what a test asks.

use labelrelay_tests::client::{Request, read_head};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happened, in its order.
#[derive(Clone, Default)]
pub(crate) struct Happenings(Arc<Mutex<Vec<Happening>>>);

/// One request of the program.
#[derive(Clone)]
pub(crate) struct Happening {
    /// Last part of its path: `next`, `response`, `traces`, `metrics`.
    pub(crate) what: String,
    pub(crate) body: Vec<u8>,
}

impl Happening {
    /// Tells whether this is in the body.
    pub(crate) fn has(&self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        self.body.windows(bytes.len()).any(|piece| piece == bytes)
    }
}

impl Happenings {
    pub(crate) fn all(&self) -> Vec<Happening> {
        self.0.lock().unwrap().clone()
    }

    /// What each was.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all().into_iter().map(|one| one.what).collect()
    }

    /// Those of this name.
    pub(crate) fn of(&self, name: &str) -> Vec<Happening> {
        let all = self.all().into_iter();
        all.filter(|one| one.what == name).collect()
    }

    fn note(&self, request: &Request, body: Vec<u8>) -> String {
        let what = request.path().rsplit('/').next().unwrap_or_default();
        let happening = Happening {
            what: what.to_owned(),
            body,
        };
        self.0.lock().unwrap().push(happening);
        what.to_owned()
    }
}

/// Lambda's side of it.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    events: Sender<Vec<u8>>,
}

impl RuntimeApi {
    pub(crate) fn start(happenings: &Happenings) -> Self {
        let (events, waiting) = channel();
        let (happenings, waiting) = (happenings.clone(), Mutex::new(waiting));
        let address = serve(
            move |request, body| match happenings.note(request, body).as_str() {
                "next" => next(&waiting),
                _ => Some("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".into()),
            },
        );
        Self { address, events }
    }

    /// The event of the next invocation.
    pub(crate) fn invoke(&self, event: &serde_json::Value) {
        self.events
            .send(serde_json::to_vec(event).unwrap())
            .unwrap();
    }
}

/// The next event, once there is one. Without one, the program waits, as a frozen one does.
fn next(waiting: &Mutex<Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    let event = waiting.lock().unwrap().recv().ok()?;
    let deadline = jiff::Timestamp::now().as_millisecond() + 60_000;
    let head = format!(
        "HTTP/1.1 200 OK\r\n\
         Content-Type: application/json\r\n\
         Content-Length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         Lambda-Runtime-Deadline-Ms: {deadline}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:relay\r\n\
         \r\n",
        event.len()
    );
    Some([head.into_bytes(), event].concat())
}

/// What the collector does with a message.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Collector {
    Takes,
    Hangs,
}

impl Collector {
    /// Starts it.
    pub(crate) fn start(self, happenings: &Happenings) -> String {
        let happenings = happenings.clone();
        let address = serve(move |request, body| {
            happenings.note(request, body);
            let taken = || "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into();
            (self == Self::Takes).then(taken)
        });
        format!("http://{address}")
    }
}

/// Serves each connection on a thread of its own. All end with the process.
fn serve(
    answer: impl Fn(&Request, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            thread::spawn(move || serve_connection(&stream, &*answer));
        }
    });
    address
}

/// Answers its requests. One without an answer waits for it until it gives up.
fn serve_connection(
    mut stream: &TcpStream,
    answer: &impl Fn(&Request, Vec<u8>) -> Option<Vec<u8>>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_head(&mut reader) {
        let length = request.header("content-length");
        let length = length.map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        if let Some(answer) = answer(&request, body)
            && stream.write_all(&answer).is_err()
        {
            return;
        }
    }
}
