//! Tokens of an identity. What the SDK's own clients do for the other services: a token that is still good is used as
//! long as no newer one can be got.

use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::error::Result;
use labelrelay_core::Clock;
use labelrelay_core::clock::within;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SCOPE: &str = "https://servicebus.azure.net/.default";

/// A token counts as ended so long before its end: clocks differ, and a request is on its way for a while.
const MARGIN_S: i64 = 30;

/// Time for a newer token, while the one at hand is good.
const PATIENCE: Duration = Duration::from_secs(1);

/// After a failure, the one at hand is used for so long before a newer one is asked for again.
const PAUSE: Duration = Duration::from_secs(30);

/// An identity, and the last token that it got.
pub(super) struct Identity {
    credential: Arc<dyn TokenCredential>,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<AccessToken>,
    /// When a newer one could not be got, on the monotonic clock.
    failed: Option<Duration>,
}

impl Identity {
    pub(super) fn new(credential: Arc<dyn TokenCredential>, clock: Arc<dyn Clock>) -> Self {
        Self {
            credential,
            clock,
            held: Mutex::default(),
        }
    }

    /// A token. The credential keeps one, and asks for a newer one from five minutes before its end: whoever gives
    /// tokens out may be away for that long.
    pub(super) async fn token(&self) -> Result<AccessToken> {
        let asked = self.credential.get_token(&[SCOPE], None);
        let Some(good) = self.good() else {
            let token = asked.await?;
            self.keep(&token);
            return Ok(token);
        };
        if self.has_failed_lately() {
            return Ok(good);
        }
        if let Ok(Ok(token)) = within(&*self.clock, PATIENCE, asked).await {
            self.keep(&token);
            return Ok(token);
        }
        self.held().failed = Some(self.clock.monotonic());
        Ok(good)
    }

    /// The token at hand, unless it has ended.
    fn good(&self) -> Option<AccessToken> {
        let now = self.clock.now().as_second();
        let held = self.held();
        let token = held.token.as_ref()?;
        (token.expires_on.unix_timestamp() > now + MARGIN_S).then(|| token.clone())
    }

    fn has_failed_lately(&self) -> bool {
        let now = self.clock.monotonic();
        let failed = self.held().failed;
        failed.is_some_and(|at| now.saturating_sub(at) < PAUSE)
    }

    fn keep(&self, token: &AccessToken) {
        *self.held() = Held {
            token: Some(token.clone()),
            failed: None,
        };
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use azure_core::credentials::TokenRequestOptions;
    use azure_core::error::{Error, ErrorKind};
    use azure_core::time::OffsetDateTime;
    use futures_util::future::join;
    use labelrelay_testkit::clock::FakeClock;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum State {
        Works,
        Fails,
        Hangs,
    }

    /// Gives out tokens that are good for four minutes from the beginning.
    #[derive(Debug)]
    struct Giver {
        state: Mutex<State>,
        asked: Mutex<u32>,
        ends: i64,
    }

    #[async_trait]
    impl TokenCredential for Giver {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> Result<AccessToken> {
            *self.asked.lock().unwrap() += 1;
            let state = *self.state.lock().unwrap();
            match state {
                State::Works => {
                    let ends = OffsetDateTime::from_unix_timestamp(self.ends).unwrap();
                    Ok(AccessToken::new("a-token".to_owned(), ends))
                }
                State::Fails => Err(Error::with_message(ErrorKind::Credential, "away")),
                State::Hangs => std::future::pending().await,
            }
        }
    }

    fn bench() -> (Arc<Giver>, FakeClock, Identity) {
        let clock = FakeClock::at("2026-11-24T00:00:00Z");
        let giver = Arc::new(Giver {
            state: Mutex::new(State::Works),
            asked: Mutex::default(),
            ends: clock.now().as_second() + 240,
        });
        let identity = Identity::new(giver.clone(), Arc::new(clock.clone()));
        (giver, clock, identity)
    }

    /// Red if a message is refused, or if the giver is asked for each of them, while the token at hand is good.
    #[tokio::test]
    async fn a_good_token_outlives_whoever_gave_it_out() {
        let (giver, clock, identity) = bench();
        identity.token().await.unwrap();
        *giver.state.lock().unwrap() = State::Fails;
        for _ in 0..5 {
            let token = identity.token().await.unwrap();
            assert_eq!(token.token.secret(), "a-token");
        }
        assert_eq!(*giver.asked.lock().unwrap(), 2);
        clock.advance(PAUSE);
        identity.token().await.unwrap();
        assert_eq!(*giver.asked.lock().unwrap(), 3, "it is asked again");
        clock.advance(Duration::from_secs(200));
        identity.token().await.expect_err("it has ended");
        *giver.state.lock().unwrap() = State::Works;
        identity.token().await.unwrap();
    }

    #[tokio::test]
    async fn a_giver_that_hangs_keeps_nobody_waiting() {
        let (giver, clock, identity) = bench();
        identity.token().await.unwrap();
        *giver.state.lock().unwrap() = State::Hangs;
        let (token, ()) = join(identity.token(), async { clock.advance(PATIENCE) }).await;
        token.unwrap();
        identity.token().await.unwrap();
        assert_eq!(*giver.asked.lock().unwrap(), 2);
    }
}
