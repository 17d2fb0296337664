//! One event on one line: for people, and for programs.

use crate::output::{one_line, print, print_json, say};
use jiff::Timestamp;
use labelrelay_local::{Event, State};
use serde::Serialize;
use serde_json::value::RawValue;

/// An event as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    seq: u64,
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    state: &'static str,
    receive_count: u32,
    received: String,
    envelope_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a RawValue>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(event: &'a Event, envelope: Option<&'a RawValue>) -> Self {
        Self {
            seq: event.seq,
            id: &event.id,
            event_type: &event.event_type,
            source: &event.source,
            subject: event.subject.as_deref(),
            state: event.state.as_str(),
            receive_count: event.receive_count,
            received: received(event),
            envelope_bytes: event.envelope_bytes,
            envelope,
        }
    }
}

/// Time of arrival, RFC 3339.
pub(crate) fn received(event: &Event) -> String {
    Timestamp::from_millisecond(event.received_ms)
        .map(labelrelay_core::time::rfc3339)
        .unwrap_or_default()
}

/// The columns of [`line()`].
pub(crate) const HEADING: &str =
    "     SEQ  RECEIVED                     STATE         BYTES  TYPE  SUBJECT";

/// The line for people.
pub(crate) fn line(event: &Event) -> String {
    let mut state = event.state.as_str().replace('_', " ");
    if event.state == State::InFlight || event.state == State::Dead {
        state = format!("{state} {}", event.receive_count);
    }
    format!(
        "{:>8}  {:<27}  {state:<12} {:>6}  {}  {}",
        event.seq,
        received(event),
        event.envelope_bytes,
        one_line(&event.event_type),
        one_line(event.subject.as_deref().unwrap_or("-")),
    )
}

/// So many are asked for that it is seen whether there are more than `limit`.
pub(crate) fn one_more(limit: usize) -> usize {
    limit.saturating_add(1)
}

/// Prints the first `limit` of the events, and whether there are more.
pub(crate) fn print_list(events: &[Event], limit: usize, json: bool) -> std::io::Result<()> {
    let shown = events.get(..limit).unwrap_or(events);
    print_all(shown, json)?;
    if shown.len() < events.len() {
        // To whoever reads JSON too: what is left out looks like all there is.
        say(format_args!(
            "{limit} are shown, and there are more; --limit N shows N of them"
        ));
    }
    Ok(())
}

fn print_all(events: &[Event], json: bool) -> std::io::Result<()> {
    if !json && !events.is_empty() {
        print(format_args!("{HEADING}"))?;
    }
    for event in events {
        if json {
            print_json(&Row::new(event, None))?;
        } else {
            print(format_args!("{}", line(event)))?;
        }
    }
    Ok(())
}
