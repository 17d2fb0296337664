//! A store whose answers get lost, and that somebody else writes to at the same time: no server does that on demand.

use super::*;
use labelrelay_core::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Fate of a write.
#[derive(Clone, Copy)]
enum Write {
    Good,
    /// It is written, and the answer lost.
    Lost,
    /// Nothing is written, and nobody knows.
    Unknown,
    Refused,
    /// Somebody else writes directly before it.
    After(&'static str),
}

#[derive(Default)]
struct State {
    values: Vec<String>,
    writes: VecDeque<Write>,
    written: u32,
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<State>>);

impl Store {
    /// A store with these values, the newest first.
    fn of(values: &[&str], writes: &[Write]) -> (Self, InStore) {
        let store = Self::default();
        store.state().values = values.iter().map(|value| (*value).to_owned()).collect();
        store.state().writes = writes.iter().copied().collect();
        let reference = SecretRef::of_command_line("env:A_STORE").unwrap();
        let mut in_store = InStore::new(Box::new(store.clone()), &reference);
        in_store.between_reads = Duration::ZERO;
        (store, in_store)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest two.
    fn newest(&self) -> Vec<String> {
        self.state().values.iter().take(2).cloned().collect()
    }
}

impl SecretStore for Store {
    fn held(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        let held = self.newest().into_iter().map(secret).collect();
        Box::pin(async move { Ok(held) })
    }

    fn create<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(async { Err(SecretError::permanent("there is one")) })
    }

    fn add<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        let mut state = self.state();
        state.written += 1;
        let write = state.writes.pop_front().unwrap_or(Write::Good);
        if let Write::After(other) = write {
            state.values.insert(0, other.to_owned());
        }
        if !matches!(write, Write::Unknown | Write::Refused) {
            state.values.insert(0, value.to_owned());
        }
        let answer = match write {
            Write::Good | Write::After(_) => Ok(()),
            Write::Lost | Write::Unknown => Err(SecretError::transient("no answer")),
            Write::Refused => Err(SecretError::permanent("not allowed")),
        };
        Box::pin(async { answer })
    }
}

fn secret(text: impl Into<String>) -> Secret {
    Secret::new("a test's", text.into()).unwrap()
}

/// Result of a future.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    runtime.block_on(future)
}

#[test]
fn the_first_write_counts_as_the_store_shows_it() {
    for (write, expected, left) in [
        (Write::Good, None, &["new", "old"][..]),
        (Write::Lost, None, &["new", "old"]),
        (Write::Unknown, Some("is not known: no answer"), &["old"]),
        (Write::Refused, Some("not allowed. No secret"), &["old"]),
        (
            Write::After("other"),
            Some("holds other secrets than this command put there"),
            &["new", "other"],
        ),
    ] {
        let (store, in_store) = Store::of(&["old"], &[write]);
        let begun = now(in_store.begin(&secret("old"), &secret("new"), "Add one."));
        match (begun, expected) {
            (Ok(()), None) => {}
            (Err(said), Some(expected)) => {
                assert!(said.contains(expected), "no {expected:?} in {said}");
                let is_by_hand = said.contains("By hand: Add one.");
                assert_eq!(is_by_hand, matches!(write, Write::Refused), "{said}");
            }
            (begun, expected) => panic!("{begun:?}, {expected:?}"),
        }
        assert_eq!(store.newest(), left);
    }
}

#[test]
fn nothing_is_written_where_somebody_else_wrote() {
    for values in [&["other", "old"][..], &["other"], &["old", "older"], &[]] {
        let (store, in_store) = Store::of(values, &[]);
        let said = now(in_store.begin(&secret("old"), &secret("new"), "Add one."));
        assert!(said.unwrap_err().contains("Nothing was changed"));
        assert_eq!((store.newest(), store.state().written), (owned(values), 0));
    }
    for values in [&["other", "new"][..], &["old", "new"], &["other"], &[]] {
        let (store, in_store) = Store::of(values, &[]);
        let said = now(in_store.end(&secret("new"))).unwrap_err();
        assert!(said.contains("is not the one"), "{said}");
        assert_eq!((store.newest(), store.state().written), (owned(values), 0));
    }
}

#[test]
fn the_second_write_counts_as_the_store_shows_it() {
    for (write, expected) in [
        (Write::Good, None),
        (Write::Lost, None),
        (Write::Unknown, Some("is not known: no answer")),
        (Write::Refused, Some("not allowed; both are good")),
    ] {
        let (store, in_store) = Store::of(&["new", "old"], &[write]);
        match (now(in_store.end(&secret("new"))), expected) {
            (Ok(()), None) => assert_eq!(store.newest(), ["new", "new"]),
            (Err(said), Some(expected)) => assert!(said.contains(expected), "{said}"),
            (ended, expected) => panic!("{ended:?}, {expected:?}"),
        }
    }
    let (store, in_store) = Store::of(&["new", "new"], &[]);
    now(in_store.end(&secret("new"))).unwrap();
    assert_eq!(store.state().written, 0, "an earlier write had come there");
}

#[test]
fn the_older_value_is_the_old_secret() {
    for (values, expected) in [
        (&["new", "old"][..], ("old", Some("new"))),
        (&["one", "one"], ("one", None)),
        (&["one"], ("one", None)),
    ] {
        let (_, in_store) = Store::of(values, &[]);
        let held = now(in_store.held());
        let (old, newer) = held.unwrap_or_else(|_| panic!("{values:?}"));
        let newer = newer.as_ref().map(Secret::expose);
        assert_eq!(old.expose(), expected.0.as_bytes());
        assert_eq!(newer, expected.1.map(str::as_bytes));
    }
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}
