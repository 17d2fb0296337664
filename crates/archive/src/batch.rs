//! Events on their way into an archive: those between two numbers of one queue, by source and day.

use crate::layout::{Segment, source_of};
use crate::line::on_one_line;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What decides in which file an event is.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    receivedtime: Cow<'a, str>,
}

/// Events to be written together.
#[derive(Default)]
pub(crate) struct Batch {
    /// Number of the last one that was added.
    pub(crate) last: u64,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    /// Numbers of those that are no envelopes.
    pub(crate) unreadable: Vec<u64>,
    files: BTreeMap<(String, Date), Vec<Vec<u8>>>,
}

impl Batch {
    /// Adds the event with this number, which was queued at `queued_ms`, milliseconds since 1970.
    pub(crate) fn add(&mut self, number: u64, queued_ms: i64, envelope: Vec<u8>) {
        self.last = number;
        let Some(place) = place(&envelope, queued_ms) else {
            self.unreadable.push(number);
            return;
        };
        let changed = match on_one_line(&envelope) {
            Cow::Borrowed(_) => None,
            Cow::Owned(line) => Some(line),
        };
        // Not copied: one may be most of the memory.
        let line = changed.unwrap_or(envelope);
        // What is no envelope may be left as it is, and would be several lines.
        if line.contains(&b'\n') {
            self.unreadable.push(number);
            return;
        }
        self.events += 1;
        self.bytes += line.len();
        self.files.entry(place).or_default().push(line);
    }

    /// The files of the batch, each with its lines. `first` is the number from which on it was read.
    pub(crate) fn files(
        &self,
        writer: u64,
        first: u64,
    ) -> impl Iterator<Item = (Segment, &[Vec<u8>])> {
        self.files.iter().map(move |((source, date), lines)| {
            let segment = Segment {
                date: *date,
                first,
                last: self.last,
                writer,
                source: source.clone(),
            };
            (segment, lines.as_slice())
        })
    }
}

/// Source and day of an envelope; `None` if it is none.
fn place(envelope: &[u8], queued_ms: i64) -> Option<(String, Date)> {
    let head: Head<'_> = serde_json::from_slice(envelope).ok()?;
    let source = source_of(&head.source).to_owned();
    Some((source, day(&head.receivedtime, queued_ms)))
}

/// The day of a time as envelopes have it, which is one of UTC; else that on which the event was queued.
fn day(received: &str, queued_ms: i64) -> Date {
    let written = received.parse::<Timestamp>();
    let time = written.or_else(|_| Timestamp::from_millisecond(queued_ms));
    time.unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_that_of_utc() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(day("2026-11-24T23:59:59.9Z", 0), date("2026-11-24"));
        assert_eq!(day("2026-11-24T23:59:59-02:00", 0), date("2026-11-25"));
        assert_eq!(day("yesterday", 86_400_000), date("1970-01-02"));
        assert_eq!(day("", i64::MAX), date("1970-01-01"));
    }

    #[test]
    fn events_are_parted_by_source_and_day_and_what_is_none_is_named() {
        let mut batch = Batch::default();
        let event = |source: &str, day: &str| {
            format!(
                "{{\"id\":\"1\",\"source\":\"/{source}\",\"receivedtime\":\"{day}T00:00:00Z\",\n\"data_base64\":\"\",\"datasha256\":\"\",\"specversion\":\"1.0\",\"type\":\"a.b\"}}"
            )
        };
        batch.add(3, 0, event("b", "2026-01-02").into_bytes());
        batch.add(4, 0, event("a", "2026-01-02").into_bytes());
        batch.add(5, 0, b"{\"source\":".to_vec());
        batch.add(6, 0, event("b", "2026-01-02").into_bytes());
        batch.add(7, 0, event("b", "2026-01-01").into_bytes());
        let files: Vec<_> = batch
            .files(1, 2)
            .map(|(file, lines)| (file.name(), lines.len()))
            .collect();
        let name = |source: &str, day: &str| {
            format!(
                "source={source}/date={day}/0000000000000001-00000000000000000002-00000000000000000007.ndjson.gz"
            )
        };
        assert_eq!(
            files,
            [
                (name("a", "2026-01-02"), 1),
                (name("b", "2026-01-01"), 1),
                (name("b", "2026-01-02"), 2),
            ]
        );
        assert_eq!(batch.unreadable, [5]);
        assert_eq!((batch.last, batch.events), (7, 4));
    }
}
