//! One check of readiness for everybody who asks.

use crate::clock::{Clock, within};
use crate::observe::Observer;
use futures_util::lock::Mutex;
use std::sync::{self, PoisonError};
use std::time::Duration;

/// One check serves everybody who asks within this time: the path is public, and a check costs a write
/// or a call.
const CACHED: Duration = Duration::from_secs(1);

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The newest answer, and who is checking now.
#[derive(Default)]
pub(super) struct Readiness {
    newest: sync::Mutex<Option<(Duration, bool)>>,
    /// Locked while a check runs, so that there is one at a time.
    checking: Mutex<()>,
}

impl Readiness {
    /// The newest answer, or that of `check` where that is too old. `check` fails with its reason, and `observer` is
    /// told when the answer changes.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        observer: &dyn Observer,
        check: impl Future<Output = Result<(), String>>,
    ) -> bool {
        if let Some(ready) = self.within(clock.monotonic(), CACHED) {
            return ready;
        }
        let checking = if let Some(checking) = self.checking.try_lock() {
            checking
        } else {
            // Somebody checks already. A crowd must not stand in line for that: the last answer serves until
            // then.
            if let Some(ready) = self.within(clock.monotonic(), CACHED + PATIENCE) {
                return ready;
            }
            self.checking.lock().await
        };
        if let Some(ready) = self.within(clock.monotonic(), CACHED) {
            return ready;
        }
        let checked = within(clock, PATIENCE, check).await;
        let late = || format!("no answer within {} s", PATIENCE.as_secs());
        let failure = checked.unwrap_or_else(|_| Err(late())).err();
        let was_ready = self.keep(clock.monotonic(), failure.is_none());
        if was_ready != failure.is_none() {
            observer.not_ready(failure.as_deref());
        }
        drop(checking);
        failure.is_none()
    }

    /// The newest answer, if it is no older than `age`.
    fn within(&self, now: Duration, age: Duration) -> Option<bool> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, ready) = newest.filter(|(at, _)| now.saturating_sub(*at) < age)?;
        Some(ready)
    }

    /// Keeps the newest answer and returns the one before. Before the first, it counts as ready.
    fn keep(&self, now: Duration, ready: bool) -> bool {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.replace((now, ready)).is_none_or(|(_, ready)| ready)
    }
}
