//! All live secrets of one source, and when they are read again.

use super::error::SecretError;
use super::source::SecretSource;
use super::value::Secret;
use crate::clock::Clock;
use futures_util::lock::Mutex as Gate;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// No secret is used for longer than this without asking its source again, so that a secret that was
/// taken back stops working within this time.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Misses ask the sources again at most this often, so that a flood of forgeries does not become a
/// flood of look-ups, which cost money and are throttled.
const MISS_FLOOR: Duration = Duration::from_secs(60);

/// After a failed look-up the next one follows at the earliest after this time: a store that is down
/// is not helped by every request asking it again.
const FAILURE_FLOOR: Duration = Duration::from_secs(1);

/// All live secrets of one source of deliveries.
///
/// A store that is asked for each secret is first asked for the newest one alone: outside of a rotation nobody uses
/// another, and a start waits for the answer. What no known secret made may have been made with an older one, so it
/// is refused only when all are known.
pub struct SecretRing {
    sources: Vec<Box<dyn SecretSource>>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held while the sources are read: whoever comes meanwhile waits for that one read.
    reading: Gate<()>,
}

#[derive(Default)]
struct State {
    secrets: Arc<[Secret]>,
    /// These are all of them, and not only the newest.
    is_whole: bool,
    /// When the read that brought these secrets began.
    read_at: Option<Duration>,
    /// When a miss last caused a read.
    missed_at: Option<Duration>,
    /// The newest read did not succeed: when it began, and why. Also set while a read is under way,
    /// so that one that is given up on counts as failed.
    failed: Option<(Duration, SecretError)>,
    /// Somebody was told of `failed`.
    is_told: bool,
}

/// What a read asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Newest,
    All,
}

impl SecretRing {
    /// Every relay has read its secrets again after this time.
    pub const MAX_AGE: Duration = MAX_AGE;

    /// A relay that refuses reads them again at most this often.
    pub const MISS_FLOOR: Duration = MISS_FLOOR;

    /// Secrets of `sources`, in this order. Nothing is read before the first use.
    pub fn new(sources: Vec<Box<dyn SecretSource>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            sources,
            clock,
            state: Mutex::default(),
            reading: Gate::new(()),
        }
    }

    /// The secrets that may be used now.
    ///
    /// # Errors
    /// When none is fresh enough and the sources cannot be read.
    pub async fn live(&self) -> Result<Arc<[Secret]>, SecretError> {
        let now = self.clock.monotonic();
        let fresh = |state: &State| {
            state
                .read_at
                .is_some_and(|at| self.all_fixed() || now.saturating_sub(at) < MAX_AGE)
        };
        let known = Some(self.lock())
            .filter(|state| fresh(state))
            .map(|s| Arc::clone(&s.secrets));
        let changed = || self.sources.iter().any(|source| source.changed());
        match known {
            Some(known) if !changed() => Ok(self.in_force(&known)),
            // A file that is being replaced must not refuse what the secrets at hand would accept.
            Some(known) => {
                Ok(self.in_force(&self.read(now, Extent::Newest).await.unwrap_or(known)))
            }
            None => {
                let asked = now.saturating_sub(MAX_AGE);
                Ok(self.in_force(&self.read(asked, Extent::Newest).await?))
            }
        }
    }

    /// The secrets to try after `tried` did not match: what is known by now, or what another look-up
    /// brings, which misses cause at most once a minute, and besides when only the newest are known. `None` when there
    /// is nothing else to try; after other ones did not match either, ask again.
    ///
    /// # Errors
    /// When the sources could not be read: then a miss proves nothing.
    pub async fn after_miss(&self, tried: &[Secret]) -> Result<Option<Arc<[Secret]>>, SecretError> {
        if self.all_fixed() {
            return Ok(None);
        }
        let now = self.clock.monotonic();
        let look = {
            let mut state = self.lock();
            let recently =
                |at: Option<Duration>| at.is_some_and(|at| now.saturating_sub(at) < MISS_FLOOR);
            let look = self.all_were_tried(&state, tried) && !recently(state.missed_at);
            if look {
                state.missed_at = Some(now);
            }
            look
        };
        if look {
            self.read(now, Extent::All).await?;
        } else {
            // A read that is under way may bring what is missing.
            drop(self.reading.lock().await);
        }
        if self.lacks_others(tried) {
            // However recently another miss caused a read: without the others this one proves nothing.
            self.read(Duration::ZERO, Extent::All).await?;
        }
        let state = self.lock();
        if !self.all_were_tried(&state, tried) {
            let secrets = Arc::clone(&state.secrets);
            drop(state);
            return Ok(Some(self.in_force(&secrets)));
        }
        match &state.failed {
            Some((_, error)) => Err(error.clone()),
            None if state.is_whole => Ok(None),
            None => Err(SecretError::transient(
                "the secrets were read again meanwhile, and the older ones were not",
            )),
        }
    }

    /// Doubts about the places where they are kept.
    pub fn doubts(&self) -> Vec<String> {
        let of_each = self.sources.iter().map(|source| source.doubts());
        of_each.flatten().collect()
    }

    /// The newest look-up's error, once.
    pub fn untold_failure(&self) -> Option<SecretError> {
        let mut state = self.lock();
        let told = std::mem::replace(&mut state.is_told, true);
        state
            .failed
            .as_ref()
            .filter(|_| !told)
            .map(|(_, error)| error.clone())
    }

    /// Why the newest look-up failed, if it did; what is at hand may still be used for a while.
    pub fn failure(&self) -> Option<SecretError> {
        self.lock().failed.as_ref().map(|(_, error)| error.clone())
    }

    /// Reads the sources, unless somebody began to after `asked`, asked for as much, and succeeded.
    async fn read(&self, asked: Duration, extent: Extent) -> Result<Arc<[Secret]>, SecretError> {
        let _reading = self.reading.lock().await;
        let now = self.clock.monotonic();
        {
            let mut state = self.lock();
            let suffices = extent == Extent::Newest || state.is_whole;
            if suffices && state.read_at.is_some_and(|at| at > asked) {
                return Ok(Arc::clone(&state.secrets));
            }
            if let Some((at, error)) = &state.failed
                && now.saturating_sub(*at) < FAILURE_FLOOR
            {
                return Err(error.clone());
            }
            let unfinished = SecretError::transient("the look-up of the secrets did not finish");
            state.failed = Some((now, unfinished));
            state.is_told = false;
        }
        let result = self.fetch(extent).await;
        let mut state = self.lock();
        match result {
            Ok((secrets, is_whole)) => {
                state.secrets = Arc::clone(&secrets);
                state.is_whole = is_whole;
                state.read_at = Some(now);
                state.failed = None;
                Ok(secrets)
            }
            Err(error) => {
                state.failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    /// The secrets of all sources, and whether these are all that they have.
    async fn fetch(&self, extent: Extent) -> Result<(Arc<[Secret]>, bool), SecretError> {
        let (mut secrets, mut is_whole) = (Vec::new(), true);
        for source in &self.sources {
            let newest = match extent {
                Extent::Newest => source.fetch_newest(),
                Extent::All => None,
            };
            match newest {
                Some(newest) => {
                    secrets.extend(newest.await?);
                    is_whole = false;
                }
                None => secrets.extend(source.fetch().await?),
            }
        }
        if secrets.is_empty() {
            return Err(SecretError::permanent("no secret is configured"));
        }
        Ok((secrets.into(), is_whole))
    }

    /// Tells whether only the newest secrets are known, and all of them were tried.
    fn lacks_others(&self, tried: &[Secret]) -> bool {
        let state = self.lock();
        !state.is_whole && state.read_at.is_some() && self.all_were_tried(&state, tried)
    }

    /// Leaves out what has ended. Usually nothing has, and nothing is copied.
    fn in_force(&self, secrets: &Arc<[Secret]>) -> Arc<[Secret]> {
        let now = self.clock.now();
        if secrets.iter().all(|secret| secret.is_live(now)) {
            return Arc::clone(secrets);
        }
        secrets
            .iter()
            .filter(|secret| secret.is_live(now))
            .cloned()
            .collect()
    }

    /// Tells whether all secrets that may be used now were tried.
    fn all_were_tried(&self, state: &State, tried: &[Secret]) -> bool {
        self.in_force(&state.secrets)
            .iter()
            .all(|secret| tried.iter().any(|other| other.expose() == secret.expose()))
    }

    fn all_fixed(&self) -> bool {
        self.sources.iter().all(|source| source.is_fixed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is never left half written, so a panic elsewhere cannot have spoilt it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
