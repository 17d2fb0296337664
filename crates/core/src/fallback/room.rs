//! Room in memory for what is under way at once.

use futures_util::lock::Mutex;
use futures_util::task::AtomicWaker;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// So many bytes, shared by whoever holds some of them.
pub(super) struct Room {
    most: u64,
    free: AtomicU64,
    /// Held by the one that waits, so that small ones do not keep a large one waiting for ever.
    turn: Mutex<()>,
    /// Wakes that one.
    freed: AtomicWaker,
}

impl Room {
    pub(super) fn new(most: u64) -> Self {
        Self {
            most,
            free: AtomicU64::new(most),
            turn: Mutex::new(()),
            freed: AtomicWaker::new(),
        }
    }

    /// This much of it, if it is free and nobody waits.
    pub(super) fn try_hold(&self, bytes: u64) -> Option<Held<'_>> {
        let _turn = self.turn.try_lock()?;
        self.take(bytes)
    }

    /// This much of it, once it is free. What is larger than the whole of it gets the whole, and so is alone.
    pub(super) async fn hold(&self, bytes: u64) -> Held<'_> {
        let _turn = self.turn.lock().await;
        std::future::poll_fn(|context| {
            // First, so that nothing that is freed meanwhile goes unnoticed.
            self.freed.register(context.waker());
            self.take(bytes).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn take(&self, bytes: u64) -> Option<Held<'_>> {
        let bytes = bytes.min(self.most);
        let without = |free: u64| free.checked_sub(bytes);
        self.free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, without)
            .ok()?;
        Some(Held { room: self, bytes })
    }
}

/// Some of it, until this is dropped.
pub(super) struct Held<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.free.fetch_add(self.bytes, Ordering::AcqRel);
        self.room.freed.wake();
    }
}
