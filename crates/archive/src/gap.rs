//! Notes on what an archive should have and has not. Nothing is made up for it: whoever reads is told.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::GAPS;
use serde::{Deserialize, Serialize};

/// Events that the archive has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// Random name of the writer, in hexadecimal digits.
    pub writer: String,
    /// Number of the first one in the writer's queue.
    pub first: u64,
    /// Number of the last one. Events between them may be in the archive.
    pub last: u64,
    /// How many there are, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// Why they are missing.
    pub reason: Reason,
}

/// Why events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The queue had removed them before they could be written.
    Pruned,
    /// The queue could not read them any more, or they were no envelopes.
    Damaged,
}

impl Gap {
    pub(crate) fn new(
        writer: u64,
        (first, last): (u64, u64),
        events: Option<u64>,
        reason: Reason,
    ) -> Self {
        Self {
            writer: format!("{writer:016x}"),
            first,
            last,
            events,
            reason,
        }
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(events) = self.events {
            write!(f, "{events} events ")?;
        } else {
            f.write_str("events ")?;
        }
        let Self {
            writer,
            first,
            last,
            reason,
            ..
        } = self;
        let why = match reason {
            Reason::Pruned => "they were pruned before the archive could be written",
            Reason::Damaged => "the queue file was damaged there",
        };
        write!(
            f,
            "with numbers from {first} to {last} of writer {writer}: {why}"
        )
    }
}

impl Archive {
    /// Notes a gap. A note that is there stays.
    pub(crate) async fn note(&self, gap: &Gap) -> Result<(), ArchiveError> {
        let Gap {
            writer,
            first,
            last,
            ..
        } = gap;
        let name = format!("{GAPS}{writer}-{first:020}-{last:020}.json");
        let text = serde_json::to_vec(gap).unwrap_or_default();
        self.create(&name, text.into()).await.map(drop)
    }

    /// Everything that is known to be missing.
    ///
    /// # Errors
    /// [`ArchiveError`] when the store cannot be read.
    pub async fn gaps(&self) -> Result<Vec<Gap>, ArchiveError> {
        let mut gaps = Vec::new();
        for name in self.names(GAPS).await? {
            let text = self.get(&name).await?.unwrap_or_default();
            // What is no note was put there by somebody else.
            gaps.extend(serde_json::from_slice::<Gap>(&text).ok());
        }
        Ok(gaps)
    }
}
