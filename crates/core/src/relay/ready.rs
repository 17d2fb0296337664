//! The relay's own path, `/-/ready`.

use super::Relay;
use super::check::CheckError;
use crate::clock::within;
use crate::outcome::{Answer, Outcome};
use crate::request::RequestHead;
use futures_util::lock::Mutex;
use http::Method;
use std::sync::{self, PoisonError};
use std::time::Duration;

/// What lies below `/-/` and says whether the relay can take events. It ends in no `z`: Cloud Run keeps
/// such paths to itself.
const READY: &str = "ready";

/// One check serves everybody who asks within this time: the path is public, and a check costs a write
/// or a call.
const CACHED: Duration = Duration::from_secs(1);

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was found last, and who looks now.
#[derive(Default)]
pub(super) struct Ready {
    newest: sync::Mutex<Option<(Duration, bool)>>,
    /// Locked while a check runs, so that there is one at a time.
    looking: Mutex<()>,
}

impl Ready {
    /// The newest answer, if it is no older than `age`.
    fn within(&self, now: Duration, age: Duration) -> Option<bool> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, ready) = newest.filter(|(at, _)| now.saturating_sub(*at) < age)?;
        Some(ready)
    }

    fn found(&self, now: Duration, ready: bool) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some((now, ready));
    }
}

impl Relay {
    /// Answers a request to a path below `/-/`, which no source can own.
    pub(super) async fn own_path(&self, head: &RequestHead, below: &str) -> Answer {
        if below != READY {
            return Answer::refusal(Outcome::NotFound, "nothing here has this path");
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return Answer::refusal(Outcome::WrongMethod, "GET only").allowing("GET, HEAD");
        }
        if self.is_ready().await {
            return Answer::reply(&br#"{"ready":true}"#[..]);
        }
        Answer::refusal(
            Outcome::Unavailable,
            "not ready; the reason is in the log and on the metrics address",
        )
    }

    /// Whether a delivery would be durable now: on the queue, or in the fallback.
    async fn could_take_one(&self) -> bool {
        match (self.check().await, &self.parts.fallback) {
            (Ok(()) | Err(CheckError::Fallback(_) | CheckError::Spool(_)), _) => true,
            (Err(CheckError::Queue(_) | CheckError::Blob(_)), Some(fallback)) => {
                fallback.check().await.is_ok()
            }
            (Err(_), _) => false,
        }
    }

    async fn is_ready(&self) -> bool {
        let clock = &*self.parts.clock;
        if let Some(ready) = self.ready.within(clock.monotonic(), CACHED) {
            return ready;
        }
        let looking = if let Some(looking) = self.ready.looking.try_lock() {
            looking
        } else {
            // Somebody looks already. A crowd must not stand in line for that: what was found last serves
            // until then.
            if let Some(ready) = self.ready.within(clock.monotonic(), CACHED + PATIENCE) {
                return ready;
            }
            self.ready.looking.lock().await
        };
        if let Some(ready) = self.ready.within(clock.monotonic(), CACHED) {
            return ready;
        }
        let ready = within(clock, PATIENCE, self.could_take_one()).await == Ok(true);
        self.ready.found(clock.monotonic(), ready);
        drop(looking);
        ready
    }
}
