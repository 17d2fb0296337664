//! Slots for connections: how many there are, how many one address gets, and who goes when they are taken.
//!
//! A connection that its peer leaves idle makes room for one that comes; a body that stays away does where there
//! is nothing idler, and last of all where its head has shown the secret. One that waits for us, or brings a body as
//! fast as it should, never does.

mod client_network;
mod eviction_order;
mod table;
#[cfg(test)]
mod tests;
mod waiting_lines;

use crate::connection::Activity;
use crate::options::ServeOptions;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use table::{SlotState, SlotTable};
use tokio::sync::Notify;

/// Pause between two looks of those who wait for a slot: somebody may have become idle, and nobody tells.
const LOOK: Duration = Duration::from_millis(20);

/// Pause of those who are not the next: they are told when they are. This is for the case that they were not.
const IN_LINE: Duration = Duration::from_millis(200);

/// The slots of one server.
pub(crate) struct Slots {
    table: Mutex<SlotTable>,
    /// Notified when somebody has left: who accepts waits for that.
    left: Notify,
}

impl Slots {
    pub(crate) fn new(options: &ServeOptions) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::new(SlotTable::new(options)),
            left: Notify::new(),
        })
    }

    fn table(&self) -> MutexGuard<'_, SlotTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more connection can be accepted. One that is not accepted costs this process nothing.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            left.as_mut().enable();
            if self.table().has_room() {
                return;
            }
            let _ = tokio::time::timeout(LOOK, left).await;
        }
    }

    /// Takes a connection in. It has a slot when [`Slot::wait_for_slot`] says so.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Slot {
        let activity = Activity::new();
        let id = self.table().enter(peer.into(), Arc::clone(&activity));
        Slot {
            slots: Arc::clone(self),
            id,
            activity,
        }
    }

    /// Tells whether there are more connections than slots, now or a moment ago.
    pub(crate) fn is_crowded(&self) -> bool {
        self.table().is_crowded()
    }

    /// Asks all connections to end, those too that still come.
    pub(crate) fn drain(&self) {
        self.table().drain();
    }
}

/// A connection's entry among them, until it is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    id: u64,
    activity: Arc<Activity>,
}

impl Slot {
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Waits for a slot; `false` when none came free within `patience`, or when this one was asked to leave.
    pub(crate) async fn wait_for_slot(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            let (state, is_next) = self.slots.table().admit(self.id);
            if state != SlotState::Waiting || Instant::now() >= end {
                return state == SlotState::Served;
            }
            let look = if is_next { LOOK } else { IN_LINE };
            let _ = tokio::time::timeout(look, self.activity.asked()).await;
        }
    }

    /// Keeps the slot: the connection was asked to go, and is not idle any more.
    pub(crate) fn keep(&self) {
        self.slots.table().keep(self.id);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.table().leave(self.id);
        self.slots.left.notify_waiters();
    }
}
