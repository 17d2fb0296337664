//! What somebody means who pastes an id, or the beginning of one.

use crate::filter::Pattern;

/// A shorter text is a whole id: whoever asks for task 17 does not mean 170, nor an event whose digest begins so.
const BEGINNING: usize = 6;

/// What an event may be about. Whoever pastes an id leaves it out.
const KINDS: [&str; 8] = [
    "annotation",
    "data_row",
    "label",
    "label_link",
    "model_run",
    "project",
    "review",
    "task",
];

/// Types of events begin so.
const TYPES: [&str; 2] = ["com.", "io."];

/// What a text may be.
pub(crate) enum Meant {
    /// The beginning of a type.
    Type(Pattern),
    /// An id, or the beginning of one, in one of these columns.
    Id(Vec<(&'static str, Pattern)>),
}

/// What it may be.
pub(crate) fn meant(text: &str) -> Meant {
    if TYPES.iter().any(|start| text.starts_with(start)) {
        Meant::Type(Pattern::begins(text))
    } else {
        Meant::Id(columns(text))
    }
}

/// The number of the delivery that has this name in the record.
pub(crate) fn named(text: &str) -> Option<i64> {
    text.strip_prefix('r')?.parse().ok()
}

/// Columns that may have it, each with an index.
fn columns(text: &str) -> Vec<(&'static str, Pattern)> {
    let id = text.rsplit_once('/').map_or(text, |(_, id)| id);
    let pattern = |whole: &str| {
        if id.chars().count() < BEGINNING {
            Pattern::exactly(whole)
        } else {
            Pattern::begins(whole)
        }
    };
    let mut columns = vec![
        ("event_id", pattern(text)),
        ("delivery_id", pattern(text)),
        ("project", pattern(text)),
    ];
    if text.contains('/') {
        columns.push(("subject", pattern(text)));
    } else {
        columns.extend(KINDS.map(|kind| ("subject", pattern(&format!("{kind}/{text}")))));
    }
    columns
}
