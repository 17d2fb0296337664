//! One event on one line: for people, and for programs.

use crate::output::{one_line, print, print_json, say};
use jiff::Timestamp;
use labelrelay_local::{Event, State};
use serde::Serialize;
use serde_json::value::RawValue;

/// An event as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    pub(super) seq: u64,
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) event_type: &'a str,
    pub(super) source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<&'a str>,
    pub(super) state: &'static str,
    pub(super) receive_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    pub(super) received: String,
    pub(super) envelope_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) envelope: Option<&'a RawValue>,
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
            reason: event.reason.as_deref(),
            received: received(event),
            envelope_bytes: event.envelope_bytes,
            envelope,
        }
    }

    /// The line for people.
    pub(super) fn line(&self) -> String {
        let mut state = self.state.replace('_', " ");
        let counted = [State::InFlight, State::Dead].map(State::as_str);
        if counted.contains(&self.state) {
            state = format!("{state} {}", self.receive_count);
        }
        format!(
            "{:>8}  {:<27}  {state:<12} {:>6}  {}  {}",
            self.seq,
            self.received,
            self.envelope_bytes,
            one_line(self.event_type),
            one_line(self.subject.unwrap_or("-")),
        )
    }
}

/// Time of arrival, RFC 3339.
pub(crate) fn received(event: &Event) -> String {
    moment(event.received_ms)
}

/// The same of milliseconds since 1970.
pub(super) fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .map(labelrelay_core::time::rfc3339)
        .unwrap_or_default()
}

/// The columns of [`line()`].
pub(crate) const HEADING: &str =
    "     SEQ  RECEIVED                     STATE         BYTES  TYPE  SUBJECT";

/// The line for people.
pub(crate) fn line(event: &Event) -> String {
    Row::new(event, None).line()
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
        say_more(limit);
    }
    Ok(())
}

/// To whoever reads JSON too: what is left out looks like all there is.
pub(super) fn say_more(limit: usize) {
    say(format_args!(
        "{limit} are shown, and there are more; --limit N shows N of them"
    ));
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
