//! The table of slots: who has one, who waits for one, and who is asked to leave.

use super::client_network::ClientNetwork;
use super::eviction_order::EvictionOrder;
use super::waiting_lines::WaitingLines;
use crate::connection::Activity;
use crate::options::ServeOptions;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause between two log lines about a flood.
const FLOOD_REPORT_EVERY: Duration = Duration::from_secs(10);

/// Pause before the next search after one found nobody idle: many wait, and each would search all connections.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Time for which the server counts as crowded after it last ran out of slots. It is longer than a crowd takes to
/// reconnect, else the whole crowd would be let in again and again.
const CROWDED_FOR: Duration = Duration::from_secs(10);

/// A sender that has waited this long for a slot may have given up.
const SENDER_PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotState {
    /// Accepted, and not yet served.
    Waiting,
    Served,
    /// Asked to leave. Its slot is another's already.
    Leaving,
}

struct Entry {
    network: ClientNetwork,
    activity: Arc<Activity>,
    entered: Instant,
    state: SlotState,
}

pub(super) struct SlotTable {
    served_at_most: usize,
    open_at_most: usize,
    of_one_address: usize,
    entries: HashMap<u64, Entry>,
    lines: WaitingLines,
    next: u64,
    served: usize,
    leaving: usize,
    /// Connections that are served.
    by_address: HashMap<ClientNetwork, BTreeSet<u64>>,
    idle: EvictionOrder,
    nobody_idle: Option<Instant>,
    is_draining: bool,
    left: u64,
    /// The last time that somebody came and all slots were taken.
    full: Option<Instant>,
    told: Option<Instant>,
}

impl SlotTable {
    pub(super) fn new(options: &ServeOptions) -> Self {
        Self {
            served_at_most: options.max_connections,
            open_at_most: options.sockets(),
            of_one_address: options.max_connections_per_address.unwrap_or(usize::MAX),
            entries: HashMap::new(),
            lines: WaitingLines::default(),
            nobody_idle: None,
            next: 0,
            served: 0,
            leaving: 0,
            by_address: HashMap::new(),
            idle: EvictionOrder::default(),
            is_draining: false,
            left: 0,
            full: None,
            told: None,
        }
    }

    pub(super) fn has_room(&mut self) -> bool {
        if self.entries.len() < self.open_at_most {
            return true;
        }
        // All that may be open are. Those who leave will be gone in a moment.
        if self.leaving > 0 {
            return false;
        }
        if self.served >= self.served_at_most {
            // All of them may be served, when some that were to leave stayed: nobody waits then who would ask.
            self.try_make_room();
            return false;
        }
        // There are slots all the same, so those who wait are too many of one address: they must not keep
        // others out.
        let first = self.lines.first();
        let entered = first.and_then(|id| Some(self.entries.get(&id)?.entered));
        if let (Some(id), Some(entered)) = (first, entered)
            && entered.elapsed() > SENDER_PATIENCE
        {
            self.ask_to_leave(id);
        }
        false
    }

    pub(super) fn enter(&mut self, network: ClientNetwork, activity: Arc<Activity>) -> u64 {
        if self.is_draining {
            activity.drain();
        }
        self.next += 1;
        let entry = Entry {
            network,
            activity,
            entered: Instant::now(),
            state: SlotState::Waiting,
        };
        self.entries.insert(self.next, entry);
        self.lines.wait_for_any(self.next, network);
        self.next
    }

    /// Gives a slot to one that waits, if there is one or somebody can be asked to leave. If not, whether it
    /// looks again soon: the first does of those that wait for any slot, and of those that wait for one of their
    /// address. The others are told when they are the first.
    pub(super) fn admit(&mut self, id: u64) -> (SlotState, bool) {
        let Some(entry) = self.entries.get(&id) else {
            return (SlotState::Leaving, false);
        };
        if entry.state != SlotState::Waiting {
            return (entry.state, false);
        }
        let network = entry.network;
        // While it drains, nobody comes that could be kept out.
        if !self.is_draining && self.is_full(network) {
            let first = self.lines.first_for_own(network);
            let is_first = first.is_none_or(|first| id <= first);
            if !is_first || !self.try_make_room_among(network) {
                if self.lines.wait_for_own(id, network) {
                    self.next_may_look();
                }
                return (SlotState::Waiting, is_first);
            }
        }
        self.lines.wait_for_any(id, network);
        if self.served >= self.served_at_most {
            self.full = Some(Instant::now());
            if self.lines.first_for_any().is_some_and(|first| first < id) {
                return (SlotState::Waiting, false);
            }
            if !self.try_make_room() {
                return (SlotState::Waiting, true);
            }
        }
        self.serve(id);
        self.next_may_look();
        self.next_of_may_look(network);
        (SlotState::Served, false)
    }

    fn is_full(&self, network: ClientNetwork) -> bool {
        let served = self.by_address.get(&network);
        served.is_some_and(|served| served.len() >= self.of_one_address)
    }

    /// Only one is told: were it all, each would look, for each that comes or leaves.
    fn next_may_look(&self) {
        self.wake_up(self.lines.first_for_any());
    }

    fn next_of_may_look(&self, network: ClientNetwork) {
        self.wake_up(self.lines.first_for_own(network));
    }

    fn wake_up(&self, id: Option<u64>) {
        if let Some(entry) = id.and_then(|id| self.entries.get(&id)) {
            entry.activity.wake_up();
        }
    }

    fn serve(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            if std::mem::replace(&mut entry.state, SlotState::Served) == SlotState::Leaving {
                self.leaving = self.leaving.saturating_sub(1);
            }
            self.lines.leave(id, entry.network);
            self.served += 1;
            self.by_address.entry(entry.network).or_default().insert(id);
        }
    }

    fn unserve(&mut self, id: u64, network: ClientNetwork) {
        self.served = self.served.saturating_sub(1);
        if let Some(served) = self.by_address.get_mut(&network) {
            served.remove(&id);
            if served.is_empty() {
                self.by_address.remove(&network);
            }
        }
    }

    /// Asks the first that can go to leave; `false` when there is none.
    fn try_make_room(&mut self) -> bool {
        if self
            .nobody_idle
            .is_some_and(|at| at.elapsed() < RETRY_PAUSE)
        {
            return false;
        }
        while let Some((idle, id)) = self.idle.next_known() {
            let entry = self.entries.get(&id);
            if entry.is_some_and(|entry| is_served(entry) && entry.activity.idle() == Some(idle)) {
                self.ask_to_leave(id);
                return true;
            }
        }
        let served = self.entries.iter().filter(|(_, entry)| is_served(entry));
        let served = served.map(|(id, entry)| (*id, &*entry.activity));
        self.idle = EvictionOrder::of(served, self.served_at_most);
        let Some((_, id)) = self.idle.first() else {
            self.nobody_idle = Some(Instant::now());
            return false;
        };
        self.ask_to_leave(id);
        true
    }

    /// Asks the first connection of one address that can go to leave; `false` when there is none.
    fn try_make_room_among(&mut self, network: ClientNetwork) -> bool {
        let served = self.by_address.get(&network).into_iter().flatten();
        let served = served.filter_map(|id| Some((*id, &*self.entries.get(id)?.activity)));
        let Some((_, id)) = EvictionOrder::of(served, self.of_one_address).first() else {
            return false;
        };
        self.ask_to_leave(id);
        true
    }

    fn ask_to_leave(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.activity.ask_to_close();
        let was = std::mem::replace(&mut entry.state, SlotState::Leaving);
        let network = entry.network;
        self.lines.leave(id, network);
        if was == SlotState::Served {
            self.unserve(id, network);
        }
        self.leaving += usize::from(was != SlotState::Leaving);
        self.tell();
    }

    /// Not for every connection: a stranger would decide how fast the log grows.
    fn tell(&mut self) {
        self.left += 1;
        if self
            .told
            .is_none_or(|told| told.elapsed() >= FLOOD_REPORT_EVERY)
        {
            tracing::warn!(name: "connections_full", open = self.served, closed = self.left, "all connections are in use; for each new one, the one that idles longest is closed");
            self.told = Some(Instant::now());
            self.left = 0;
        }
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.full.is_some_and(|at| at.elapsed() < CROWDED_FOR)
    }

    pub(super) fn keep(&mut self, id: u64) {
        if self
            .entries
            .get(&id)
            .is_some_and(|entry| entry.state == SlotState::Leaving)
        {
            self.serve(id);
        }
    }

    pub(super) fn leave(&mut self, id: u64) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.lines.leave(id, entry.network);
        match entry.state {
            SlotState::Waiting => {}
            SlotState::Served => self.unserve(id, entry.network),
            SlotState::Leaving => self.leaving = self.leaving.saturating_sub(1),
        }
        self.next_may_look();
        self.next_of_may_look(entry.network);
    }

    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        self.entries
            .values()
            .for_each(|entry| entry.activity.drain());
    }
}

fn is_served(entry: &Entry) -> bool {
    entry.state == SlotState::Served
}
