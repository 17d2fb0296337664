//! The queue, as the page looks into it: the event of a delivery, and the one about the same subject before it.

use super::deeds;
use crate::event_of_delivery::{self, gone};
use crate::output::one_line;
use labelrelay_core::{Clock, chain};
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{QueueFile, State, StoredEvent, file_of};
use labelrelay_page::{Acted, Action, BodyPart, DataError, Previous};
use labelrelay_record::{Filter, Pattern, Record, RecordError, Recorded};
use std::path::PathBuf;
use std::sync::Arc;

/// Deliveries before this one that are looked for on the queue. Where the newest of them are gone, older ones are as a
/// rule gone, too, and each that is missing costs a whole search.
const EARLIER_DELIVERIES: usize = 5;

/// Largest claimed body that is read for the page.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// The same of the version before, which is read to be drawn alone: what is larger is not drawn.
const MAX_BYTES_BEFORE: u64 = 16 * 1024 * 1024;

/// An envelope that refers to its body holds attributes alone. What is longer than those ever are holds its body, and is
/// not read through to know that.
const MAX_REFERENCE_BYTES: usize = 64 * 1024;

/// Where events are.
pub(super) enum Queue {
    /// In a file.
    File {
        file: PathBuf,
        clock: Arc<dyn Clock>,
        /// URL of the archive, where there is one; without a signature.
        archive: Option<String>,
    },
    /// Where only tools of its own look; by its name.
    Elsewhere(String),
}

/// What the queue has of a delivery.
#[derive(Default)]
pub(super) struct OnQueue {
    /// What became of the event, as a sentence.
    pub(super) state: Option<String>,
    /// The envelope.
    pub(super) message: Option<Vec<u8>>,
    /// The body, where the envelope does not hold it.
    pub(super) body: BodyPart,
    /// The event about the same subject before this one.
    pub(super) previous: Option<Previous>,
    /// What can be done with the event.
    pub(super) actions: Vec<Action>,
}

impl OnQueue {
    fn missing(words: String) -> Self {
        Self {
            body: BodyPart::Missing(words.clone()),
            state: Some(words),
            ..Self::default()
        }
    }
}

impl Queue {
    /// Looks for the event of an accepted delivery.
    pub(super) fn look(
        &self,
        record: &dyn Record,
        delivery: &Recorded,
    ) -> Result<OnQueue, RecordError> {
        let (file, clock, archive) = match self {
            Self::File {
                file,
                clock,
                archive,
            } => (file, clock, archive.as_deref()),
            Self::Elsewhere(name) => {
                return Ok(OnQueue::missing(event_of_delivery::elsewhere(name)));
            }
        };
        let file = match QueueFile::open(file, Arc::clone(clock)) {
            Ok(file) => file,
            Err(error) => return Ok(OnQueue::missing(chain(&error))),
        };
        let first = first_delivery(record, delivery)?;
        let first = first.as_ref().unwrap_or(delivery);
        let mut found = match stored(&file, first) {
            Ok(Some(stored)) => OnQueue {
                state: Some(state(&stored)),
                body: claimed_body(&stored.envelope, MAX_BODY_BYTES),
                actions: deeds::possible(&stored),
                message: Some(stored.envelope),
                previous: None,
            },
            Ok(None) => OnQueue::missing(gone(&first.row, archive)),
            Err(words) => OnQueue::missing(words),
        };
        found.previous = previous(record, &file, first)?;
        Ok(found)
    }
}

impl Queue {
    /// Does something with the event of an accepted delivery.
    pub(super) fn act(
        &self,
        record: &dyn Record,
        delivery: &Recorded,
        action: Action,
    ) -> Result<Acted, DataError> {
        let (file, clock, archive) = match self {
            Self::File {
                file,
                clock,
                archive,
            } => (file, clock, archive.as_deref()),
            Self::Elsewhere(name) => {
                return Ok(Acted::Refused(format!(
                    "the event is on {name}, where its own tools do this"
                )));
            }
        };
        let file =
            QueueFile::open(file, Arc::clone(clock)).map_err(|error| DataError(chain(&error)))?;
        let first = first_delivery(record, delivery).map_err(|error| DataError(chain(&error)))?;
        let first = first.as_ref().unwrap_or(delivery);
        match stored(&file, first).map_err(DataError)? {
            Some(stored) => deeds::act(&file, &stored, action, &**clock),
            None => Ok(Acted::Refused(gone(&first.row, archive))),
        }
    }
}

/// The delivery that brought the event: a repeat was not the first.
fn first_delivery(
    record: &dyn Record,
    delivery: &Recorded,
) -> Result<Option<Recorded>, RecordError> {
    let Some(id) = &delivery.row.event_id else {
        return Ok(None);
    };
    let filter = Filter {
        id: Some(Pattern::exactly(id)),
        outcome: Some(Pattern::exactly("accepted")),
        before: Some(delivery.number.saturating_add(1)),
        newest_first: true,
        ..Filter::default()
    };
    Ok(record.list(&filter, 1)?.pop())
}

/// Its event on the queue; why it cannot be read, as a sentence.
fn stored(file: &QueueFile, delivery: &Recorded) -> Result<Option<StoredEvent>, String> {
    let Some(id) = &delivery.row.event_id else {
        return Ok(None);
    };
    event_of_delivery::find(file, id, &delivery.row).map_err(|error| chain(&error))
}

fn previous(
    record: &dyn Record,
    file: &QueueFile,
    delivery: &Recorded,
) -> Result<Option<Previous>, RecordError> {
    let row = &delivery.row;
    let Some(subject) = &row.subject else {
        return Ok(None);
    };
    let filter = Filter {
        subject: Some(Pattern::exactly(subject)),
        source: row.source.as_deref().map(Pattern::exactly),
        outcome: Some(Pattern::exactly("accepted")),
        before: Some(delivery.number),
        newest_first: true,
        ..Filter::default()
    };
    for earlier in record.list(&filter, EARLIER_DELIVERIES)? {
        if earlier.row.event_id == row.event_id {
            continue;
        }
        // One that is gone or damaged is no reason to show none.
        if let Ok(Some(stored)) = stored(file, &earlier) {
            let body = match claimed_body(&stored.envelope, MAX_BYTES_BEFORE) {
                BodyPart::Whole(body) => Some(body),
                _ => None,
            };
            return Ok(Some(Previous {
                name: earlier.name(),
                message: stored.envelope,
                body,
            }));
        }
    }
    Ok(None)
}

fn state(stored: &StoredEvent) -> String {
    let (seq, count) = (stored.event.seq, stored.event.receive_count);
    let times = if count == 1 { "time" } else { "times" };
    match stored.event.state {
        State::Ready if count == 0 => format!("event {seq} waits on the queue"),
        State::Ready => {
            format!("event {seq} waits on the queue again: it was received {count} {times}")
        }
        State::InFlight => format!("a consumer has event {seq}: received {count} {times}"),
        State::Acknowledged => format!("a consumer is done with event {seq}"),
        _ => {
            let why = match &stored.event.reason {
                Some(reason) => format!("it was rejected ({}); mend that", one_line(reason)),
                None => {
                    format!("received {count} {times}, and never acknowledged; mend the consumer")
                }
            };
            format!("event {seq} is a dead letter: {why}, then `labelrelay events retry {seq}`")
        }
    }
}

/// The body of an envelope that only refers to it, unless it is larger than `most`.
fn claimed_body(envelope: &[u8], most: u64) -> BodyPart {
    if envelope.len() > MAX_REFERENCE_BYTES {
        return BodyPart::None;
    }
    let Ok(envelope) = Envelope::decode(envelope) else {
        return BodyPart::None;
    };
    if !matches!(envelope.data, Data::Reference) {
        return BodyPart::None;
    }
    let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
    let Some(file) = file_of(place) else {
        // A query may be a signature.
        let place = place.split('?').next().unwrap_or_default();
        return BodyPart::Missing(format!(
            "the body is at {place}, and the cloud's own tools fetch it"
        ));
    };
    let cannot = |error: std::io::Error| {
        BodyPart::Missing(format!("{} cannot be read: {error}", file.display()))
    };
    match file.metadata() {
        // Whoever opens a pipe may wait for ever.
        Ok(about) if !about.is_file() => {
            return BodyPart::Missing(format!("{} is no file", file.display()));
        }
        Ok(about) if about.len() > most => {
            return BodyPart::Missing(format!(
                "the body has {} bytes, more than is shown; it is the file {}",
                about.len(),
                file.display()
            ));
        }
        Ok(_) => {}
        Err(error) => return cannot(error),
    }
    match std::fs::read(&file) {
        Ok(body) if envelope.matches_digest(&body) => BodyPart::Whole(body),
        Ok(_) => BodyPart::Missing(format!(
            "{} is not the body that came: its digest is another",
            file.display()
        )),
        Err(error) => cannot(error),
    }
}
