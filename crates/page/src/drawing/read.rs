//! From a message of the queue to its drawings.

use super::budget::Budget;
use super::scene::{draw, draw_gone};
use super::view::{Drawing, Drawings};
use labelrelay_event::changes::{Annotation, Change, Changed, Key, Record};
use labelrelay_event::{Event, EventError};

/// Largest message that is looked into: reading takes several times its size in memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Things that one event is drawn for.
const MAX_THINGS: usize = 20;

/// A message, and the body where that lay in the blob store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version<'v> {
    pub(crate) message: Option<&'v [u8]>,
    pub(crate) body: Option<&'v [u8]>,
}

/// The drawings of `now` over `before`.
pub(crate) fn of(now: Version<'_>, before: Option<Version<'_>>) -> Drawings {
    let read = open(now).and_then(|event| Ok((changes_of(&event)?, event)));
    let (changes, event) = match read {
        Ok(read) => read,
        Err(words) => {
            return Drawings {
                drawings: Vec::new(),
                drawing_words: Some(words),
            };
        }
    };
    let mut words = Vec::new();
    let before = before.map(|before| changes_of(&open(before)?));
    let changes_before = match before {
        None => Vec::new(),
        Some(Ok(changes)) => changes,
        Some(Err(why)) => {
            words.push(format!("The version before cannot be compared: {why}"));
            Vec::new()
        }
    };
    if changes.len() > MAX_THINGS {
        let all = changes.len();
        words.push(format!(
            "The event is about {all} things: these are the first {MAX_THINGS}."
        ));
    }
    let mut budget = Budget::default();
    let things = changes.iter().take(MAX_THINGS);
    let drawings = things.map(|change| {
        let before = annotation_of(&changes_before, change.key());
        let mut drawing = drawing(change, before, event.raw().ok(), &mut budget);
        drawing.left_out.extend(budget.words());
        drawing
    });
    let drawings = drawings.collect::<Vec<_>>();
    Drawings {
        drawings,
        drawing_words: (!words.is_empty()).then(|| words.join(" ")),
    }
}

/// The event, with its body.
fn open(version: Version<'_>) -> Result<Event<'_>, String> {
    let Some(message) = version.message else {
        return Err("Only what became an event, and is still there, can be drawn.".to_owned());
    };
    let bytes = message.len().max(version.body.map_or(0, <[u8]>::len));
    if bytes > MAX_BYTES {
        let (bytes, most) = (bytes >> 20, MAX_BYTES >> 20);
        return Err(format!(
            "An event of {bytes} MiB is not drawn: {most} MiB are the most."
        ));
    }
    let event = Event::parse(message).map_err(|error| sentence(&error))?;
    if !event.is_claimed() {
        return Ok(event);
    }
    let Some(body) = version.body else {
        return Err("The body is in the blob store, so there is nothing to draw here.".to_owned());
    };
    event.with_body(body).map_err(|error| sentence(&error))
}

fn changes_of<'v>(event: &Event<'v>) -> Result<Vec<Change<'v>>, String> {
    event.changes().map_err(|error| sentence(&error))
}

fn sentence(error: &EventError) -> String {
    format!("{}.", error.reason())
}

fn annotation_of<'c, 'a>(changes: &'c [Change<'a>], key: &Key<'_>) -> Option<&'c Annotation<'a>> {
    changes.iter().find_map(|change| {
        let known = change.key();
        if known.kind != key.kind || known.id != key.id {
            return None;
        }
        match change {
            Change::Changed(found) => record_of(found),
            _ => None,
        }
    })
}

fn record_of<'c, 'a>(changed: &'c Changed<'a>) -> Option<&'c Annotation<'a>> {
    match changed.record.as_deref() {
        Some(Record::Annotation(annotation)) => Some(annotation),
        _ => None,
    }
}

fn drawing(
    change: &Change<'_>,
    before: Option<&Annotation<'_>>,
    body: Option<&[u8]>,
    budget: &mut Budget,
) -> Drawing {
    let mut drawing = match change {
        Change::Changed(changed) => match record_of(changed) {
            Some(now) => draw(now, before, body, budget),
            None => Drawing::default(),
        },
        _ => before.map_or_else(Drawing::default, |before| draw_gone(before, budget)),
    };
    let key = change.key();
    drawing.thing = format!("{} {}", key.kind, key.id);
    match change {
        Change::Changed(changed) => drawing.version.clone_from(&changed.version),
        Change::Removed(removed) => {
            drawing.gone = true;
            drawing
                .facts
                .push(("Removed, says", removed.by.as_str().to_owned()));
        }
        _ => {}
    }
    for parent in change.parents() {
        let fact = format!("{} {}", parent.kind, parent.id);
        drawing.facts.push(("Held by", fact));
    }
    drawing
}

#[cfg(test)]
mod tests;
