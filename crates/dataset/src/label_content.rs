//! Content of a label of Labelbox, as far as a webhook and an export write it alike.
//!
//! They differ in the addresses of masks, the sizes of images, the order of things, and perhaps the last digits of a
//! number. A webhook of the first version has an address in the place of a video's frames, and what nobody knows has no
//! form to compare.

use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

/// Kinds of regions of which both write the same.
const REGIONS: &str =
    "SELECT region_id, labels, kind, points, x, y, width, height, begins, ends FROM regions
    WHERE annotation = ?1 AND kind IN ('box', 'polygon', 'line', 'keypoint', 'mask', 'span')";

/// Answers that are not about one frame of a video.
const ANSWERS: &str = "SELECT name, region_id, parents, answers FROM classifications
    WHERE annotation = ?1 AND frame IS NULL";

/// The digest of the regions of the label in row `annotation`.
pub(crate) fn regions(db: &Connection, annotation: i64) -> rusqlite::Result<[u8; 32]> {
    Ok(digest(rows(db, REGIONS, annotation, region)?))
}

/// The digest of its answers.
pub(crate) fn answers(db: &Connection, annotation: i64) -> rusqlite::Result<[u8; 32]> {
    Ok(digest(rows(db, ANSWERS, annotation, answer)?))
}

/// The digest of what is said, in whatever order.
fn digest(mut said: Vec<String>) -> [u8; 32] {
    said.sort_unstable();
    let mut hash = Sha256::new();
    for text in said {
        hash.update(text);
        hash.update("\n");
    }
    hash.finalize().into()
}

fn rows(
    db: &Connection,
    statement: &str,
    annotation: i64,
    text: fn(&Row<'_>) -> rusqlite::Result<String>,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare_cached(statement)?;
    let rows = statement.query_map([annotation], text)?;
    rows.collect()
}

fn region(row: &Row<'_>) -> rusqlite::Result<String> {
    let id: Option<String> = row.get(0)?;
    let (labels, kind): (String, String) = (row.get(1)?, row.get(2)?);
    let points: Option<String> = row.get(3)?;
    let points = points.and_then(|points| serde_json::from_str::<Vec<[f64; 2]>>(&points).ok());
    let mut numbers = Vec::new();
    for column in 4..10 {
        numbers.push(row.get::<_, Option<f64>>(column)?.map(thousandths));
    }
    let points = points.into_iter().flatten().flatten();
    numbers.extend(points.map(|number| Some(thousandths(number))));
    Ok(format!("region {id:?} {labels:?} {kind:?} {numbers:?}"))
}

fn answer(row: &Row<'_>) -> rusqlite::Result<String> {
    let (name, region): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
    let (parents, answers): (String, String) = (row.get(2)?, row.get(3)?);
    let answers: Vec<serde_json::Value> = serde_json::from_str(&answers).unwrap_or_default();
    let mut answers: Vec<_> = answers.iter().map(ToString::to_string).collect();
    answers.sort_unstable();
    Ok(format!("answer {name:?} {region:?} {parents} {answers:?}"))
}

/// A number in thousandths, of which a pixel's hundredth is ten. Zero has no sign.
fn thousandths(number: f64) -> f64 {
    (number * 1000.0).round() + 0.0
}
