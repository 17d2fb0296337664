//! What is in an archive.

use crate::archive::Archive;
use crate::error::ArchiveError;
use crate::layout::{SOURCES, Segment, is_folder};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use labelrelay_local::Filter;

/// Files of an archive.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// Files of events, by day and number. An event is in two of them where a queue file was copied, or where smaller files
    /// are just being put together.
    pub segments: Vec<Segment>,
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
                None if is_folder(&name) => {}
                None => listing.foreign.push(name),
            }
        }
        listing.segments.sort_unstable();
        Ok(listing)
    }
}
