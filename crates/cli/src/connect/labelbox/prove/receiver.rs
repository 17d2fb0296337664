//! Takes the deliveries of a proof in the place of `serve`, because `serve` answers no 503 on demand. It keeps nothing of a
//! body.

use super::delivery::{Answered, Delivery, signatures};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use labelrelay_core::Secret;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// As much as `serve` takes by default.
const LARGEST: usize = 100 * 1024 * 1024;

/// Bodies that are in memory at once: the address is public, and anybody may send.
const AT_ONCE: usize = 4;

/// A delivery that gets no answer is held so long, at most.
const HOLD: Duration = Duration::from_secs(120);

/// Deliveries that are told of, at most.
const MOST: usize = 1000;

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    secret: Secret,
    begun: Instant,
    bodies: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    deliveries: Vec<Delivery>,
    /// Requests that our secret did not sign.
    strangers: u64,
    /// Answers other than 200 are over: the second part has begun.
    is_friendly: bool,
}

impl Receiver {
    pub(super) async fn start(at: SocketAddr, secret: Secret) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            secret,
            begun: Instant::now(),
            bodies: Semaphore::new(AT_ONCE),
            state: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// From now on each delivery gets a 200.
    pub(super) fn be_friendly(&self) {
        self.shared.state().is_friendly = true;
    }

    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.clone()
    }

    pub(super) fn strangers(&self) -> u64 {
        self.shared.state().strangers
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, perhaps.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Whoever hangs up is told of by what was waited for.
            let _ended = connection.await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // Held until the body is gone.
    let Ok(turn) = shared.bodies.acquire().await else {
        return Ok(said(StatusCode::SERVICE_UNAVAILABLE));
    };
    let collected = tokio::time::timeout(HOLD, Limited::new(body, LARGEST).collect()).await;
    let Ok(Ok(body)) = collected else {
        return Ok(said(StatusCode::BAD_REQUEST));
    };
    let body = body.to_bytes();
    let fits = signatures(&head.headers, &body, shared.secret.expose());
    if fits.0 != Some(true) && fits.1 != Some(true) {
        shared.state().strangers += 1;
        // It may be a delivery of another webhook, which is to come again when `serve` is back.
        return Ok(said(StatusCode::SERVICE_UNAVAILABLE));
    }
    // The question for models makes no event.
    if head.method == Method::GET {
        return Ok(said(StatusCode::OK));
    }
    let (number, answered) = {
        let mut state = shared.state();
        let mut delivery = Delivery::new(&head, &body, fits, shared.since(), &state.deliveries);
        // The first one is refused, and the next other one is not answered; what comes again is taken.
        let is_new = delivery.same_body_as.is_none();
        let others = state.deliveries.iter();
        let distinct = others.filter(|other| other.same_body_as.is_none()).count();
        delivery.answered = match (state.is_friendly || !is_new, distinct) {
            (false, 0) => Answered::Unavailable,
            (false, 1) => Answered::Nothing,
            _ => Answered::Ok,
        };
        let answered = delivery.answered;
        if state.deliveries.len() < MOST {
            state.deliveries.push(delivery);
        }
        (state.deliveries.len() - 1, answered)
    };
    drop((body, turn));
    Ok(said(match answered {
        Answered::Ok => StatusCode::OK,
        Answered::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Answered::Nothing => {
            let _waits = Waits {
                shared: &shared,
                number,
                since: Instant::now(),
            };
            tokio::time::sleep(HOLD).await;
            StatusCode::SERVICE_UNAVAILABLE
        }
    }))
}

/// Notes how long Labelbox waited, when it hangs up.
struct Waits<'a> {
    shared: &'a Shared,
    number: usize,
    since: Instant,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let waited = u64::try_from(self.since.elapsed().as_millis()).ok();
        if let Some(delivery) = self.shared.state().deliveries.get_mut(self.number) {
            delivery.waited_ms = waited;
        }
    }
}

fn said(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = status;
    response
}
