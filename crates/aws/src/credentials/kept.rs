//! Credentials that are kept until they are due: fetched when they are first needed, and again before they end.

use super::failure::{no_credentials, without_tokens};
use crate::quoted_text::chain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use futures_util::lock::Mutex;
use labelrelay_core::BoxFuture;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, SystemTime};

/// New credentials are asked for this long before the old ones end, and up to [`JITTER`] earlier.
const EARLY: Duration = Duration::from_mins(5);

/// Pods that were started together do not all ask at the same moment.
const JITTER: Duration = Duration::from_mins(1);

/// Time for new credentials, while those at hand are good: whoever waits for an answer waits for this too.
const PATIENCE: Duration = Duration::from_secs(1);

/// An answer may take so long. After that, those at hand are used for as long before new ones are asked for again.
const PAUSE: Duration = Duration::from_secs(30);

/// Those at hand are used for so long before an answer that was not there in time is looked for. The same after an error,
/// which comes faster: without it each request would ask, one after the other, STS or a program.
const SHORT_PAUSE: Duration = Duration::from_secs(5);

/// The same trouble is told so often.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

/// Gives credentials out, and keeps them.
pub(crate) struct Kept {
    giver: SharedCredentialsProvider,
    identity: String,
    /// Credentials without an end are asked for again after this time. `None`: never.
    undated: Option<Duration>,
    jitter: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    asked: Option<Asked>,
    paused_until: Option<SystemTime>,
    told: Option<SystemTime>,
}

struct Known {
    credentials: Credentials,
    due: Option<SystemTime>,
}

/// New credentials that were asked for, and did not come in time. A program may take longer each time.
struct Asked {
    since: SystemTime,
    answer: BoxFuture<'static, Result<Credentials, CredentialsError>>,
}

impl Kept {
    /// Keeps what `giver` gives out to `identity`.
    pub(crate) fn new(
        giver: SharedCredentialsProvider,
        identity: String,
        undated: Option<Duration>,
    ) -> Self {
        let random = RandomState::new().build_hasher().finish();
        let most = u64::try_from(JITTER.as_millis()).unwrap_or(u64::MAX);
        Self {
            giver,
            identity,
            undated,
            jitter: Duration::from_millis(random % most),
            state: Mutex::default(),
        }
    }

    /// Whose credentials they are.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Credentials that are good now.
    ///
    /// # Errors
    /// [`CredentialsError`] when there are none, or they have ended, and no new ones can be had.
    pub(crate) async fn get(&self) -> Result<Credentials, CredentialsError> {
        // Whoever comes while they are fetched waits for that, instead of fetching too.
        let mut state = self.state.lock().await;
        let now = SystemTime::now();
        let Some(good) = state.good_at(now) else {
            let fresh = self.giver.provide_credentials().await?;
            return Ok(self.keep(&mut state, fresh, now));
        };
        if !state.is_due_at(now) {
            return Ok(good);
        }
        let is_over = |asked: &Asked| asked.since + PAUSE <= now;
        if state.asked.as_ref().is_some_and(is_over) {
            // It hangs, or nobody came for its answer.
            state.asked = None;
        }
        let is_first = state.asked.is_none();
        let asked = state.asked.get_or_insert_with(|| self.ask(now));
        let answer = tokio::time::timeout(PATIENCE, &mut asked.answer).await;
        let pause = if answer.is_err() && !is_first {
            PAUSE
        } else {
            SHORT_PAUSE
        };
        state.paused_until = Some(now + pause);
        let reason = match answer {
            Ok(Ok(fresh)) => return Ok(self.keep(&mut state, fresh, now)),
            Ok(Err(error)) => {
                state.asked = None;
                match no_credentials(&error) {
                    Some(told) => told.to_string(),
                    None => without_tokens(&chain(&error)),
                }
            }
            Err(_) if is_first => return Ok(good),
            Err(_) => format!("{} does not answer", self.identity),
        };
        if state.told.is_none_or(|at| at + TOLD_AGAIN <= now) {
            state.told = Some(now);
            tracing::warn!(name: "identity_not_renewed", %reason, "new credentials cannot be had; those at hand are used until they end");
        }
        Ok(good)
    }

    fn ask(&self, now: SystemTime) -> Asked {
        let giver = self.giver.clone();
        Asked {
            since: now,
            answer: Box::pin(async move { giver.provide_credentials().await }),
        }
    }

    fn keep(&self, state: &mut State, fresh: Credentials, now: SystemTime) -> Credentials {
        let due = match fresh.expiry() {
            Some(end) => Some(end.checked_sub(EARLY + self.jitter).unwrap_or(now)),
            None => self.undated.map(|after| now + after),
        };
        *state = State {
            known: Some(Known {
                credentials: fresh.clone(),
                due,
            }),
            ..State::default()
        };
        fresh
    }
}

impl State {
    fn good_at(&self, now: SystemTime) -> Option<Credentials> {
        let known = &self.known.as_ref()?.credentials;
        known
            .expiry()
            .is_none_or(|end| end > now)
            .then(|| known.clone())
    }

    fn is_due_at(&self, now: SystemTime) -> bool {
        let due = self.known.as_ref().and_then(|known| known.due);
        due.is_some_and(|due| due <= now) && self.paused_until.is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::{ProvideCredentials, future};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// What a giver does the second time, and from then on.
    #[derive(Debug, Clone, Copy)]
    enum Then {
        Hangs,
        Refuses,
        TakesLonger,
    }

    /// Gives out credentials that are good for so long.
    #[derive(Debug)]
    struct Giver {
        lifetime: Option<Duration>,
        then: Then,
        asked: Arc<AtomicU32>,
    }

    impl ProvideCredentials for Giver {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            let end = self.lifetime.map(|lifetime| SystemTime::now() + lifetime);
            let then = (asked > 0).then_some(self.then);
            future::ProvideCredentials::new(async move {
                match then {
                    None => {}
                    Some(Then::Hangs) => std::future::pending::<()>().await,
                    Some(Then::Refuses) => return Err(CredentialsError::provider_error("refused")),
                    Some(Then::TakesLonger) => {
                        tokio::time::sleep(PATIENCE + PATIENCE / 2).await;
                        return Ok(Credentials::new("SECOND", "secret", None, None, "test"));
                    }
                }
                Ok(Credentials::new("FIRST", "secret", None, end, "test"))
            })
        }
    }

    fn kept(lifetime: Option<Duration>, undated: Option<Duration>) -> (Kept, Arc<AtomicU32>) {
        kept_of(lifetime, undated, Then::Hangs)
    }

    fn kept_of(
        lifetime: Option<Duration>,
        undated: Option<Duration>,
        then: Then,
    ) -> (Kept, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let giver = Giver {
            lifetime,
            then,
            asked: Arc::clone(&asked),
        };
        let giver = SharedCredentialsProvider::new(giver);
        (Kept::new(giver, "a test".to_owned(), undated), asked)
    }

    /// Red if a request waits for a giver that hangs, again and again, while what is at hand is good.
    #[tokio::test]
    async fn a_giver_that_hangs_is_waited_for_once() {
        let (kept, asked) = kept(Some(Duration::from_mins(2)), None);
        let begun = std::time::Instant::now();
        for _ in 0..5 {
            let credentials = kept.get().await.expect("good ones");
            assert_eq!(credentials.access_key_id(), "FIRST");
        }
        // A machine that stands still for longer than the pause asks once more.
        assert!(asked.load(Ordering::Relaxed) == 2 || begun.elapsed() > PAUSE);
        assert!(kept.state.lock().await.paused_until.is_some());
    }

    /// Red if each request asks again while what is at hand is good.
    #[tokio::test]
    async fn a_giver_that_refuses_is_asked_again_after_a_pause() {
        let (kept, asked) = kept_of(Some(Duration::from_mins(2)), None, Then::Refuses);
        let begun = std::time::Instant::now();
        for _ in 0..5 {
            let credentials = kept.get().await.expect("good ones");
            assert_eq!(credentials.access_key_id(), "FIRST");
        }
        // A machine that stands still for longer than the pause asks once more.
        assert!(asked.load(Ordering::Relaxed) == 2 || begun.elapsed() > SHORT_PAUSE);
    }

    /// Red if a program that takes longer than a request waits for it is never waited for to its end.
    #[tokio::test]
    async fn an_answer_that_is_late_is_taken_when_it_has_come() {
        let lifetime = Some(Duration::from_mins(2));
        let (kept, asked) = kept_of(lifetime, None, Then::TakesLonger);
        let begun = std::time::Instant::now();
        let mut used = Vec::new();
        while used.len() < 60 && !used.contains(&"SECOND".to_owned()) {
            let credentials = kept.get().await.expect("good ones");
            used.push(credentials.access_key_id().to_owned());
            // As if the pause were over.
            kept.state.lock().await.paused_until = None;
        }
        assert_eq!(used.last().unwrap(), "SECOND", "{used:?}");
        assert!(asked.load(Ordering::Relaxed) == 2 || begun.elapsed() > PAUSE);
    }

    #[tokio::test]
    async fn what_is_good_for_long_is_not_asked_for_again() {
        for lifetime in [Some(Duration::from_hours(1)), None] {
            let (kept, asked) = kept(lifetime, Some(Duration::from_hours(1)));
            for _ in 0..3 {
                kept.get().await.expect("good ones");
            }
            assert_eq!(asked.load(Ordering::Relaxed), 1, "{lifetime:?}");
        }
    }

    #[tokio::test]
    async fn keys_without_an_end_are_read_again_where_files_hold_them() {
        let (kept, asked) = kept(None, Some(Duration::ZERO));
        kept.get().await.expect("fetched");
        kept.get().await.expect("those at hand");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn new_ones_are_due_five_to_six_minutes_before_the_end() {
        let (kept, _) = kept(None, None);
        let now = SystemTime::now();
        let end = now + Duration::from_hours(1);
        let mut state = State::default();
        let fresh = Credentials::new("a", "b", None, Some(end), "test");
        kept.keep(&mut state, fresh, now);
        assert!(!state.is_due_at(end - EARLY - JITTER - Duration::from_secs(1)));
        assert!(state.is_due_at(end - EARLY));
    }
}
