//! Turns of those who replace files that are there. Who puts files together writes lines that it read a while ago: had an
//! address been taken out of them meanwhile, it would be back.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::BUSY_FILE;
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_core::object_store::Created;
use serde::{Deserialize, Serialize};

/// A turn that was not ended, because its program was, is over after so many seconds.
const LASTS_S: i64 = 600;

/// It is made to last longer this often, if files are done meanwhile.
const KEPT_EVERY_S: i64 = 60;

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
}

/// What the file says.
#[derive(Serialize, Deserialize)]
struct Busy {
    work: Work,
    /// Seconds since 1970.
    until_s: i64,
    /// The run that wrote it last, by a name that no other run has.
    #[serde(default)]
    by: String,
}

/// A turn.
pub(crate) struct Turn<'a> {
    archive: &'a Archive,
    work: Work,
    by: String,
    kept_s: i64,
    /// Another run of the same work may be under way, too.
    has_company: bool,
}

impl<'a> Turn<'a> {
    /// Begins, unless work of the other kind is under way. Files may be put together by two runs at once, so that a run goes
    /// on with what another one left. Two addresses are taken out one after the other: each run writes what it has read.
    pub(crate) async fn begin(archive: &'a Archive, work: Work) -> Result<Self, ArchiveError> {
        let now = Timestamp::now();
        let mut turn = Self {
            archive,
            work,
            by: format!("{}-{}", std::process::id(), now.as_nanosecond()),
            kept_s: now.as_second(),
            has_company: false,
        };
        let text = turn.text();
        if archive.create(BUSY_FILE, text.clone()).await? == Created::Existed {
            turn.look().await?;
            archive.replace(BUSY_FILE, text).await?;
        }
        Ok(turn)
    }

    /// Goes on.
    pub(crate) async fn keep(&mut self) -> Result<(), ArchiveError> {
        let now_s = Timestamp::now().as_second();
        if now_s.saturating_sub(self.kept_s) >= KEPT_EVERY_S {
            self.look().await?;
            self.kept_s = now_s;
            self.archive.replace(BUSY_FILE, self.text()).await?;
        }
        Ok(())
    }

    /// Ends. Where another run had the same turn, it may go on: then nobody ends the turn, and it is over after a while.
    pub(crate) async fn end(self) -> Result<(), ArchiveError> {
        let is_own = |there: Busy| there.by == self.by;
        if self.has_company || !self.there().await?.is_some_and(is_own) {
            return Ok(());
        }
        self.archive.remove(BUSY_FILE).await
    }

    /// Looks who else is at work.
    async fn look(&mut self) -> Result<(), ArchiveError> {
        let now_s = Timestamp::now().as_second();
        let others = |there: &Busy| there.by != self.by && there.until_s > now_s;
        let Some(other) = self.there().await?.filter(others) else {
            return Ok(());
        };
        if other.work != self.work || self.work == Work::Forget {
            return Err(ArchiveError::Busy {
                url: self.archive.url().to_owned(),
                work: other.work.words(),
                name: BUSY_FILE,
            });
        }
        self.has_company = true;
        Ok(())
    }

    /// What the file says now. What somebody else put there says nothing.
    async fn there(&self) -> Result<Option<Busy>, ArchiveError> {
        let there = self.archive.get(BUSY_FILE).await?;
        Ok(there.and_then(|there| serde_json::from_slice(&there).ok()))
    }

    fn text(&self) -> Bytes {
        let busy = Busy {
            work: self.work,
            until_s: self.kept_s.saturating_add(LASTS_S),
            by: self.by.clone(),
        };
        serde_json::to_vec(&busy).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use labelrelay_files::FileObjectStore;
    use std::sync::Arc;
    use tempfile::TempDir;

    /// Red if a run that ends lets an address be taken out of lines that another run has read already, and writes yet.
    #[test]
    fn a_run_that_ends_does_not_end_the_turn_of_another() {
        let dir = TempDir::new().unwrap();
        let store = FileObjectStore::open(dir.path().join("archive")).unwrap();
        let opening = Archive::open_or_create(Arc::new(store), "file:archive", 1);
        let archive = block_on(opening).unwrap();
        let begin = |work| block_on(Turn::begin(&archive, work));
        let first = begin(Work::Compact).unwrap();
        let second = begin(Work::Compact).unwrap();
        block_on(first.end()).unwrap();
        assert!(begin(Work::Forget).is_err());
        // The second one does not know that the first one has ended.
        block_on(second.end()).unwrap();
        assert!(begin(Work::Forget).is_err());
        // Alone, it ends.
        block_on(archive.remove(BUSY_FILE)).unwrap();
        block_on(begin(Work::Compact).unwrap().end()).unwrap();
        assert!(begin(Work::Forget).is_ok());
    }
}
