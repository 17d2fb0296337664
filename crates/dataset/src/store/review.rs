//! Reviews: the last one says whether an annotation or a label is approved, in the version that was reviewed.
//!
//! No delivery of them was recorded. Label Studio's Enterprise edition sends them, and its API says of a review `annotation` and
//! `accepted`. Labelbox's SDK says of one `score` and `label`.

use super::batch::Batch;
use super::removal::{self, Gone};
use super::version::{Compared, compare};
use labelrelay_core::time;
use labelrelay_event::Event;
use labelrelay_event::changes::{Changed, Kind, Order, Review};
use rusqlite::OptionalExtension as _;

/// The last review of each annotation that has a say, and the state that follows from it: none if it does not decide, or if
/// the annotation was changed since.
pub(super) const VIEW: &str = "
DROP VIEW IF EXISTS reviewed;
CREATE VIEW reviewed(annotation, state, at) AS
SELECT row,
    CASE WHEN accepted IS NULL OR of_version < coalesce(annotations.version, '') THEN NULL
        WHEN accepted THEN 'approved' ELSE 'rejected' END,
    coalesce(reviews.version, '')
FROM annotations JOIN reviews
    ON reviews.source = annotations.source AND reviews.annotation_id = annotations.annotation_id
WHERE review_id = (
    SELECT last.review_id FROM reviews AS last
    WHERE last.source = annotations.source AND last.annotation_id = annotations.annotation_id AND NOT last.silent
    ORDER BY coalesce(last.version, '') DESC, length(last.review_id) DESC, last.review_id DESC LIMIT 1);
";

/// What is known of a review.
struct Known {
    version: Option<String>,
    /// What it is of.
    annotation: String,
    silent: bool,
}

/// Takes in a review of an annotation or a label, if it is newer than what is known of it; `true` if that changes something.
pub(super) fn take_in(
    db: &Batch<'_>,
    event: &Event<'_>,
    received: &str,
    changed: &Changed<'_>,
    review: &Review<'_>,
) -> rusqlite::Result<bool> {
    let mut parents = changed.parents.iter();
    let Some(of) = parents.find(|it| matches!(it.kind, Kind::Annotation | Kind::Label)) else {
        return Ok(false);
    };
    let key = &changed.key;
    let is_labelbox = of.kind == Kind::Label;
    let version = changed.version.clone();
    // It has to compare with the steps of a workflow.
    let version = version.or_else(|| is_labelbox.then(|| received.to_owned()));
    let version = version.as_deref();
    let itself = [(Kind::Review, &*key.id)];
    if removal::is_gone(db, &key.source, itself, version)? == Gone::Yes {
        return Ok(false);
    }
    let known = known(db, &key.source, &key.id)?;
    let compared = match &known {
        Some(known) => compare(known.version.as_deref(), version, changed.order),
        None => Compared::Newer,
    };
    let is_again = event.attributes().replayedtime.is_some() && compared == Compared::Same;
    if !is_again && matches!(compared, Compared::Same | Compared::Stale) {
        return Ok(false);
    }
    if changed.order == Order::Unknown && !super::annotation::is_first_time(db, event, changed)? {
        return Ok(false);
    }
    let silent = is_labelbox && review.score.is_none();
    db.prepare_cached(
        "INSERT INTO reviews VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET annotation_id = excluded.annotation_id,
             version = coalesce(excluded.version, version), accepted = excluded.accepted,
             of_version = excluded.of_version, silent = excluded.silent",
    )?
    .execute((
        &*key.source,
        &*key.id,
        &*of.id,
        version,
        review.accepted,
        reviewed_version(received, changed, review),
        silent,
    ))?;
    if silent && known.as_ref().is_none_or(|known| known.silent) {
        return Ok(false);
    }
    db.touch_reviewed(&key.source, &of.id)?;
    if let Some(known) = known.filter(|known| *known.annotation != *of.id) {
        db.touch_reviewed(&key.source, &known.annotation)?;
    }
    Ok(true)
}

fn known(db: &Batch<'_>, source: &str, review: &str) -> rusqlite::Result<Option<Known>> {
    db.prepare_cached(
        "SELECT version, annotation_id, silent FROM reviews WHERE source = ?1 AND review_id = ?2",
    )?
    .query_row((source, review), |row| {
        Ok(Known {
            version: row.get(0)?,
            annotation: row.get(1)?,
            silent: row.get(2)?,
        })
    })
    .optional()
}

/// The version that was reviewed: the one that the body says, or else any up to the time of the review.
fn reviewed_version(received: &str, changed: &Changed<'_>, review: &Review<'_>) -> String {
    let version = |written: &str| time::parse(written).map(time::sequence);
    let said = review.reviewed.as_deref().and_then(version);
    said.or_else(|| changed.version.clone())
        .or_else(|| review.created.as_deref().and_then(version))
        .unwrap_or_else(|| received.to_owned())
}
