//! Reviews of Label Studio: the last one says whether an annotation is approved, in the version that was reviewed.
//!
//! The Enterprise edition sends them. Its API says of a review `annotation` and `accepted`; no delivery was recorded.

use super::batch::Batch;
use super::removal::{self, Gone};
use super::version::{Compared, compare, received};
use jiff::Timestamp;
use labelrelay_core::time;
use labelrelay_event::Event;
use labelrelay_event::changes::{Changed, Kind, Order, Thing};
use rusqlite::OptionalExtension as _;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    accepted: Option<bool>,
}

/// Members that stand beside a review.
#[derive(Deserialize)]
struct Beside<'a> {
    #[serde(borrow, default)]
    annotation: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Annotation {
    id: u64,
    #[serde(default)]
    updated_at: Option<String>,
}

/// Takes in a review of an annotation, if it is newer than what is known of it; `true` if it is.
pub(super) fn take_in(
    db: &Batch<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    thing: &Thing<'_>,
) -> rusqlite::Result<bool> {
    let parents = changed.parents.iter();
    let mut annotations = parents.filter(|it| it.kind == Kind::Annotation);
    let (Some(annotation), Ok(review)) = (
        annotations.next(),
        serde_json::from_str::<Review>(thing.raw.get()),
    ) else {
        return Ok(false);
    };
    let (key, version) = (&changed.key, changed.version.as_deref());
    let itself = [(Kind::Review, &*key.id)];
    if removal::is_gone(db, &key.source, itself, version)? == Gone::Yes {
        return Ok(false);
    }
    let known: Option<(Option<String>, String)> = db
        .prepare_cached(
            "SELECT version, annotation_id FROM reviews WHERE source = ?1 AND review_id = ?2",
        )?
        .query_row((&*key.source, &*key.id), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let compared = match &known {
        Some((known, _)) => compare(known.as_deref(), version, changed.order),
        None => Compared::Newer,
    };
    let is_again = event.attributes().replayedtime.is_some() && compared == Compared::Same;
    if !is_again && matches!(compared, Compared::Same | Compared::Stale) {
        return Ok(false);
    }
    if changed.order == Order::Unknown && !super::annotation::is_first_time(db, event, changed)? {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT INTO reviews VALUES(?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET annotation_id = excluded.annotation_id,
             version = coalesce(excluded.version, version), accepted = excluded.accepted,
             of_version = excluded.of_version",
    )?
    .execute((
        &*key.source,
        &*key.id,
        &*annotation.id,
        version,
        review.accepted,
        reviewed_version(event, &annotation.id)
            .or_else(|| version.map(str::to_owned))
            .unwrap_or_else(|| received(event)),
    ))?;
    db.touch_reviewed(&key.source, &annotation.id)?;
    if let Some((_, before)) = known.filter(|(_, before)| **before != *annotation.id) {
        db.touch_reviewed(&key.source, &before)?;
    }
    Ok(true)
}

/// The version of the annotation that stands beside its review.
fn reviewed_version(event: &Event<'_>, annotation: &str) -> Option<String> {
    let beside: Beside<'_> = serde_json::from_slice(event.raw().ok()?).ok()?;
    let text = beside.annotation?.get();
    // One, or all of a bulk action.
    let all: Vec<Annotation> = match serde_json::from_str(text) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_str(text).ok()?,
    };
    let mut all = all.into_iter();
    let reviewed = all.find(|it| it.id.to_string() == annotation)?;
    let updated: Timestamp = time::parse(&reviewed.updated_at?)?;
    Some(time::sequence(updated))
}
