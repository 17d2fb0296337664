//! Labelbox: from a body to changes.

mod answers;
mod fields;
mod flat;
mod label;
mod object;
mod row;
mod video;

use super::context::Context;
use super::{Change, Kind, Record, Thing};
use crate::EventError;
use crate::json::Value;

pub(super) const PREFIX: &str = "com.labelbox.";

/// The changes of an event.
pub(super) fn changes<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Vec<Change<'a>>, EventError> {
    let name = context.attributes.event_type.strip_prefix(PREFIX);
    let (kind, action) = name
        .and_then(|name| name.split_once('.'))
        .unwrap_or_default();
    let is_known = matches!(action, "created" | "updated" | "deleted" | "unrecognized");
    match kind {
        "label" if is_known => {
            let object = |name| payload.member(name).filter(|held| held.is_object());
            match (object("data_row"), object("projects")) {
                (Some(row), Some(projects)) => row::changes(context, payload, row, projects),
                _ => Ok(vec![flat::label(context, payload)?]),
            }
        }
        "review" if is_known => Ok(vec![flat::review(context, payload)?]),
        "workflow" if !action.contains('.') => flat::workflow(context, payload),
        "model_run" if action == "created" => {
            let key = context.key_of(Kind::ModelRun, payload.member("modelRunId"))?;
            let record = Record::Thing(Thing { raw: payload.raw() });
            let version = (None, true);
            Ok(vec![context.changed(
                key,
                version,
                context.keys([]),
                Some(record),
            )])
        }
        _ => Err(context.unknown_type()),
    }
}
