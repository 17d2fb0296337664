//! What a queue that takes every event says of itself, and who waits for it.

use crate::test_bench::{BOTH_PLATFORMS, PREVIOUS, SECRET};
use futures_executor::block_on;
use futures_util::FutureExt as _;
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::relay::{Parts, Resource};
use labelrelay_core::{
    BoxFuture, EventQueue, NoObserver, OutboundMessage, QueueError, QueueLimits, Receipt, Relay,
    Secret, SecretError, SecretSource,
};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A queue that says this of itself, or hangs.
struct Doubted(Option<&'static str>);

impl EventQueue for Doubted {
    fn send<'a>(&'a self, _: &'a OutboundMessage) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(ready(Ok(Receipt::new(None))))
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(1 << 30)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(ready(Ok(())))
    }

    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        match self.0 {
            Some(said) => Box::pin(ready(Some(said.to_owned()))),
            None => Box::pin(pending()),
        }
    }
}

/// A store of secrets that never answers.
struct HangingStore;

impl SecretSource for HangingStore {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(pending())
    }
}

fn relay(queue: Doubted, clock: &FakeClock) -> Relay {
    relay_with(queue, clock, |secret| secret)
}

/// The same, with another source of each secret.
fn relay_with(
    queue: Doubted,
    clock: &FakeClock,
    from: impl Fn(Box<dyn SecretSource>) -> Box<dyn SecretSource>,
) -> Relay {
    let lookup = |name: &str| match name {
        "SECRET" => Some(SECRET.to_owned()),
        "PREVIOUS" => Some(PREVIOUS.to_owned()),
        _ => None,
    };
    let config = Config::from_toml(BOTH_PLATFORMS, "test.toml", PathBuf::from("."), &lookup);
    let parts = Parts::new(
        Arc::new(queue),
        Arc::new(clock.clone()),
        Arc::new(CountingEntropy::default()),
        Arc::new(NoObserver),
    );
    let open = |reference: &SecretRef, end| {
        let secret = reference.open(end, &lookup, "test.toml", "secret")?;
        Ok(from(secret.expect("no store is named")))
    };
    Relay::new(&config.unwrap(), parts, &open).unwrap()
}

#[test]
fn a_doubt_is_waited_for_by_who_asks_for_it_alone_and_not_for_long() {
    let clock = FakeClock::at("2026-01-15T12:00:00Z");
    let doubted = relay(Doubted(Some("nobody gets any")), &clock);
    assert_eq!(
        block_on(doubted.doubt()).as_deref(),
        Some("nobody gets any")
    );

    let hanging = relay(Doubted(None), &clock);
    // Warnings do not wait for it, and a clock that stands still would wake nobody.
    let warnings = hanging.warnings().now_or_never();
    assert!(warnings.is_some());
    let mut asked = Box::pin(hanging.doubt());
    assert_eq!(asked.as_mut().now_or_never(), None);
    clock.advance(Duration::from_secs(2));
    assert_eq!(block_on(asked), None);
}

#[test]
fn a_doubt_has_two_seconds_after_the_checks_that_it_is_asked_for_beside() {
    let clock = FakeClock::at("2026-01-15T12:00:00Z");
    let hanging = relay(Doubted(None), &clock);
    let is_done = Cell::new(false);
    let checks = poll_fn(|_| {
        if is_done.get() {
            Poll::Ready(Ok::<_, ()>(7))
        } else {
            Poll::Pending
        }
    });
    let mut asked = Box::pin(hanging.doubt_beside(checks));
    assert_eq!(asked.as_mut().now_or_never(), None);
    clock.advance(Duration::from_secs(9));
    is_done.set(true);
    assert_eq!(asked.as_mut().now_or_never(), None, "it may still come");
    clock.advance(Duration::from_secs(2));
    assert_eq!(block_on(asked), Ok((7, None)));

    // Where the checks end the start, it is not waited for.
    let failed = hanging.doubt_beside(ready(Err::<(), _>("refused")));
    assert_eq!(failed.now_or_never(), Some(Err("refused")));

    let doubted = relay(Doubted(Some("nobody gets any")), &clock);
    let both = block_on(doubted.doubt_beside(ready(Ok::<_, ()>(7))));
    assert_eq!(both, Ok((7, Some("nobody gets any".to_owned()))));
}

#[test]
fn warnings_do_not_wait_for_secrets_that_the_check_gave_up() {
    let clock = FakeClock::at("2026-01-15T12:00:00Z");
    let relay = relay_with(Doubted(None), &clock, |_| Box::new(HangingStore));
    for check in relay.checks() {
        if check.resource == Resource::Secrets {
            assert!(check.run.now_or_never().is_none(), "it hangs");
        }
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(relay.warnings().now_or_never(), Some(Vec::new()));
}
