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
}

impl Busy {
    fn begun(work: Work, now_s: i64) -> Bytes {
        let busy = Self {
            work,
            until_s: now_s.saturating_add(LASTS_S),
        };
        serde_json::to_vec(&busy).unwrap_or_default().into()
    }
}

/// A turn.
pub(crate) struct Turn<'a> {
    archive: &'a Archive,
    work: Work,
    kept_s: i64,
}

impl<'a> Turn<'a> {
    /// Begins, unless work of the other kind is under way. Work of the same kind goes on with what another run left.
    pub(crate) async fn begin(archive: &'a Archive, work: Work) -> Result<Self, ArchiveError> {
        let now_s = Timestamp::now().as_second();
        let text = Busy::begun(work, now_s);
        if archive.create(BUSY_FILE, text.clone()).await? == Created::Existed {
            let there = archive.get(BUSY_FILE).await?.unwrap_or_default();
            // What somebody else put there says nothing.
            let other = serde_json::from_slice::<Busy>(&there).ok();
            let other = other.filter(|other| other.work != work && other.until_s > now_s);
            if let Some(other) = other {
                return Err(ArchiveError::Busy {
                    url: archive.url().to_owned(),
                    work: other.work.words(),
                    name: BUSY_FILE,
                });
            }
            archive.replace(BUSY_FILE, text).await?;
        }
        Ok(Self {
            archive,
            work,
            kept_s: now_s,
        })
    }

    /// Goes on.
    pub(crate) async fn keep(&mut self) -> Result<(), ArchiveError> {
        let now_s = Timestamp::now().as_second();
        if now_s.saturating_sub(self.kept_s) >= KEPT_EVERY_S {
            let text = Busy::begun(self.work, now_s);
            self.archive.replace(BUSY_FILE, text).await?;
            self.kept_s = now_s;
        }
        Ok(())
    }

    /// Ends.
    pub(crate) async fn end(self) -> Result<(), ArchiveError> {
        self.archive.remove(BUSY_FILE).await
    }
}
