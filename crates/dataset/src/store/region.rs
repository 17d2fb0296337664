//! Regions and answers of an annotation, as rows.

use crate::geometry::Geometry;
use labelrelay_event::changes::{Answer, Classification, Region};
use rusqlite::{CachedStatement, Transaction};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Writes the regions of an annotation.
pub(super) fn write_regions(
    db: &Transaction<'_>,
    annotation: i64,
    regions: &[Region<'_>],
    is_forgotten: bool,
) -> rusqlite::Result<()> {
    if regions.is_empty() {
        return Ok(());
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO regions(annotation, position, region_id, name, labels, kind, unit, x, y, width, height, rotation,
             points, rle, mask_url, begins, ends, channel, text, image_width, image_height, item, parent_id, raw, frame)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
    )?;
    for (position, region) in regions.iter().enumerate() {
        write_region(&mut insert, (annotation, position), region, is_forgotten)?;
    }
    Ok(())
}

fn write_region(
    insert: &mut CachedStatement<'_>,
    (annotation, position): (i64, usize),
    region: &Region<'_>,
    is_forgotten: bool,
) -> rusqlite::Result<()> {
    let geometry = Geometry::of(&region.shape);
    insert
        .execute(rusqlite::params![
            annotation,
            i64::try_from(position).unwrap_or(i64::MAX),
            region.id.as_deref(),
            region.name.as_deref(),
            serde_json::to_string(&region.labels).unwrap_or_default(),
            geometry.kind,
            geometry.unit,
            geometry.x,
            geometry.y,
            geometry.width,
            geometry.height,
            geometry.rotation,
            geometry
                .points
                .as_ref()
                .map(|points| serde_json::to_string(points).unwrap_or_default()),
            geometry.rle,
            geometry.mask_url,
            geometry.begins,
            geometry.ends,
            geometry.channel,
            geometry.text,
            geometry.size.map(|size| size.0),
            geometry.size.map(|size| size.1),
            geometry.item,
            parent(region.raw.get()),
            if is_forgotten {
                "null"
            } else {
                region.raw.get()
            },
            geometry.frame,
        ])
        .map(drop)
}

/// Id of the class of a region of Labelbox, in the ontology that it is from.
pub(super) fn schema_id(region: &Region<'_>) -> Option<String> {
    /// v2 and v1.
    #[derive(Deserialize)]
    struct OfOntology {
        #[serde(default, alias = "schemaId")]
        schema_id: Option<String>,
    }
    let of = region.raw.parse::<OfOntology>().ok()?;
    of.schema_id.filter(|id| !id.is_empty())
}

/// The region that this one is a part of. Label Studio says so beside the region.
fn parent(raw: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Part {
        #[serde(rename = "parentID")]
        parent: Option<String>,
    }
    // Few have one, and reading each again would cost more than all the rest.
    let is_said = raw.contains("\"parentID\"");
    let part: Option<Part> = is_said.then(|| serde_json::from_str(raw).ok()).flatten();
    part.and_then(|part| part.parent)
}

/// Writes the answers of an annotation.
pub(super) fn write_classifications(
    db: &Transaction<'_>,
    annotation: i64,
    classifications: &[Classification<'_>],
) -> rusqlite::Result<()> {
    if classifications.is_empty() {
        return Ok(());
    }
    let mut insert =
        db.prepare_cached("INSERT INTO classifications VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (position, answered) in classifications.iter().enumerate() {
        let answers: Vec<AnswerText<'_>> = answered.values.iter().map(AnswerText::of).collect();
        let parents: Vec<&str> = answered.parent.iter().map(AsRef::as_ref).collect();
        insert.execute((
            annotation,
            i64::try_from(position).unwrap_or(i64::MAX),
            answered.name.as_deref(),
            serde_json::to_string(&answers).unwrap_or_default(),
            answered.region.as_deref(),
            answered.frame,
            answered.item,
            serde_json::to_string(&parents).unwrap_or_default(),
        ))?;
    }
    Ok(())
}

/// An answer, as the state keeps it.
#[derive(Serialize)]
#[serde(untagged)]
enum AnswerText<'a> {
    Text(&'a str),
    Number(f64),
    Path(&'a [Cow<'a, str>]),
    Unknown,
}

impl<'a> AnswerText<'a> {
    fn of(answer: &'a Answer<'_>) -> Self {
        match answer {
            Answer::Text(text) => Self::Text(text),
            Answer::Number(number) => Self::Number(*number),
            Answer::Path(path) => Self::Path(path),
            _ => Self::Unknown,
        }
    }
}
