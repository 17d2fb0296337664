//! Events of an archive: for people, and for programs.

use super::row::one_more;
use crate::env::Env;
use crate::error::CliError;
use crate::from_archive::FromArchive;
use crate::output::{one_line, print, print_json, say};
use jiff::Timestamp;
use labelrelay_archive::ArchivedEvent;
use labelrelay_event::Attributes;
use labelrelay_local::{Filter, Pattern};
use serde::Serialize;
use std::collections::BTreeSet;

const HEADING: &str = "RECEIVED                      BYTES  TYPE  SUBJECT  ID";

/// Events that are held at a time where fewer are asked for.
const MOST_HELD: usize = 10_000;

/// An event, without its data.
struct Found {
    received_ms: i64,
    envelope_bytes: usize,
    attributes: Attributes,
}

/// An event as `--json` prints it.
#[derive(Serialize)]
struct Json<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<&'a str>,
    envelope_bytes: usize,
}

impl Found {
    fn of(event: &ArchivedEvent<'_>) -> Self {
        Self {
            received_ms: event.received_ms,
            envelope_bytes: event.envelope.len(),
            attributes: event.attributes.clone(),
        }
    }

    /// Time of arrival, RFC 3339.
    fn received(&self) -> String {
        Timestamp::from_millisecond(self.received_ms)
            .map(labelrelay_core::time::rfc3339)
            .unwrap_or_default()
    }

    fn print(&self, json: bool) -> std::io::Result<()> {
        let Attributes {
            id,
            event_type,
            source,
            subject,
            replayedtime,
            ..
        } = &self.attributes;
        if json {
            return print_json(&Json {
                id,
                event_type,
                source,
                subject: subject.as_deref(),
                received: self.received(),
                replayed: replayedtime.as_deref(),
                envelope_bytes: self.envelope_bytes,
            });
        }
        print(format_args!(
            "{:<27} {:>7}  {}  {}  {}",
            self.received(),
            self.envelope_bytes,
            one_line(event_type),
            one_line(subject.as_deref().unwrap_or("-")),
            one_line(id)
        ))
    }
}

/// Prints one event.
pub(super) fn print_one(event: &ArchivedEvent<'_>, json: bool) -> std::io::Result<()> {
    Found::of(event).print(json)
}

/// Lists the first `limit` events, in order of arrival, or the newest first.
pub(super) fn list(
    from: &FromArchive,
    newest_first: bool,
    limit: usize,
    json: bool,
) -> Result<(), CliError> {
    let enough = one_more(limit);
    let first_ones = |found: &mut Vec<Found>| {
        found.sort_by_key(|found| found.received_ms);
        if newest_first {
            found.reverse();
        }
        found.truncate(enough);
    };
    let mut found: Vec<Found> = Vec::new();
    let troubles = from.each(|event| {
        // Files are by day: only on one day may a later file have an earlier event.
        let is_another_day = found.last().is_some_and(|last| {
            let day = |received: &str| received.get(..10).map(str::to_owned);
            day(&last.attributes.receivedtime) != day(&event.attributes.receivedtime)
        });
        if is_another_day && found.len() >= enough {
            return Ok(false);
        }
        found.push(Found::of(event));
        // A day may have more of them than memory.
        if found.len() >= enough.saturating_mul(2).max(MOST_HELD) {
            first_ones(&mut found);
        }
        Ok(true)
    })?;
    first_ones(&mut found);
    if !json && !found.is_empty() {
        print(format_args!("{HEADING}"))?;
    }
    for event in found.iter().take(limit) {
        event.print(json)?;
    }
    if found.is_empty() && !json {
        say(format_args!(
            "the archive has no event that passes the filter"
        ));
    }
    if found.len() > limit {
        say(format_args!(
            "{limit} are shown, and there are more; --limit N shows N of them"
        ));
    }
    from.tell_gaps()?;
    if troubles == 0 {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

/// The envelope of the newest event whose id begins so, else of that of the platform's delivery.
pub(super) fn find(url: &str, which: &str, env: &Env<'_>) -> Result<Vec<u8>, CliError> {
    let pattern = Some(Pattern::begins(which));
    let by_id = Filter {
        id: pattern.clone(),
        newest_first: true,
        ..Filter::default()
    };
    let by_delivery = Filter {
        delivery: pattern,
        newest_first: true,
        ..Filter::default()
    };
    for filter in [by_id, by_delivery] {
        let from = FromArchive::open(url, filter, env)?;
        let mut best: Option<((bool, i64), Vec<u8>)> = None;
        let mut ids = BTreeSet::new();
        from.each(|event| {
            let Attributes { id, deliveryid, .. } = &event.attributes;
            let is_exact = id == which || deliveryid.as_deref() == Some(which);
            let rank = (is_exact, event.received_ms);
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, event.envelope.to_vec()));
            }
            // Two tell that there are several.
            if ids.len() < 2 {
                ids.insert(id.clone());
            }
            Ok(true)
        })?;
        let Some(((is_exact, _), envelope)) = best else {
            continue;
        };
        if !is_exact
            && let (Some(one), Some(other)) = (ids.first(), ids.last())
            && one != other
        {
            return Err(CliError::failed(format_args!(
                "several events have an id that begins with {which}, such as {one} and {other}; give more of it"
            )));
        }
        return Ok(envelope);
    }
    Err(CliError::failed(format_args!(
        "the archive has no event {which}"
    )))
}
