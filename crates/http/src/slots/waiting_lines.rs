//! Connections that wait for a slot: for any, or for one among those of its own address.

use super::client_network::ClientNetwork;
use std::collections::{BTreeSet, HashMap};

/// Connections by their numbers, which rise: the first to come is the first.
#[derive(Default)]
pub(super) struct WaitingLines {
    /// All that wait.
    all: BTreeSet<u64>,
    /// Connections that wait for any slot.
    any: BTreeSet<u64>,
    /// Connections that wait for others of their address.
    own: HashMap<ClientNetwork, BTreeSet<u64>>,
}

impl WaitingLines {
    /// Takes one in, or lets one that waited for its address wait for any slot, in its turn.
    pub(super) fn wait_for_any(&mut self, id: u64, network: ClientNetwork) {
        if !self.any.contains(&id) {
            self.leave(id, network);
            self.all.insert(id);
            self.any.insert(id);
        }
    }

    /// Lets one that waited for any slot wait for its address, so that it keeps nobody else waiting; `false` when it
    /// did already.
    pub(super) fn wait_for_own(&mut self, id: u64, network: ClientNetwork) -> bool {
        self.any.remove(&id) && self.own.entry(network).or_default().insert(id)
    }

    pub(super) fn leave(&mut self, id: u64, network: ClientNetwork) {
        self.all.remove(&id);
        self.any.remove(&id);
        if let Some(own) = self.own.get_mut(&network) {
            own.remove(&id);
            if own.is_empty() {
                self.own.remove(&network);
            }
        }
    }

    /// The one that waits longest.
    pub(super) fn first(&self) -> Option<u64> {
        self.all.first().copied()
    }

    pub(super) fn first_for_any(&self) -> Option<u64> {
        self.any.first().copied()
    }

    pub(super) fn first_for_own(&self, network: ClientNetwork) -> Option<u64> {
        self.own.get(&network)?.first().copied()
    }
}
