//! How much a record keeps, and of what.

use crate::class::Class;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first part of a body that is kept: enough for almost every event whole.
pub const BODY_BYTES: usize = 64 * 1024;

/// Bounds of one class of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub deliveries: u64,
    /// Bytes of rows, without bodies.
    pub bytes: u64,
    /// Bytes of bodies.
    pub body_bytes: u64,
}

impl Limits {
    /// Bytes of rows and of bodies.
    pub(crate) const fn all_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.body_bytes)
    }
}

/// Settings of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Bounds of deliveries that a secret has vouched for.
    pub verified: Limits,
    /// Bounds of all other deliveries.
    pub stranger: Limits,
    /// Rows are kept this long.
    pub max_age: Duration,
    /// `true` if the first part of a body is kept that became no event.
    pub bodies: bool,
    /// `true` if credentials, addresses and query strings are blotted out of heads.
    pub blots_out: bool,
    /// Names of headers that carry a secret, beside those that everybody knows; in small letters.
    pub secret_headers: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verified: Limits {
                deliveries: 1_000_000,
                bytes: 1024 * 1024 * 1024,
                body_bytes: 64 * 1024 * 1024,
            },
            stranger: Limits {
                deliveries: 20_000,
                bytes: 32 * 1024 * 1024,
                body_bytes: 64 * 1024 * 1024,
            },
            max_age: Duration::from_secs(30 * 86_400),
            bodies: true,
            blots_out: true,
            secret_headers: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) const fn limits(&self, class: Class) -> &Limits {
        match class {
            Class::Verified => &self.verified,
            Class::Stranger => &self.stranger,
        }
    }

    /// Bytes that the journal may have: as many as the file.
    pub(crate) const fn journal_bytes(&self) -> u64 {
        let [verified, stranger] = [&self.verified, &self.stranger];
        verified.all_bytes().saturating_add(stranger.all_bytes())
    }

    /// Bytes of a body that are kept.
    pub(crate) const fn wanted_body_bytes(&self) -> usize {
        if self.bodies { BODY_BYTES } else { 0 }
    }
}

/// The record beside the queue in the file `queue`.
pub fn beside(queue: &Path) -> PathBuf {
    let mut name = queue.as_os_str().to_owned();
    name.push(".record");
    PathBuf::from(name)
}
