//! Secrets that change, end, and cannot be read.

use crate::test_bench::SECRET;
use futures_executor::block_on;
use labelrelay_core::secret::SecretRing;
use labelrelay_core::{BoxFuture, Clock, Secret, SecretError, SecretSource};
use labelrelay_testkit::clock::FakeClock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Store {
    answer: Arc<Mutex<Result<Vec<&'static str>, SecretError>>>,
    asked: Arc<AtomicUsize>,
}

impl Store {
    fn new(secrets: &[&'static str]) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Ok(secrets.to_vec()))),
            asked: Arc::default(),
        }
    }
    pub(crate) fn set(&self, answer: Result<Vec<&'static str>, SecretError>) {
        *self.answer.lock().unwrap() = answer;
    }
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl SecretSource for Store {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(std::future::ready(answer.map(|list| {
            list.into_iter()
                .map(|s| Secret::new("store", s).unwrap())
                .collect()
        })))
    }
}

/// A store that is asked for each secret by itself.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) all: Store,
    newest: Arc<AtomicUsize>,
}

impl Staged {
    pub(crate) fn new(secrets: &[&'static str]) -> Self {
        Self {
            all: Store::new(secrets),
            newest: Arc::default(),
        }
    }

    /// How often it was asked for the newest alone, and for all.
    pub(crate) fn asked(&self) -> (usize, usize) {
        (self.newest.load(Ordering::Relaxed), self.all.asked())
    }
}

impl SecretSource for Staged {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        self.all.fetch()
    }

    fn fetch_newest(&self) -> Option<BoxFuture<'_, Result<Vec<Secret>, SecretError>>> {
        self.newest.fetch_add(1, Ordering::Relaxed);
        let answer = self.all.answer.lock().unwrap().clone();
        let newest: Result<Vec<_>, _> = answer.map(|list| {
            list.into_iter()
                .take(1)
                .map(|s| Secret::new("store", s).unwrap())
                .collect()
        });
        Some(Box::pin(std::future::ready(newest)))
    }
}

fn ring(store: &Store, clock: &FakeClock) -> SecretRing {
    SecretRing::new(vec![Box::new(store.clone())], Arc::new(clock.clone()))
}

fn names(secrets: &[Secret]) -> Vec<String> {
    secrets
        .iter()
        .map(|s| String::from_utf8(s.expose().to_vec()).unwrap())
        .collect()
}

fn miss(ring: &SecretRing, tried: &[Secret]) -> Result<Option<Vec<String>>, SecretError> {
    block_on(ring.after_miss(tried)).map(|fresh| fresh.map(|fresh| names(&fresh)))
}

#[test]
fn a_miss_asks_again_but_at_most_once_a_minute() {
    let (store, clock) = (Store::new(&["one"]), FakeClock::at("2026-01-01T00:00:00Z"));
    let ring = ring(&store, &clock);
    let old = block_on(ring.live()).unwrap();
    store.set(Ok(vec!["two", "one"]));
    let both = Some(vec!["two".to_owned(), "one".to_owned()]);
    assert_eq!(miss(&ring, &old).unwrap(), both);
    assert_eq!(
        miss(&ring, &old).unwrap(),
        both,
        "what another delivery's miss has brought"
    );
    let tried = block_on(ring.live()).unwrap();
    store.set(Ok(vec!["three"]));
    for _ in 0..100 {
        assert_eq!(miss(&ring, &tried).unwrap(), None);
    }
    assert_eq!(store.asked(), 2);
    clock.advance(Duration::from_secs(60));
    assert_eq!(miss(&ring, &tried).unwrap(), Some(vec!["three".to_owned()]));
}

/// Red if a start asks for more than it needs, or if what the older secret made is refused without asking for it.
#[test]
fn an_older_secret_is_asked_for_when_a_credential_needs_it() {
    let (store, clock) = (
        Staged::new(&["new", "old"]),
        FakeClock::at("2026-01-01T00:00:00Z"),
    );
    let ring = SecretRing::new(vec![Box::new(store.clone())], Arc::new(clock.clone()));
    let newest = block_on(ring.live()).unwrap();
    assert_eq!(names(&newest), ["new"]);
    assert_eq!(store.asked(), (1, 0), "one question");
    let both = Some(vec!["new".to_owned(), "old".to_owned()]);
    assert_eq!(miss(&ring, &newest).unwrap(), both);
    let known = block_on(ring.live()).unwrap();
    assert_eq!(names(&known), ["new", "old"]);
    for _ in 0..100 {
        assert_eq!(miss(&ring, &known).unwrap(), None, "a forgery");
    }
    assert_eq!(store.asked(), (1, 1));
    clock.advance(Duration::from_secs(300));
    assert_eq!(names(&block_on(ring.live()).unwrap()), ["new"]);
    assert_eq!(store.asked(), (2, 1), "the newest alone, again");
    for _ in 0..3 {
        assert_eq!(miss(&ring, &newest).unwrap(), both);
    }
    assert_eq!(store.asked(), (2, 2), "one question for all of them");
}

/// A miss within the minute after another one's read finds all secrets, or that they cannot be read.
#[test]
fn a_miss_is_no_refusal_while_only_the_newest_secret_is_known() {
    let (store, clock) = (
        Staged::new(&["new", "old"]),
        FakeClock::at("2026-01-01T00:00:00Z"),
    );
    let ring = SecretRing::new(vec![Box::new(store.clone())], Arc::new(clock.clone()));
    let newest = block_on(ring.live()).unwrap();
    store.all.set(Err(SecretError::transient("down")));
    for _ in 0..10 {
        assert!(miss(&ring, &newest).is_err(), "never a plain mismatch");
    }
    assert_eq!(store.asked(), (1, 1), "it is left alone for a second");
    store.all.set(Ok(vec!["new", "old"]));
    clock.advance(Duration::from_secs(1));
    let both = Some(vec!["new".to_owned(), "old".to_owned()]);
    assert_eq!(
        miss(&ring, &newest).unwrap(),
        both,
        "although the minute is not over"
    );
    assert_eq!(store.asked(), (1, 2));
}

#[test]
fn a_miss_while_the_store_is_down_proves_nothing() {
    let (store, clock) = (Store::new(&["one"]), FakeClock::at("2026-01-01T00:00:00Z"));
    let ring = ring(&store, &clock);
    let tried = block_on(ring.live()).unwrap();
    store.set(Err(SecretError::transient("down")));
    for _ in 0..10 {
        assert!(miss(&ring, &tried).is_err(), "never a plain mismatch");
    }
    assert_eq!(store.asked(), 2);
    assert_eq!(
        names(&block_on(ring.live()).unwrap()),
        ["one"],
        "what is fresh enough still works"
    );
}

#[test]
fn none_is_used_for_more_than_five_minutes_without_asking() {
    let (store, clock) = (Store::new(&["one"]), FakeClock::at("2026-01-01T00:00:00Z"));
    let ring = ring(&store, &clock);
    block_on(ring.live()).unwrap();
    store.set(Ok(vec!["two"]));
    clock.advance(Duration::from_secs(299));
    assert_eq!(names(&block_on(ring.live()).unwrap()), ["one"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(names(&block_on(ring.live()).unwrap()), ["two"]);
    store.set(Err(SecretError::transient("down")));
    clock.advance(Duration::from_secs(300));
    assert!(
        block_on(ring.live()).is_err(),
        "a store that is down is an error, never an old secret"
    );
    store.set(Ok(vec!["three"]));
    assert!(
        block_on(ring.live()).is_err(),
        "a store that is down is left alone for a second"
    );
    clock.advance(Duration::from_secs(1));
    assert_eq!(names(&block_on(ring.live()).unwrap()), ["three"]);
}

#[test]
fn a_file_is_read_again_when_it_changes_and_loses_one_line_break() {
    let folder = std::env::temp_dir().join(format!("labelrelay-secret-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("secret");
    let clock = FakeClock::at("2026-01-01T00:00:00Z");
    for (text, secret) in [
        ("one\n", "one"),
        ("two\r\n", "two"),
        ("three", "three"),
        ("four\n\n", "four\n"),
    ] {
        std::fs::write(&path, text).unwrap();
        let ring = SecretRing::new(
            vec![Box::new(labelrelay_core::secret::FileSecret::new(
                &path, None,
            ))],
            Arc::new(clock.clone()),
        );
        assert_eq!(names(&block_on(ring.live()).unwrap()), [secret]);
        std::fs::write(&path, "changed, longer").unwrap();
        assert_eq!(names(&block_on(ring.live()).unwrap()), ["changed, longer"]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            names(&block_on(ring.live()).unwrap()),
            ["changed, longer"],
            "gone for a moment, while it is replaced"
        );
    }
    std::fs::write(&path, "\n").unwrap();
    let ring = SecretRing::new(
        vec![Box::new(labelrelay_core::secret::FileSecret::new(
            &path, None,
        ))],
        Arc::new(clock.clone()),
    );
    assert!(block_on(ring.live()).unwrap_err().message.contains("empty"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn secrets_do_not_show() {
    let secret = Secret::new("env:X", SECRET)
        .unwrap()
        .until(Some(FakeClock::at("2026-01-01T00:00:00Z").now()));
    let shown = format!("{secret:?}");
    assert!(
        shown.contains("[redacted]") && shown.contains("env:X") && !shown.contains(SECRET),
        "{shown}"
    );
    assert!(Secret::new("env:X", "").is_err());
}

/// Platforms sign with UTF-8. A secret that is kept in Latin-1 is the same text.
#[test]
fn a_secret_that_is_no_utf_8_may_sign_as_utf_8_too() {
    use labelrelay_core::signature::{ClaimedSignature, SignatureCheck, sign_sha1};
    use labelrelay_testkit::request::TestRequest;
    let matched = |kept: &[u8], signs: &[u8]| {
        let request = TestRequest::new(http::Method::POST, "/", b"{}")
            .header("x-hub-signature", &sign_sha1(signs, b"{}"));
        let head = request.head(&FakeClock::at("2026-01-01T00:00:00Z"));
        let claimed = ClaimedSignature::from_head(&head).unwrap();
        let mut check = SignatureCheck::new(claimed, &[Secret::new("s", kept).unwrap()]);
        check.update(b"{}");
        check.matched().is_some()
    };
    let utf_8 = "p\u{e4}ss".as_bytes();
    assert!(matched(b"p\xe4ss", b"p\xe4ss"));
    assert!(matched(b"p\xe4ss", utf_8));
    assert!(matched(utf_8, utf_8));
    assert!(
        !matched(utf_8, b"p\xe4ss"),
        "no platform signs with Latin-1"
    );
    assert!(!matched(b"p\xe4ss", b"pass"));
    assert!(!matched(b"p\xe4ss", b""));
}
