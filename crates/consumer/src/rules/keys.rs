//! One thing is handled once at a time in a process: who comes later waits in line.

use crate::worker::Slots;
use labelrelay_event::changes::Key;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex as Line, OwnedMutexGuard};

/// The things that are being handled.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<Key<'static>, Arc<Line<()>>>>);

/// A thing that nobody else handles, until this is dropped; or a place in line for it.
pub(super) struct KeyGuard<'a> {
    keys: &'a Keys,
    key: Key<'static>,
    /// `None` at the end only.
    line: Option<Arc<Line<()>>>,
    first: Option<OwnedMutexGuard<()>>,
}

impl Keys {
    /// Waits until nobody else is handling the thing.
    pub(super) async fn take<'a>(&'a self, key: &Key<'static>, slots: &Slots) -> KeyGuard<'a> {
        let line = Arc::clone(self.lock().entry(key.clone()).or_default());
        // Made before the wait, so that a wait that is given up leaves nothing behind.
        let mut guard = KeyGuard {
            keys: self,
            key: key.clone(),
            line: Some(Arc::clone(&line)),
            first: None,
        };
        let free = Arc::clone(&line).try_lock_owned().ok();
        guard.first = Some(if let Some(first) = free {
            first
        } else {
            let _waits = slots.aside();
            line.lock_owned().await
        });
        guard
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key<'static>, Arc<Line<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for KeyGuard<'_> {
    fn drop(&mut self) {
        // Under the lock: nobody comes in line meanwhile.
        let mut lines = self.keys.lock();
        drop(self.first.take());
        drop(self.line.take());
        if let Some(line) = lines.get(&self.key)
            && Arc::strong_count(line) == 1
        {
            lines.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::slots::slots;
    use futures_util::FutureExt as _;
    use labelrelay_event::changes::Kind;

    #[test]
    fn who_comes_later_waits_and_nothing_is_left_behind() {
        let (slots, _control) = slots(1);
        let keys = Keys::default();
        let [one, two] = ["1", "2"].map(|id| Key::new("/s", Kind::Task, id));
        let first = keys.take(&one, &slots).now_or_never().expect("free");
        assert!(keys.take(&two, &slots).now_or_never().is_some());
        assert!(keys.take(&one, &slots).now_or_never().is_none());
        let mut second = Box::pin(keys.take(&one, &slots));
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(slots.waiting_aside(), 1);
        drop(first);
        let second = second.now_or_never().expect("it is its turn");
        assert!(keys.take(&one, &slots).now_or_never().is_none());
        assert_eq!(slots.waiting_aside(), 0);
        drop(second);
        assert!(keys.lock().is_empty());
    }
}
