//! A server on a free port, with a queue that the test can hold.

use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::relay::Parts;
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{
    BoxFuture, EventQueue, OutboundMessage, QueueError, QueueLimits, Receipt, Relay,
};
use labelrelay_http::{ServeOptions, serve};
use labelrelay_startup::{OsEntropy, SystemClock};
use labelrelay_testkit::in_memory::{MemoryQueue, RecordingObserver};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

const SECRET: &str = "current-secret-0123456789";

/// A queue whose sends wait until the test lets them through, or panic.
pub(crate) struct Gate {
    pub(crate) inner: MemoryQueue,
    pub(crate) open: Semaphore,
    pub(crate) entered: AtomicUsize,
    pub(crate) panics: AtomicBool,
}

impl EventQueue for Gate {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            assert!(!self.panics.load(Ordering::Relaxed), "a bug of the test");
            self.entered.fetch_add(1, Ordering::Relaxed);
            let _pass = self.open.acquire().await;
            self.inner.send(message).await
        })
    }

    fn limits(&self) -> QueueLimits {
        self.inner.limits()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        self.inner.check()
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) relay: Arc<Relay>,
    pub(crate) queue: Arc<Gate>,
    pub(crate) seen: Arc<RecordingObserver>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) server: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(settings: &str) -> Self {
        Self::start_with(settings, ServeOptions::default()).await
    }

    pub(crate) async fn start_with(settings: &str, options: ServeOptions) -> Self {
        // No answer is late because a machine is busy.
        let deadline = if settings.contains("deadline_ms") {
            ""
        } else {
            "deadline_ms = 30000\n"
        };
        let toml = format!(
            "{deadline}{settings}\n[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\n\
            [[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\n"
        );
        let lookup = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
        let config = Config::from_toml(&toml, "test.toml", PathBuf::from("."), &lookup).unwrap();
        let queue = Arc::new(Gate {
            inner: MemoryQueue::new(QueueLimits::bytes(1 << 30)),
            open: Semaphore::new(1000),
            entered: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
        });
        let seen = Arc::new(RecordingObserver::default());
        let parts = Parts::new(
            queue.clone(),
            Arc::new(SystemClock::new()),
            Arc::new(OsEntropy),
            seen.clone(),
        );
        let open = |reference: &SecretRef, end| {
            Ok(reference
                .open(end, &lookup, "test.toml", "secret")?
                .unwrap())
        };
        let relay = Arc::new(Relay::new(&config, parts, &open).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(serve(listener, Arc::clone(&relay), shutdown, options));
        Self {
            address,
            relay,
            queue,
            seen,
            stop,
            server,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends raw bytes and returns everything that comes back until the connection ends.
    pub(crate) async fn talk(&self, raw: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(raw).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..12_000 {
            if condition(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never happened: {what}");
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.inner.messages().len()
    }
}

/// One answer of a connection that stays open; `None` when it ended.
pub(crate) async fn answer(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        text.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(text).ok()
}

pub(crate) fn body(number: usize) -> Vec<u8> {
    format!("{{\"id\":\"l{number}\", \"label\":\"{{}}\"}}").into_bytes()
}

pub(crate) fn head(body: &[u8], extra: &str) -> Vec<u8> {
    format!(
        "POST /labelbox HTTP/1.1\r\nHost: relay\r\nX-Hub-Signature: {}\r\nX-Labelbox-Event: LABEL_CREATED\r\nX-Labelbox-Id: d\r\n{extra}\r\n",
        sign_sha1(SECRET.as_bytes(), body)
    )
    .into_bytes()
}

/// A head for Label Studio's source, which shows its secret.
pub(crate) fn head_with_secret(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /label-studio HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn request(body: &[u8], extra: &str) -> Vec<u8> {
    [
        head(body, &format!("Content-Length: {}\r\n{extra}", body.len())),
        body.to_vec(),
    ]
    .concat()
}
