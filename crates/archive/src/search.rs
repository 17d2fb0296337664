//! Finds events in the lines of a file.

use crate::packed::Lines;
use jiff::Timestamp;
use labelrelay_event::Attributes;
use labelrelay_local::{Filter, Pattern};
use memchr::memmem::Finder;

/// An event of an archive. There is no `Debug`: the envelope is other people's data.
#[derive(Clone)]
#[non_exhaustive]
pub struct ArchivedEvent<'a> {
    /// Everything but the data.
    pub attributes: Attributes,
    /// When it was received, milliseconds since 1970.
    pub received_ms: i64,
    /// The envelope, on one line.
    pub envelope: &'a [u8],
}

/// A search for events.
#[derive(Debug)]
pub struct Search {
    filter: Filter,
    /// Text that every line has that is searched for.
    needle: Option<Finder<'static>>,
}

impl Search {
    /// A search for events that pass `filter`. In an archive, no event has a state or a number.
    pub fn new(filter: Filter) -> Self {
        let needle = needle(&filter);
        Self { filter, needle }
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The events that pass, in the order of the lines. A line that is none of an archive's is an error that says why.
    pub fn events<'a>(
        &'a self,
        lines: &'a Lines,
    ) -> impl Iterator<Item = Result<ArchivedEvent<'a>, String>> {
        let may_pass = move |line: &&[u8]| {
            let needle = self.needle.as_ref();
            needle.is_none_or(|needle| needle.find(line).is_some())
        };
        let lines = lines.whole().filter(may_pass);
        lines.filter_map(move |line| match event(line) {
            Ok(event) => {
                let passes = self.filter.passes(&event.attributes, event.received_ms);
                passes.then_some(Ok(event))
            }
            Err(reason) => Some(Err(reason)),
        })
    }
}

/// A text that every line has whose event passes, if there is one.
fn needle(filter: &Filter) -> Option<Finder<'static>> {
    let patterns = [
        &filter.id,
        &filter.subject,
        &filter.delivery,
        &filter.project,
        &filter.event_type,
    ];
    // In a line, other characters may be written in several ways.
    let plain = |character: u8| character.is_ascii_graphic() && !b"\"\\/".contains(&character);
    let mut texts = patterns.into_iter().flatten().map(Pattern::text);
    texts.find_map(|text| {
        // A slash has two forms in JSON, so what is longest between two of them is looked for.
        let longest = text.split('/').max_by_key(|part| part.len())?;
        let is_plain = !longest.is_empty() && longest.bytes().all(plain);
        is_plain.then(|| Finder::new(longest.as_bytes()).into_owned())
    })
}

fn event(envelope: &[u8]) -> Result<ArchivedEvent<'_>, String> {
    let attributes: Attributes =
        serde_json::from_slice(envelope).map_err(|error| format!("no envelope ({error})"))?;
    let received = attributes.receivedtime.parse::<Timestamp>();
    let received = received.map_err(|error| format!("no time of receipt ({error})"))?;
    Ok(ArchivedEvent {
        received_ms: received.as_millisecond(),
        attributes,
        envelope,
    })
}
