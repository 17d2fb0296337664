//! A Lambda runtime API of our own: hands out invocations, and knows to the microsecond when a function
//! first asked for one, and when it answered.

use super::http1_stand_in;
use crate::Outcome;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The API of one function; its threads end with the function's connections.
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

/// One invocation, from outside.
pub(super) struct Invocation {
    /// From before the event was written until the last byte of the answer was read.
    pub(super) took: Duration,
    /// The function's answer.
    pub(super) answer: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    first_poll: Option<Instant>,
    /// Connections on which the function waits for an event.
    polling: usize,
    event: Option<Vec<u8>>,
    handed_out: Option<Instant>,
    answered: Option<(Instant, Vec<u8>)>,
    /// The error that the function reported instead of an answer.
    failed: Option<String>,
    invocations: u64,
    closed: bool,
}

/// Time that anything may take before a run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two looks at a function that says nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The deadline that the function is told, as the template has it.
const TIMEOUT: Duration = Duration::from_secs(15);

impl RuntimeApi {
    pub(super) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&accepting);
                if shared.lock().closed {
                    return;
                }
                std::thread::spawn(move || {
                    if let Err(error) = stream.and_then(|stream| serve(&stream, &shared)) {
                        shared.fail(format!("the runtime API failed: {error}"));
                    }
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// When the function first asked for an event; `alive` fails when it has ended.
    pub(super) fn first_poll(&self, alive: impl FnMut() -> Outcome) -> Outcome<Instant> {
        self.shared
            .wait("first poll", alive, |state| state.first_poll)
    }

    /// Has the function handle `event`, which starts when it waits for one.
    pub(super) fn invoke(
        &self,
        event: Vec<u8>,
        mut alive: impl FnMut() -> Outcome,
    ) -> Outcome<Invocation> {
        let shared = &self.shared;
        shared.wait("poll", &mut alive, |state| {
            (state.polling > 0).then_some(())
        })?;
        let mut state = shared.lock();
        state.event = Some(event);
        state.handed_out = None;
        shared.changed.notify_all();
        drop(state);
        let (start, end, answer) = shared.wait("answer", alive, |state| {
            let start = state.handed_out?;
            let (end, answer) = state.answered.take()?;
            Some((start, end, answer))
        })?;
        Ok(Invocation {
            took: end - start,
            answer,
        })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        // Wakes the thread that accepts; if that fails, there is none.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// A thread that panicked while it held the lock has left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: String) {
        self.lock().failed.get_or_insert(why);
        self.changed.notify_all();
    }

    fn wait<T>(
        &self,
        what: &str,
        mut alive: impl FnMut() -> Outcome,
        mut found: impl FnMut(&mut State) -> Option<T>,
    ) -> Outcome<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(value) = found(&mut state) {
                return Ok(value);
            }
            if let Some(why) = state.failed.take() {
                return Err(format!("no {what}: {why}").into());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no {what} within {} s", PATIENCE.as_secs()).into());
            }
            alive()?;
            state = self
                .changed
                .wait_timeout(state, left.min(LOOK_AGAIN))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The next event, and the number of its invocation; `None` when the API has been closed.
    fn next(&self) -> Option<(Vec<u8>, u64)> {
        let mut state = self.lock();
        state.first_poll.get_or_insert_with(Instant::now);
        state.polling += 1;
        self.changed.notify_all();
        loop {
            if let Some(event) = state.event.take() {
                state.polling -= 1;
                state.invocations += 1;
                state.answered = None;
                return Some((event, state.invocations));
            }
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Serves one connection until the function closes it.
fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut stream, mut buffer) = (stream, Vec::new());
    while let Some(request) = http1_stand_in::read(&mut stream, &mut buffer)? {
        let now = Instant::now();
        let operation = request.path.rsplit('/').next().unwrap_or_default();
        match (request.method.as_str(), operation) {
            ("GET", "next") => {
                let Some((event, number)) = shared.next() else {
                    return Ok(());
                };
                let headers = headers(number);
                shared.lock().handed_out = Some(Instant::now());
                if let Err(error) = http1_stand_in::write(&mut stream, 200, &headers, &event) {
                    // The function ended while it waited; whoever started it says so.
                    return if error.kind() == ErrorKind::BrokenPipe {
                        Ok(())
                    } else {
                        Err(error)
                    };
                }
            }
            ("POST", "response") => {
                shared.lock().answered = Some((now, request.body));
                shared.changed.notify_all();
                http1_stand_in::write(&mut stream, 202, "", b"")?;
            }
            ("POST", "error") => {
                let said = String::from_utf8_lossy(&request.body);
                shared.fail(format!("the function reported {said}"));
                http1_stand_in::write(&mut stream, 202, "", b"")?;
            }
            (method, _) => {
                shared.fail(format!("the function asked for {method} {}", request.path));
                http1_stand_in::write(&mut stream, 404, "", b"")?;
            }
        }
    }
    Ok(())
}

/// The headers of invocation `number`.
fn headers(number: u64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "content-type: application/json\r\n\
         lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-{number:012x}\r\n\
         lambda-runtime-deadline-ms: {}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:bench\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n",
        (now + TIMEOUT).as_millis()
    )
}
