//! Leases of those who replace files that are there. Who puts files together writes lines that it read a while ago: had an
//! address been taken out of them meanwhile, it would be back.
//!
//! A store has nothing that two could wait for, and nothing of it can be replaced only if it is still as somebody read it. So
//! each run has a file of its own: it writes that first, and looks at those of the others then. Of two that begin at once, at
//! least one sees the other and gives up. Nobody writes or removes the file of a run that may be at work.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::BUSY_FILES;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A lease that was not ended, because its program was, expires after so many seconds.
const LASTS_S: i64 = 600;

/// It is made to last longer this often, while files are done.
const KEPT_EVERY_S: i64 = 60;

/// A file that was left behind is removed so long after its lease was over: clocks differ, and its run must not go on by it.
const LEFT_FOR_S: i64 = 3600;

/// Work that is not done beside work of the other kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    Compact,
    Forget,
}

impl Work {
    const fn words(self) -> &'static str {
        match self {
            Self::Compact => "puts files together",
            Self::Forget => "takes an address out of files",
        }
    }

    /// Files may be put together by two runs at once, so that a run goes on with what another one left. Two addresses are
    /// taken out one after the other: each run writes what it has read.
    const fn goes_beside(self, other: Self) -> bool {
        matches!((self, other), (Self::Compact, Self::Compact))
    }
}

/// What a run's file says.
#[derive(Serialize, Deserialize)]
struct Busy {
    work: Work,
    /// Seconds since 1970.
    until_s: i64,
}

/// The right to do one kind of work for a while.
pub(crate) struct Lease<'a> {
    archive: &'a Archive,
    work: Work,
    /// The run's file. No other run has one of this name.
    name: String,
    kept_s: i64,
}

impl<'a> Lease<'a> {
    /// Begins, unless work is under way that this goes not beside.
    pub(crate) async fn begin(archive: &'a Archive, work: Work) -> Result<Self, ArchiveError> {
        let now = Timestamp::now();
        let run = format!("{}-{}", std::process::id(), now.as_nanosecond());
        let lease = Self {
            archive,
            work,
            name: format!("{BUSY_FILES}-{run}.json"),
            kept_s: now.as_second(),
        };
        // If it existed, then by an attempt whose answer was lost.
        archive.create(&lease.name, lease.text()).await?;
        if let Err(refused) = lease.look().await {
            // Where it stays, it is over after a while.
            let _stays = archive.remove(&lease.name).await;
            return Err(refused);
        }
        Ok(lease)
    }

    /// Goes on. Called before files are read, and before anything is written.
    pub(crate) async fn keep(&mut self) -> Result<(), ArchiveError> {
        let now_s = Timestamp::now().as_second();
        if now_s >= self.until_s() {
            // Another run may have begun and ended since: what was read is no longer what is there.
            return Err(ArchiveError::HeldUp {
                url: self.archive.url().to_owned(),
            });
        }
        if now_s.saturating_sub(self.kept_s) >= KEPT_EVERY_S {
            self.kept_s = now_s;
            self.archive.replace(&self.name, self.text()).await?;
            self.look().await?;
        }
        Ok(())
    }

    /// Ends. Another run of the same work has a lease of its own.
    pub(crate) async fn end(self) -> Result<(), ArchiveError> {
        self.archive.remove(&self.name).await
    }

    /// Looks who else is at work.
    async fn look(&self) -> Result<(), ArchiveError> {
        for name in self.archive.names(BUSY_FILES).await? {
            if name == self.name {
                continue;
            }
            let Some(other) = self.there(&name).await? else {
                continue;
            };
            let over_for_s = Timestamp::now().as_second().saturating_sub(other.until_s);
            if over_for_s >= LEFT_FOR_S {
                self.archive.remove(&name).await?;
            } else if over_for_s < 0 && !self.work.goes_beside(other.work) {
                return Err(ArchiveError::Busy {
                    url: self.archive.url().to_owned(),
                    work: other.work.words(),
                    name,
                });
            }
        }
        Ok(())
    }

    /// What a file says now. What somebody else put there says nothing.
    async fn there(&self, name: &str) -> Result<Option<Busy>, ArchiveError> {
        let there = self.archive.get(name).await?;
        Ok(there.and_then(|there| serde_json::from_slice(&there).ok()))
    }

    const fn until_s(&self) -> i64 {
        self.kept_s.saturating_add(LASTS_S)
    }

    fn text(&self) -> Bytes {
        let busy = Busy {
            work: self.work,
            until_s: self.until_s(),
        };
        serde_json::to_vec(&busy).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests;
