//! Deliveries of the record: for people, and for programs.

use super::row::one_more;
use crate::error::CliError;
use crate::output::{one_line, print, print_json, say};
use jiff::Timestamp;
use labelrelay_record::{Body, Record, RecordError, Recorded, Row, blot_out};
use serde::Serialize;

/// A delivery as `--json` prints it.
#[derive(Serialize)]
struct Json<'a> {
    record: String,
    received: String,
    status: u16,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    event_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    elapsed_us: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_us: Option<i64>,
    body_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_sha256: Option<&'a str>,
    late: bool,
    fell_back: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a str>,
}

impl<'a> Json<'a> {
    fn new(delivery: &'a Recorded, with_head: bool) -> Self {
        let row = &delivery.row;
        Self {
            record: delivery.name(),
            received: received(row),
            status: row.status,
            outcome: &row.outcome,
            source: row.source.as_deref(),
            reason: row.reason.as_deref(),
            id: row.event_id.as_deref(),
            event_type: row.event_type.as_deref(),
            subject: row.subject.as_deref(),
            project: row.project.as_deref(),
            delivery_id: row.delivery_id.as_deref(),
            verified_by: row.verified_by.as_deref(),
            client: row.client.as_deref(),
            method: row.method.as_deref(),
            path: row.path.as_deref(),
            elapsed_us: row.elapsed_us,
            queue_us: row.queue_us,
            body_bytes: row.body_bytes,
            body_sha256: row.body_sha256.as_deref(),
            late: row.late,
            fell_back: row.fell_back,
            replica: delivery.replica.as_deref(),
            head: row.head.as_deref().filter(|_| with_head),
        }
    }
}

/// Time of arrival, RFC 3339.
fn received(row: &Row) -> String {
    Timestamp::from_millisecond(row.arrived_ms)
        .map(labelrelay_core::time::rfc3339)
        .unwrap_or_default()
}

const HEADING: &str =
    "  RECORD  RECEIVED                     STATUS  OUTCOME             MS  SOURCE  WHAT, OR WHY";

/// The line for people.
fn line(delivery: &Recorded) -> String {
    let row = &delivery.row;
    let what = match (&row.reason, &row.event_type) {
        (Some(reason), _) => reason.clone(),
        (None, Some(event_type)) => {
            let subject = row.subject.as_deref().unwrap_or("-");
            format!("{event_type}  {subject}")
        }
        (None, None) => "-".to_owned(),
    };
    format!(
        "{:>8}  {:<27}  {:>6}  {:<13} {:>8}  {}  {}",
        delivery.name(),
        received(row),
        row.status,
        one_line(&row.outcome),
        millis(row.elapsed_us),
        one_line(row.source.as_deref().unwrap_or("-")),
        one_line(&what),
    )
}

/// Milliseconds, to the tenth.
fn millis(us: i64) -> String {
    let tenths = us / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Asks for so many that it is seen whether there are more, and prints the first `limit`.
pub(super) fn print_list(
    record: &dyn Record,
    filter: &labelrelay_record::Filter,
    limit: usize,
    json: bool,
) -> Result<usize, CliError> {
    let found = record.list(filter, one_more(limit))?;
    let shown = found.get(..limit).unwrap_or(&found);
    if !json && !shown.is_empty() {
        print(format_args!("{HEADING}"))?;
    }
    for delivery in shown {
        if json {
            print_json(&Json::new(delivery, false))?;
        } else {
            print(format_args!("{}", line(delivery)))?;
        }
    }
    if shown.len() < found.len() {
        // To whoever reads JSON too: what is left out looks like all there is.
        say(format_args!(
            "{limit} are shown, and there are more; --limit N shows N of them"
        ));
    }
    tell_lost(record)?;
    Ok(shown.len())
}

/// A list with gaps looks like all there is.
fn tell_lost(record: &dyn Record) -> Result<(), RecordError> {
    let lost = record.lost()?;
    if lost > 0 {
        say(format_args!(
            "the record misses {lost} deliveries: more came at once than it could take, or it could not be written"
        ));
    }
    Ok(())
}

/// Prints one delivery, whole.
pub(super) fn show(delivery: &Recorded, body: Option<&Body>, json: bool) -> std::io::Result<()> {
    if json {
        return print_json(&Json::new(delivery, true));
    }
    let row = &delivery.row;
    let bytes = row.body_bytes.to_string();
    let queue = row.queue_us.map(millis);
    let (name, received) = (delivery.name(), received(row));
    let (status, elapsed) = (row.status.to_string(), millis(row.elapsed_us));
    let mut facts = vec![
        ("record", Some(name.as_str())),
        ("received", Some(received.as_str())),
        ("status", Some(status.as_str())),
        ("outcome", Some(row.outcome.as_str())),
        ("reason", row.reason.as_deref()),
        ("source", row.source.as_deref()),
        ("id", row.event_id.as_deref()),
        ("type", row.event_type.as_deref()),
        ("subject", row.subject.as_deref()),
        ("project", row.project.as_deref()),
        ("deliveryid", row.delivery_id.as_deref()),
        ("verified by", row.verified_by.as_deref()),
        ("client", row.client.as_deref()),
        ("replica", delivery.replica.as_deref()),
        ("ms", Some(elapsed.as_str())),
        ("ms for queue", queue.as_deref()),
        ("body bytes", Some(bytes.as_str())),
        ("body sha256", row.body_sha256.as_deref()),
    ];
    for (is, name, what) in [
        (row.late, "late", "the sender had a 503 before this end"),
        (row.fell_back, "fallback", "the event waits in the fallback"),
        (row.claimed, "claim check", "the body is in the blob store"),
    ] {
        if is {
            facts.push((name, Some(what)));
        }
    }
    for (name, value) in facts {
        if let Some(value) = value {
            print(format_args!("{name:<16} {}", one_line(value)))?;
        }
    }
    if let (Some(method), Some(path)) = (&row.method, &row.path) {
        print(format_args!("\n{} {}", one_line(method), one_line(path)))?;
    }
    for header in row.head.as_deref().unwrap_or_default().lines() {
        print(format_args!("{}", one_line(header)))?;
    }
    if let Some(body) = body {
        show_body(body, row)?;
    }
    Ok(())
}

fn show_body(body: &Body, row: &Row) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(&body.start);
    print(format_args!("\n{}", one_line(&blot_out(&text))))?;
    if !body.is_whole {
        say(format_args!(
            "these are the first {} of {} bytes, or some were taken out since",
            body.start.len(),
            row.body_bytes
        ));
    }
    Ok(())
}
