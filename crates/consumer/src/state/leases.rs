//! The leases that a process has of things.

use super::StateError;
use super::host::random_name;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Things that this process has leased. Each lease has an owner of its own: what is sent may be done late, after it was
/// given up, and what ends an old lease must not end the next one of the same thing.
#[derive(Debug)]
pub(super) struct Leases {
    process: String,
    number: AtomicU64,
    /// Owners, by the names of things.
    owners: Mutex<HashMap<String, String>>,
}

impl Leases {
    /// None yet, of a process that no other is taken for.
    pub(super) fn new() -> Result<Self, StateError> {
        Ok(Self {
            process: format!("{}-", random_name()?),
            number: AtomicU64::new(0),
            owners: Mutex::default(),
        })
    }

    /// Text with which each owner of this process begins.
    pub(super) fn process(&self) -> &str {
        &self.process
    }

    /// Notes that the thing is to be leased, by the owner that is returned. Before it is asked for: a step that is given up
    /// may have been done all the same.
    pub(super) fn begin(&self, name: &str) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let owner = format!("{}{number}", self.process);
        self.owners().insert(name.to_owned(), owner.clone());
        owner
    }

    /// Forgets the lease of the thing; its owner. Before it is ended: if that fails, nobody keeps the lease, and it runs out.
    pub(super) fn end(&self, name: &str) -> Option<String> {
        self.owners().remove(name)
    }

    /// All of them: things and owners.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let owners = self.owners();
        let pair = |(name, owner): (&String, &String)| (name.clone(), owner.clone());
        owners.iter().map(pair).collect()
    }

    /// Forgets all of them: things and owners.
    pub(super) fn take_all(&self) -> Vec<(String, String)> {
        self.owners().drain().collect()
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
