//! Puts small files together. A relay that writes a file a minute leaves more than a thousand a day, and each costs whoever
//! reads them a request.
//!
//! The larger file is there, whole, before a smaller one is removed. So nothing is lost at any moment; in between, events are
//! there twice, and the next run removes what this one left.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::Segment;
use crate::lease::{Lease, Work};
use crate::packed::Lines;
use jiff::civil::Date;
use labelrelay_event::Digest;
use labelrelay_local::Filter;
use std::collections::{BTreeMap, HashSet};

/// Unpacked size at which a file is large enough. The lines of one are in memory.
const ENOUGH_BYTES: usize = 64 * 1024 * 1024;

/// What was put together.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compacted {
    /// Files that were removed.
    pub removed: u64,
    /// Files that their lines are in now.
    pub written: u64,
    /// Names of files that cannot be read, and were left as they are.
    pub unreadable: Vec<String>,
}

/// Files that become one.
#[derive(Default)]
struct Group {
    segments: Vec<Segment>,
    lines: Vec<Vec<u8>>,
    seen: HashSet<Digest>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, segment: Segment, lines: &Lines) {
        self.segments.push(segment);
        for line in lines.whole() {
            // A run that was ended in the middle left the same lines in two files.
            if self.seen.insert(Digest::of(line)) {
                self.bytes += line.len();
                self.lines.push(line.to_vec());
            }
        }
    }
}

impl Archive {
    /// Puts the files of each source, day and writer together, of days before `before`. Deliveries may go on meanwhile, and
    /// so may a reader; one that has listed the smaller files finds them gone.
    ///
    /// # Errors
    /// [`ArchiveError`], [`Busy`](ArchiveError::Busy) while [`rewrite`](Self::rewrite) is under way. What was done until then
    /// stays done.
    pub async fn compact(&self, before: Date) -> Result<Compacted, ArchiveError> {
        let listing = self.list(&Filter::default()).await?;
        let mut places: BTreeMap<_, Vec<Segment>> = BTreeMap::new();
        for segment in listing.segments {
            if segment.date < before {
                places.entry(segment.place()).or_default().push(segment);
            }
        }
        places.retain(|_, segments| segments.len() > 1);
        if places.is_empty() {
            return Ok(Compacted::default());
        }
        let mut lease = Lease::begin(self, Work::Compact).await?;
        let done = self.compact_places(places.into_values(), &mut lease).await;
        let ended = lease.end().await;
        let done = done?;
        ended.map(|()| done)
    }

    async fn compact_places(
        &self,
        places: impl Iterator<Item = Vec<Segment>>,
        lease: &mut Lease<'_>,
    ) -> Result<Compacted, ArchiveError> {
        let mut done = Compacted::default();
        for segments in places {
            self.compact_place(segments, lease, &mut done).await?;
        }
        Ok(done)
    }

    /// Files of one place, in the order of their numbers.
    async fn compact_place(
        &self,
        segments: Vec<Segment>,
        lease: &mut Lease<'_>,
        done: &mut Compacted,
    ) -> Result<(), ArchiveError> {
        let mut group = Group::default();
        for segment in segments {
            lease.keep().await?;
            // Somebody else may put them together, too.
            let Some(lines) = self.read(&segment).await? else {
                continue;
            };
            if lines.damage().is_some() {
                done.unreadable.push(segment.name());
                self.put_together(&std::mem::take(&mut group), lease, done)
                    .await?;
                continue;
            }
            group.add(segment, &lines);
            if group.bytes >= ENOUGH_BYTES {
                self.put_together(&std::mem::take(&mut group), lease, done)
                    .await?;
            }
        }
        self.put_together(&group, lease, done).await
    }

    async fn put_together(
        &self,
        group: &Group,
        lease: &mut Lease<'_>,
        done: &mut Compacted,
    ) -> Result<(), ArchiveError> {
        let Some(first) = group.segments.first().filter(|_| group.segments.len() > 1) else {
            return Ok(());
        };
        let mut together = first.clone();
        for segment in &group.segments {
            together.first = together.first.min(segment.first);
            together.last = together.last.max(segment.last);
        }
        lease.keep().await?;
        // One of them may have this name already, and lack what others have.
        self.write(&together, &group.lines).await?;
        done.written += 1;
        for segment in group.segments.iter().filter(|it| **it != together) {
            self.remove(&segment.name()).await?;
            done.removed += 1;
        }
        Ok(())
    }
}
