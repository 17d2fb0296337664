//! The table of slots: who has one, who waits for one, and who is asked to leave.

use super::client_network::ClientNetwork;
use crate::connection::{Activity, Idle};
use crate::options::ServeOptions;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A flood is told of this often.
const TELL: Duration = Duration::from_secs(10);

/// Pause before another look where nobody was idle: many wait, and each would look at all.
const AGAIN: Duration = Duration::from_millis(10);

/// A crowd is reckoned with for so long after the last time that there was no slot. Were it shorter than what
/// it takes to come back, all of it would be let in again and again, and be served until there is no slot.
const CROWDED: Duration = Duration::from_secs(10);

/// A sender that has waited this long for a slot may have given up.
const WAIT: Duration = Duration::from_secs(1);

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
    /// Those that wait for a slot, and not for one of their own address: the first to come is the first.
    queue: BTreeSet<u64>,
    next: u64,
    served: usize,
    by_address: HashMap<ClientNetwork, usize>,
    /// Those that idled when it was looked last, the longest at the end. One that still idles since then is
    /// still the longest: whoever became idle later idles for less.
    idle: Vec<(Idle, u64)>,
    nobody_idle: Option<Instant>,
    draining: bool,
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
            queue: BTreeSet::new(),
            nobody_idle: None,
            next: 0,
            served: 0,
            by_address: HashMap::new(),
            idle: Vec::new(),
            draining: false,
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
        let is_leaving = |entry: &Entry| entry.state == SlotState::Leaving;
        if self.entries.values().any(is_leaving) {
            return false;
        }
        if self.served >= self.served_at_most {
            // All of them may be served, when some that were to leave stayed: nobody waits then who would ask.
            self.make_room();
            return false;
        }
        // There are slots all the same, so those who wait are too many of one address: they must not keep
        // others out.
        let waiting = self.entries.iter().filter(|(_, entry)| {
            entry.state == SlotState::Waiting && entry.entered.elapsed() > WAIT
        });
        if let Some(id) = waiting.map(|(id, _)| *id).min() {
            self.ask_to_leave(id);
        }
        false
    }

    pub(super) fn enter(&mut self, network: ClientNetwork, activity: Arc<Activity>) -> u64 {
        if self.draining {
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
        self.queue.insert(self.next);
        self.next
    }

    /// Gives a slot to one that waits, if there is one or somebody can be asked to leave. If not, whether it
    /// looks again soon: the next in the queue does, and one that waits for others of its address.
    pub(super) fn admit(&mut self, id: u64) -> (SlotState, bool) {
        let Some(entry) = self.entries.get(&id) else {
            return (SlotState::Leaving, false);
        };
        if entry.state != SlotState::Waiting {
            return (entry.state, false);
        }
        let network = entry.network;
        let neighbours = self.by_address.get(&network).copied();
        // While it drains, nobody comes that could be kept out.
        if !self.draining
            && neighbours.unwrap_or_default() >= self.of_one_address
            && !self.make_room_among(network)
        {
            self.queue.remove(&id);
            self.next_may_look();
            return (SlotState::Waiting, true);
        }
        if self.served >= self.served_at_most {
            self.full = Some(Instant::now());
            if self.queue.first().is_some_and(|first| *first < id) {
                return (SlotState::Waiting, false);
            }
            if !self.make_room() {
                return (SlotState::Waiting, true);
            }
        }
        self.serve(id);
        self.next_may_look();
        (SlotState::Served, false)
    }

    /// Only one is told: were it all, each would look, for each that comes or leaves.
    fn next_may_look(&self) {
        if let Some(next) = self.queue.first().and_then(|id| self.entries.get(id)) {
            next.activity.wake_up();
        }
    }

    fn serve(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = SlotState::Served;
            self.queue.remove(&id);
            self.served += 1;
            *self.by_address.entry(entry.network).or_default() += 1;
        }
    }

    fn unserve(&mut self, network: ClientNetwork) {
        self.served = self.served.saturating_sub(1);
        if let Some(count) = self.by_address.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_address.remove(&network);
            }
        }
    }

    /// Asks the one that idles longest to leave; `false` when none is idle.
    fn make_room(&mut self) -> bool {
        if self.nobody_idle.is_some_and(|at| at.elapsed() < AGAIN) {
            return false;
        }
        for looked_again in [false, true] {
            if looked_again {
                let served = self.entries.iter().filter(|(_, entry)| is_served(entry));
                let idle = served.filter_map(|(id, entry)| Some((entry.activity.idle()?, *id)));
                self.idle = idle.collect();
                self.idle.sort_unstable_by(|a, b| b.cmp(a));
            }
            while let Some((since, id)) = self.idle.pop() {
                // Others that have brought nothing may idle by now: those go first.
                if since.is_proven() && !looked_again {
                    break;
                }
                let still = self
                    .entries
                    .get(&id)
                    .is_some_and(|entry| is_served(entry) && entry.activity.idle() == Some(since));
                if still {
                    self.ask_to_leave(id);
                    return true;
                }
            }
        }
        self.nobody_idle = Some(Instant::now());
        false
    }

    /// The same among the connections of one address.
    fn make_room_among(&mut self, network: ClientNetwork) -> bool {
        let neighbours = self
            .entries
            .iter()
            .filter(|(_, entry)| is_served(entry) && entry.network == network);
        let idle = neighbours.filter_map(|(id, entry)| Some((entry.activity.idle()?, *id)));
        let Some((_, id)) = idle.min() else {
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
        self.queue.remove(&id);
        let was = std::mem::replace(&mut entry.state, SlotState::Leaving);
        let network = entry.network;
        if was == SlotState::Served {
            self.unserve(network);
        }
        self.tell();
    }

    /// Not for every connection: a stranger would decide how fast the log grows.
    fn tell(&mut self) {
        self.left += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TELL) {
            tracing::warn!(name: "connections_full", open = self.served, closed = self.left, "connections are taken up; for each that comes, the one that idles longest is closed");
            self.told = Some(Instant::now());
            self.left = 0;
        }
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.full.is_some_and(|at| at.elapsed() < CROWDED)
    }

    pub(super) fn stays(&mut self, id: u64) {
        if self
            .entries
            .get(&id)
            .is_some_and(|entry| entry.state == SlotState::Leaving)
        {
            self.serve(id);
        }
    }

    pub(super) fn leave(&mut self, id: u64) {
        self.queue.remove(&id);
        if let Some(entry) = self.entries.remove(&id)
            && entry.state == SlotState::Served
        {
            self.unserve(entry.network);
        }
        self.next_may_look();
    }

    pub(super) fn drain(&mut self) {
        self.draining = true;
        self.entries
            .values()
            .for_each(|entry| entry.activity.drain());
    }
}

fn is_served(entry: &Entry) -> bool {
    entry.state == SlotState::Served
}
