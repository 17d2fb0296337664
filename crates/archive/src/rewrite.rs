//! Writes files anew, for what has to be forgotten. It is the one thing that changes a line.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::lease::{Lease, Work};
use crate::packed::pack;
use labelrelay_local::Filter;

/// What was written anew.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewritten {
    /// Events that were changed.
    pub events: u64,
    /// Files that they are in.
    pub files: u64,
    /// Names of files that cannot be read to their end, and were left as they are.
    pub unreadable: Vec<String>,
}

impl Archive {
    /// Changes every envelope for which `change` gives another one, on one line. Each file is replaced in one step: a reader
    /// sees all of it as it was, or all of it as it is now.
    ///
    /// # Errors
    /// [`ArchiveError`], [`Busy`](ArchiveError::Busy) while [`compact`](Self::compact) or another `rewrite` is under way. What
    /// was done until then stays done.
    pub async fn rewrite(
        &self,
        change: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Rewritten, ArchiveError> {
        let mut lease = Lease::begin(self, Work::Forget).await?;
        let done = self.rewrite_all(change, &mut lease).await;
        let ended = lease.end().await;
        let done = done?;
        ended.map(|()| done)
    }

    async fn rewrite_all(
        &self,
        change: impl Fn(&[u8]) -> Option<Vec<u8>>,
        lease: &mut Lease<'_>,
    ) -> Result<Rewritten, ArchiveError> {
        let mut done = Rewritten::default();
        for segment in self.list(&Filter::default()).await?.segments {
            lease.keep().await?;
            let Some(lines) = self.read(&segment).await? else {
                continue;
            };
            if lines.damage().is_some() {
                done.unreadable.push(segment.name());
                continue;
            }
            let changed: Vec<Option<Vec<u8>>> = lines.whole().map(&change).collect();
            let events = changed.iter().flatten().count();
            if events == 0 {
                continue;
            }
            let all = lines.whole().zip(&changed);
            let all = all.map(|(line, changed)| changed.as_deref().unwrap_or(line));
            let packed = pack(all)?;
            lease.keep().await?;
            self.replace(&segment.name(), packed).await?;
            done.events += events as u64;
            done.files += 1;
        }
        Ok(done)
    }
}
