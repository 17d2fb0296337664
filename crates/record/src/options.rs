//! How much a record keeps, and of what.

use crate::class::Class;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first part of a body that is kept: enough for almost every event whole.
pub const BODY_BYTES: usize = 64 * 1024;

/// The file has one of so many parts of what the record has of a disk: its journal may have twice as much, before its
/// oldest deliveries are left out.
const SHARES_OF_FILE: u64 = 3;

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
    /// Most of its disk that the file and its journal take together, in percent. Bounds that are more are lowered to it.
    pub max_disk_percent: u64,
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
            max_disk_percent: 10,
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

    /// These options on a disk of so many bytes: of these, the record takes its share and no more. Bounds that fit into
    /// it stay. Of the others, the small ones get an eighth each, so that none is squeezed out by the large one.
    pub(crate) fn within_share_of(mut self, disk_bytes: u64) -> Self {
        let share = disk_bytes / 100 * self.max_disk_percent.min(100);
        let most = share / SHARES_OF_FILE;
        if self.journal_bytes() <= most {
            return self;
        }
        let mut left = most;
        for bytes in [
            &mut self.verified.body_bytes,
            &mut self.stranger.bytes,
            &mut self.stranger.body_bytes,
        ] {
            *bytes = (*bytes).min(most / 8);
            left -= *bytes;
        }
        self.verified.bytes = self.verified.bytes.min(left);
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    /// Bytes of rows and of bodies, of verified deliveries and of others, on a disk of so many MiB.
    fn bytes(options: Options, disk_mib: u64) -> [u64; 4] {
        let Options {
            verified, stranger, ..
        } = options.within_share_of(disk_mib * MIB);
        [verified, stranger]
            .map(|limits| [limits.bytes, limits.body_bytes])
            .concat()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_small_disk_lowers_the_bounds_and_a_large_one_does_not() {
        let default = [1024 * MIB, 64 * MIB, 32 * MIB, 64 * MIB];
        assert_eq!(bytes(Options::default(), 40 * 1024), default);
        for disk_mib in [1, 64, 1024, 10 * 1024, 20 * 1024] {
            let lowered = bytes(Options::default(), disk_mib);
            let most = disk_mib * MIB / 100 * 10 / 3;
            assert!(lowered.iter().sum::<u64>() <= most, "{disk_mib}");
            assert!(
                lowered
                    .iter()
                    .all(|it| *it >= most / 8 || default.contains(it))
            );
            assert!(lowered[0] >= most / 8 * 5, "{disk_mib}: {lowered:?}");
        }
        // What is small already stays.
        let [rows, bodies, refused, refused_bodies] = bytes(Options::default(), 10 * 1024);
        assert_eq!(
            [bodies, refused, refused_bodies],
            [bodies.min(64 * MIB), 32 * MIB, bodies]
        );
        assert!((200 * MIB..300 * MIB).contains(&rows), "{rows}");
    }

    #[test]
    fn a_setting_that_is_less_holds_and_no_large_one_takes_all() {
        let mut options = Options::default();
        options.verified.bytes = 1000;
        assert_eq!(bytes(options.clone(), 1024)[0], 1000);
        options.verified.bytes = u64::MAX;
        let [rows, others @ ..] = bytes(options.clone(), 1024);
        let most = 1024 * MIB / 10 / 3;
        assert!(rows < most, "{rows}");
        assert!(others.iter().all(|it| *it >= most / 9), "{others:?}");
        // A disk of its own.
        options.max_disk_percent = 100;
        assert!(bytes(options.clone(), 1024)[0] > 100 * MIB);
        options.max_disk_percent = u64::MAX;
        assert!(bytes(options, 1024).iter().sum::<u64>() <= 1024 * MIB / 3);
    }
}
