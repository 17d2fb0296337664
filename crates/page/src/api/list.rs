//! Lines of the list.

use crate::answer::Refusal;
use crate::data::{PageData, Summary};
use crate::query::Query;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct List {
    deliveries: Vec<Line>,
    /// Where the next question for what is new begins.
    newest: i64,
    /// `true` if more passed than there are here.
    more: bool,
    lost: u64,
}

#[derive(Serialize)]
pub(super) struct Line {
    name: String,
    number: i64,
    arrived_ms: i64,
    status: u16,
    outcome: String,
    tone: &'static str,
    source: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    subject: Option<String>,
    project: Option<String>,
    event_id: Option<String>,
    delivery_id: Option<String>,
    reason: Option<String>,
    elapsed_us: i64,
    body_bytes: i64,
}

impl Line {
    pub(super) fn of(summary: &Summary) -> Self {
        Self {
            name: summary.name(),
            number: summary.number,
            arrived_ms: summary.arrived_ms,
            status: summary.status,
            outcome: summary.outcome.clone(),
            tone: tone(summary),
            source: summary.source.clone(),
            event_type: summary.event_type.clone(),
            subject: summary.subject.clone(),
            project: summary.project.clone(),
            event_id: summary.event_id.clone(),
            delivery_id: summary.delivery_id.clone(),
            reason: summary.reason.clone(),
            elapsed_us: summary.elapsed_us,
            body_bytes: summary.body_bytes,
        }
    }
}

/// How an outcome looks.
fn tone(summary: &Summary) -> &'static str {
    match &*summary.outcome {
        _ if summary.status >= 400 => "bad",
        "accepted" => "ok",
        "repeat" => "same",
        _ => "quiet",
    }
}

pub(super) fn answer(data: &dyn PageData, query: &Query) -> Result<List, Refusal> {
    let asked = query.list_query()?;
    let limit = query.limit()?;
    let found = data.list(&asked, limit.saturating_add(1))?;
    let first = found.deliveries.first().map(|first| first.number);
    // What the record has that did not pass need not be looked at again. A record that was begun anew counts from 1.
    let newest = first.max(found.newest).or(asked.after).unwrap_or(0);
    let more = found.deliveries.len() > limit;
    let lines = found.deliveries.iter().take(limit).map(Line::of);
    Ok(List {
        deliveries: lines.collect(),
        newest,
        more,
        lost: found.lost,
    })
}
