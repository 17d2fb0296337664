//! A version: one save of a ledger in a store.

use crate::error::CliError;
use jiff::Timestamp;
use labelrelay_core::fallback::body_name;
use serde::{Deserialize, Serialize};

/// Object under a version's key. The ledger itself is a second object beside it, as a body is beside its envelope.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Length of the ledger.
    pub(super) ledger_bytes: u64,
    /// SHA-256 of the ledger.
    pub(super) ledger_sha256: String,
}

#[derive(Debug)]
pub(super) struct Version {
    pub(super) key: String,
    pub(super) entry: Entry,
}

impl Version {
    pub(super) fn body(&self) -> String {
        body_name(&self.key, &self.entry.ledger_sha256)
    }
}

/// A key that sorts by time. Random digits keep two saves of the same instant apart.
pub(super) fn key(now: Timestamp) -> Result<String, CliError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| {
        CliError::failed(format_args!(
            "the operating system has no random numbers: {error}"
        ))
    })?;
    let random = u64::from_be_bytes(random);
    Ok(format!(
        "{}-{random:016x}",
        now.strftime("%Y%m%dT%H%M%S%.9fZ")
    ))
}
