//! Sums over deliveries on their way to the file.

use crate::class::PerClass;

/// Sums over deliveries of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) rows: u64,
    /// Bytes of rows, without bodies.
    pub(crate) bytes: u64,
    /// Bytes of bodies.
    pub(crate) body_bytes: u64,
}

impl Sums {
    pub(crate) const fn add(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.body_bytes = self.body_bytes.saturating_add(other.body_bytes);
    }

    pub(crate) const fn remove(&mut self, other: Self) {
        self.rows = self.rows.saturating_sub(other.rows);
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.body_bytes = self.body_bytes.saturating_sub(other.body_bytes);
    }

    /// Bytes of rows and of bodies.
    pub(crate) const fn all_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.body_bytes)
    }
}

impl PerClass<Sums> {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.verified.add(other.verified);
        self.stranger.add(other.stranger);
    }

    pub(crate) const fn remove(&mut self, other: &Self) {
        self.verified.remove(other.verified);
        self.stranger.remove(other.stranger);
    }

    pub(crate) const fn rows(&self) -> u64 {
        self.verified.rows.saturating_add(self.stranger.rows)
    }
}
