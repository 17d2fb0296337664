//! What the page shows, out of an archive: what each event is about from memory, and its envelope from its file.

use crate::error::CliError;
use crate::from_archive::FromArchive;
use jiff::Timestamp;
use labelrelay_archive::{Archive, ArchiveError, ArchivedEvent, Search};
use labelrelay_core::chain;
use labelrelay_core::time::rfc3339;
use labelrelay_event::{Attributes, Data, Envelope};
use labelrelay_local::{Filter, Pattern};
use labelrelay_page::{
    BodyPart, DataError, Delivery, ListQuery, Listing, PageData, Part, PartState, Previous, Show,
    SourceView, Summary,
};
use tokio::runtime::Runtime;

/// Events that are held beyond those that are shown, until they are sorted.
const MOST_HELD: usize = 10_000;

/// A shorter text is a whole id.
const BEGINNING: usize = 6;

pub(super) struct ArchivedData {
    runtime: Runtime,
    archive: Archive,
    /// By their time. The first one has the number 1.
    entries: Vec<Entry>,
    /// How the archive is, as a sentence.
    state: PartState,
}

struct Entry {
    summary: Summary,
    replayedtime: Option<String>,
}

impl Entry {
    fn of(event: &ArchivedEvent<'_>) -> Self {
        let attributes: &Attributes = &event.attributes;
        let source = attributes.source.trim_start_matches('/');
        Self {
            summary: Summary {
                arrived_ms: event.received_ms,
                outcome: "archived".to_owned(),
                source: Some(source.to_owned()),
                event_type: Some(attributes.event_type.clone()),
                subject: attributes.subject.clone(),
                project: attributes.project.clone(),
                event_id: Some(attributes.id.clone()),
                delivery_id: attributes.deliveryid.clone(),
                // An archive does not know what was answered, nor when.
                ..Summary::default()
            },
            replayedtime: attributes.replayedtime.clone(),
        }
    }

    fn passes(&self, query: &ListQuery) -> bool {
        let summary = &self.summary;
        let within = |asked: &Option<String>, value: &Option<String>| {
            asked.as_deref().is_none_or(|asked| {
                let value = value.as_deref();
                value.is_some_and(|value| Pattern::within(asked).matches(value))
            })
        };
        // What is here was accepted.
        matches!(query.show, Show::All | Show::Accepted)
            && within(&query.source, &summary.source)
            && within(&query.event_type, &summary.event_type)
            && within(&query.subject, &summary.subject)
            && query.project.as_deref().is_none_or(|asked| {
                let project = summary.project.as_deref();
                project.is_some_and(|project| Pattern::is(asked).matches(project))
            })
            && query.from_ms.is_none_or(|from| summary.arrived_ms >= from)
            && query
                .before_ms
                .is_none_or(|before| summary.arrived_ms < before)
            && query.after.is_none_or(|after| summary.number > after)
            && query.before.is_none_or(|before| summary.number < before)
            && query
                .search
                .as_deref()
                .is_none_or(|text| self.is_called(text))
    }

    /// Tells whether one of its ids is this text, or begins so.
    fn is_called(&self, text: &str) -> bool {
        let summary = &self.summary;
        let is_id = |id: &str| id == text || text.len() >= BEGINNING && id.starts_with(text);
        let ids = [
            &summary.event_id,
            &summary.delivery_id,
            &summary.subject,
            &summary.project,
        ];
        let of_subject = summary.subject.as_deref().and_then(|subject| {
            let (_, id) = subject.split_once('/')?;
            Some(id)
        });
        summary.name() == text
            || ids.into_iter().flatten().any(|id| is_id(id))
            || of_subject.is_some_and(is_id)
    }
}

impl ArchivedData {
    /// Reads what the newest events are about, `limit` at most.
    pub(super) fn read(from: FromArchive, limit: usize) -> Result<Self, CliError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut day = String::new();
        let newest = |entries: &mut Vec<Entry>| {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.summary.arrived_ms));
            entries.truncate(limit);
        };
        let troubles = from.each(|event| {
            let received = &event.attributes.receivedtime;
            let its_day = received.get(..10).unwrap_or_default();
            // Files are by day, the newest first: only on one day may a later file have a later event.
            if its_day != day {
                if entries.len() >= limit {
                    return Ok(false);
                }
                its_day.clone_into(&mut day);
            }
            entries.push(Entry::of(event));
            if entries.len() >= limit.saturating_add(MOST_HELD) {
                newest(&mut entries);
            }
            Ok(true)
        })?;
        newest(&mut entries);
        entries.reverse();
        for (number, entry) in (1..).zip(&mut entries) {
            entry.summary.number = number;
        }
        from.tell_gaps()?;
        let state = state(from.url(), &entries, troubles);
        let (runtime, archive) = from.into_parts();
        Ok(Self {
            runtime,
            archive,
            entries,
            state,
        })
    }

    /// The event of this name, by its number or by an id; the newest of several.
    fn entry(&self, name: &str) -> Option<&Entry> {
        let named = |entry: &&Entry| {
            let summary = &entry.summary;
            let ids = [&summary.event_id, &summary.delivery_id];
            summary.name() == name || ids.into_iter().flatten().any(|id| id == name)
        };
        let newest_first = || self.entries.iter().rev();
        let exact = newest_first().find(named);
        exact.or_else(|| newest_first().find(|entry| entry.is_called(name)))
    }

    /// The event about the same thing before this one.
    fn before(&self, entry: &Entry) -> Option<&Entry> {
        let this = &entry.summary;
        let subject = this.subject.as_ref()?;
        self.entries.iter().rev().find(|earlier| {
            let other = &earlier.summary;
            other.number < this.number
                && other.subject.as_ref() == Some(subject)
                && other.source == this.source
                && other.event_id != this.event_id
        })
    }

    /// The envelope; `None` if the file that had it is gone.
    fn envelope(&self, entry: &Entry) -> Result<Option<Vec<u8>>, ArchiveError> {
        let summary = &entry.summary;
        let search = Search::new(Filter {
            id: summary.event_id.as_deref().map(Pattern::begins),
            from_ms: Some(summary.arrived_ms),
            before_ms: Some(summary.arrived_ms.saturating_add(1)),
            ..Filter::default()
        });
        self.runtime.block_on(async {
            for segment in self.archive.list(search.filter()).await?.segments {
                // A name that is no source's has a folder that begins so.
                let is_its_own = Some(&segment.source) == summary.source.as_ref();
                if !is_its_own && !segment.source.starts_with('_') {
                    continue;
                }
                // Files may have been put together since.
                let Some(lines) = self.archive.read(&segment).await? else {
                    continue;
                };
                let found = search.events(&lines).flatten().find(|event| {
                    Some(&event.attributes.id) == summary.event_id.as_ref()
                        && event.attributes.replayedtime == entry.replayedtime
                });
                if let Some(event) = found {
                    return Ok(Some(event.envelope.to_vec()));
                }
            }
            Ok::<_, ArchiveError>(None)
        })
    }

    fn found(&self, name: &str) -> Result<Option<Delivery>, ArchiveError> {
        let Some(entry) = self.entry(name) else {
            return Ok(None);
        };
        let message = self.envelope(entry)?;
        let mut summary = entry.summary.clone();
        let mut body = BodyPart::None;
        match message.as_deref().map(Envelope::decode) {
            None => {
                let words = "the archive does not have this event any more: look again";
                body = BodyPart::Missing(words.to_owned());
            }
            Some(Ok(envelope)) if matches!(envelope.data, Data::Reference) => {
                let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
                // A query may be a signature.
                let place = place.split('?').next().unwrap_or_default();
                let words = format!("the body is at {place}, and not in the archive");
                body = BodyPart::Missing(words);
            }
            Some(Ok(envelope)) => {
                let bytes = envelope.data.bytes().ok().flatten();
                let length = bytes.map_or(0, |bytes| bytes.len());
                summary.body_bytes = i64::try_from(length).unwrap_or(i64::MAX);
            }
            // The page says what is wrong with it.
            Some(Err(_)) => {}
        }
        let previous = match self.before(entry) {
            Some(earlier) => self.envelope(earlier)?.map(|message| Previous {
                name: earlier.summary.name(),
                message,
                body: None,
            }),
            None => None,
        };
        Ok(Some(Delivery {
            summary,
            message,
            body,
            previous,
            ..Delivery::default()
        }))
    }
}

impl PageData for ArchivedData {
    fn list(&self, query: &ListQuery, limit: usize) -> Result<Listing, DataError> {
        let passing = self.entries.iter().rev();
        let passing = passing.filter(|entry| entry.passes(query));
        Ok(Listing {
            deliveries: passing
                .take(limit)
                .map(|entry| entry.summary.clone())
                .collect(),
            newest: self.entries.last().map(|entry| entry.summary.number),
            lost: 0,
        })
    }

    fn delivery(&self, name: &str) -> Result<Option<Delivery>, DataError> {
        self.found(name).map_err(|error| DataError(chain(&error)))
    }

    fn strip(&self) -> Vec<PartState> {
        vec![self.state.clone()]
    }

    fn sources(&self) -> Vec<SourceView> {
        Vec::new()
    }
}

fn state(url: &str, entries: &[Entry], troubles: u64) -> PartState {
    let newest = entries.last().map_or_else(
        || "no event passes".to_owned(),
        |newest| {
            let time = Timestamp::from_millisecond(newest.summary.arrived_ms);
            let time = time.map(rfc3339).unwrap_or_default();
            format!("{} events, the newest of {time}", entries.len())
        },
    );
    let words = match troubles {
        0 => format!("the archive {url}: {newest}"),
        _ => format!(
            "the archive {url}: {newest}; {troubles} files or lines could not be read, and `labelrelay events list --from` names them"
        ),
    };
    PartState {
        part: Part::Source,
        is_ok: troubles == 0,
        words,
    }
}
