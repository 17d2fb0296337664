//! What is in an archive.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::{SOURCES, Segment};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use labelrelay_local::Filter;
use std::collections::HashSet;

/// Files of an archive.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// Files of events, by day and number. Each event is in one of them, but for those that were written twice.
    pub segments: Vec<Segment>,
    /// Smaller files whose events are in larger ones: what put them together was ended before it removed them.
    pub superseded: Vec<Segment>,
    /// Names of files in the folders of sources that are none of an archive's.
    pub foreign: Vec<String>,
}

impl Archive {
    /// The files that may have events that pass `filter`.
    ///
    /// # Errors
    /// [`ArchiveError`] when the store cannot be read.
    pub async fn list(&self, filter: &Filter) -> Result<Listing, ArchiveError> {
        let day = |ms: i64| -> Option<Date> {
            let time = Timestamp::from_millisecond(ms).ok()?;
            Some(time.to_zoned(TimeZone::UTC).date())
        };
        let (from, before) = (filter.from_ms.and_then(day), filter.before_ms.and_then(day));
        let mut listing = Listing::default();
        for name in self.names(SOURCES).await? {
            match Segment::parse(&name) {
                Some(segment) => {
                    let is_asked_for = from.is_none_or(|from| segment.date >= from)
                        && before.is_none_or(|before| segment.date <= before);
                    if is_asked_for {
                        listing.segments.push(segment);
                    }
                }
                None => listing.foreign.push(name),
            }
        }
        listing.segments.sort_unstable();
        listing.set_superseded_aside();
        Ok(listing)
    }
}

impl Listing {
    fn set_superseded_aside(&mut self) {
        // Of one writer, source and day, a file that covers others comes right before them.
        let place = |it: &Segment| (it.writer, it.date, it.first);
        let mut ordered: Vec<&Segment> = self.segments.iter().collect();
        ordered.sort_by(|a, b| {
            let by_place = place(a).cmp(&place(b)).then(b.last.cmp(&a.last));
            a.source.cmp(&b.source).then(by_place)
        });
        let mut cover: Option<&Segment> = None;
        let mut superseded = HashSet::new();
        for segment in ordered {
            match cover {
                Some(larger) if larger.covers(segment) => {
                    superseded.insert(segment.clone());
                }
                _ => cover = Some(segment),
            }
        }
        if superseded.is_empty() {
            return;
        }
        self.segments
            .retain(|segment| !superseded.contains(segment));
        self.superseded.extend(superseded);
        self.superseded.sort_unstable();
    }
}
