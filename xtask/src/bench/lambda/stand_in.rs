//! Servers that stand in for SQS, Secrets Manager and S3 behind TLS: they answer as the services do,
//! count what clients cost them, and take as long as they are told to.

use super::answers;
use super::http1_stand_in;
use crate::Outcome;
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One service on a port of its own, until it is dropped.
pub(super) struct StandIn {
    /// Endpoint for the clients' settings.
    pub(super) endpoint: String,
    port: u16,
    shared: Arc<Shared>,
}

/// Load of the clients on a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) handshakes: u64,
    pub(super) calls: u64,
}

#[derive(Default)]
struct Shared {
    handshakes: AtomicU64,
    calls: AtomicU64,
    /// Milliseconds that a handshake and each answer wait: the way to a region and back.
    delay: AtomicU64,
    closed: AtomicBool,
    /// The last message that was sent, as it was sent.
    message: Mutex<Vec<u8>>,
}

impl StandIn {
    pub(super) fn start(tls: &Arc<ServerConfig>) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let (accepting, tls) = (Arc::clone(&shared), Arc::clone(tls));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.closed.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, tls) = (Arc::clone(&accepting), Arc::clone(&tls));
                std::thread::spawn(move || {
                    let served = stream.and_then(|stream| serve(stream, tls, &shared));
                    if let Err(error) = served {
                        eprintln!("a stand-in's connection broke: {error}");
                    }
                });
            }
        });
        Ok(Self {
            endpoint: format!("https://localhost:{port}"),
            port,
            shared,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.shared.delay.store(delay, Ordering::Relaxed);
    }

    /// The request body of the last `SendMessage`.
    pub(super) fn last_message(&self) -> Vec<u8> {
        let message = self.shared.message.lock();
        message.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            handshakes: self.shared.handshakes.load(Ordering::Relaxed),
            calls: self.shared.calls.load(Ordering::Relaxed),
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; if that fails, there is none.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut socket: TcpStream, tls: Arc<ServerConfig>, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut session = ServerConnection::new(tls).map_err(io::Error::other)?;
    shared.wait();
    while session.is_handshaking() {
        if session.complete_io(&mut socket)?.0 == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    shared.handshakes.fetch_add(1, Ordering::Relaxed);
    let mut stream = Stream::new(&mut session, &mut socket);
    let mut buffer = Vec::new();
    while let Some(request) = http1_stand_in::read(&mut stream, &mut buffer)? {
        shared.calls.fetch_add(1, Ordering::Relaxed);
        let answer = answers::to(&request);
        shared.wait();
        http1_stand_in::write(&mut stream, answer.status, answer.headers, &answer.body)?;
        if request.target.as_deref() == Some(answers::SEND_MESSAGE) {
            let mut message = shared
                .message
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *message = request.body;
        }
    }
    Ok(())
}

impl Shared {
    fn wait(&self) {
        let delay = self.delay.load(Ordering::Relaxed);
        if delay > 0 {
            std::thread::sleep(Duration::from_millis(delay));
        }
    }
}
