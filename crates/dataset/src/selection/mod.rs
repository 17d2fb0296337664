//! Chooses annotations for a snapshot, task by task.

mod candidate;
mod count;
mod policy;

use crate::about::{About, Configs};
use crate::geometry::Geometry;
use crate::media_copy;
use crate::output::file_name;
use crate::redact::Addresses;
use crate::split::Split;
use crate::tally::Tally;
use candidate::{Candidate, choose};
pub(crate) use count::count;
pub(crate) use policy::Policy;
use rusqlite::{Connection, Row};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// One image, or whatever a task is about, with what was chosen of it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) source: String,
    pub(crate) project: Option<String>,
    pub(crate) task: String,
    /// Its number among those of the task, from 0, if the task has several.
    pub(crate) item: Option<i64>,
    pub(crate) split: Split,
    pub(crate) media: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) annotations: Vec<Chosen>,
}

impl Sample {
    /// A name for files of it that no other sample has.
    pub(crate) fn file_name(&self) -> String {
        let item = self.item.map(|item| item.to_string());
        let project = self.project.as_deref().unwrap_or_default();
        let mut parts = vec![self.source.as_str(), project, &self.task];
        parts.extend(item.as_deref());
        file_name(&parts)
    }
}

/// An annotation that was chosen, with the part of it that is about one image.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) version: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) ground_truth: bool,
    pub(crate) is_marked_as_deleted: bool,
    pub(crate) regions: Vec<Region>,
    pub(crate) classifications: Vec<Answered>,
    pub(crate) relations: Value,
}

#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) geometry: Geometry,
    /// The platform's own JSON, of a region that has no geometry of ours: a video's track.
    pub(crate) raw: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) name: Option<String>,
    pub(crate) answers: Value,
    pub(crate) region: Option<String>,
    pub(crate) frame: Option<i64>,
    pub(crate) item: Option<i64>,
    pub(crate) parents: Value,
}

/// Hands each sample to `take`, in the order of source and task. So two snapshots of one state are equal.
pub(crate) fn each<E: From<rusqlite::Error>>(
    db: &Connection,
    policy: &Policy,
    mut take: impl FnMut(Sample) -> Result<(), E>,
) -> Result<Tally, E> {
    let without_task: i64 = db.query_row(
        "SELECT count(*) FROM annotations WHERE state = 'present' AND task_id IS NULL",
        [],
        |row| row.get(0),
    )?;
    let mut tally = Tally {
        without_task: without_task.cast_unsigned(),
        ..Tally::default()
    };
    let mut configs = Configs::default();
    let mut tasks = db.prepare(
        "SELECT DISTINCT source, project_id, task_id FROM annotations
         WHERE state = 'present' AND task_id IS NOT NULL ORDER BY source, task_id, project_id",
    )?;
    let mut tasks = tasks.query([])?;
    while let Some(row) = tasks.next()? {
        let (source, project, task): (String, Option<String>, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let about = About::read(db, &source, &task)?;
        let rows = annotations(db, policy, &source, project.as_deref(), &task)?;
        let place = (&*source, project.as_deref(), &*task);
        let chosen = choose(db, policy, place, rows, &mut tally)?;
        if chosen.is_empty() {
            continue;
        }
        let config = configs.of(db, &source, project.as_deref())?;
        for (item, annotations) in by_item(db, policy, chosen)? {
            let split = policy
                .splits
                .of(&source, project.as_deref().unwrap_or_default(), &task);
            let mut regions = annotations.iter().flat_map(|it| &it.regions);
            let told = regions.find_map(|it| it.geometry.size).or(about.size);
            let copy = if policy.media.is_empty() {
                None
            } else {
                let address = about.media(config, item, Addresses::WithoutQuery);
                address.and_then(|address| media_copy::find(&policy.media, &address))
            };
            let (media, size) = match copy {
                Some(copy) => copied(&copy, told, &mut tally),
                None => (about.media(config, item, policy.addresses), told),
            };
            tally.samples += 1;
            take(Sample {
                source: source.clone(),
                project: project.clone(),
                task: task.clone(),
                item,
                split,
                media,
                external_id: about.external_id.clone(),
                size,
                annotations,
            })?;
        }
    }
    Ok(tally)
}

/// The place of a medium's copy, and the size of the image: the one that the platform told, unless the file contradicts it.
fn copied(
    copy: &Path,
    told: Option<(u32, u32)>,
    tally: &mut Tally,
) -> (Option<String>, Option<(u32, u32)>) {
    if !copy.is_file() {
        tally.media_missing += 1;
    }
    let size = match media_copy::image_size(copy) {
        // Another size is that of another image: the regions drawn on it do not fit, and say so.
        Some(file) => told
            .filter(|told| *told == file.shown || *told == file.stored)
            .or(Some(file.shown)),
        None => told,
    };
    (Some(copy.to_string_lossy().into_owned()), size)
}

/// JSON as the state keeps it.
fn json_of(text: Option<String>) -> Value {
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// What is read of each annotation of a task, whether it is chosen or not.
struct Head {
    kind: String,
    id: String,
    author: Option<String>,
    relations: Option<String>,
}

fn annotations(
    db: &Connection,
    policy: &Policy,
    source: &str,
    project: Option<&str>,
    task: &str,
) -> rusqlite::Result<Vec<Candidate<Head>>> {
    db.prepare_cached(&format!(
        "SELECT {}, kind, annotation_id, author, relations FROM annotations
         WHERE source = ?1 AND task_id = ?2 AND project_id IS ?3 AND state = 'present' ORDER BY {}",
        candidate::COLUMNS,
        candidate::OLDEST_FIRST,
    ))?
    .query_map((source, task, project), |row| {
        let next = candidate::COUNT;
        let head = Head {
            kind: row.get(next)?,
            id: row.get(next + 1)?,
            author: row.get(next + 2)?,
            relations: row.get(next + 3)?,
        };
        Candidate::read(db, policy, row, head)
    })?
    .collect()
}

/// Reads what the annotations hold, and parts it by the image that it is about. What names none is about the first.
fn by_item(
    db: &Connection,
    policy: &Policy,
    chosen: Vec<Candidate<Head>>,
) -> rusqlite::Result<BTreeMap<Option<i64>, Vec<Chosen>>> {
    let mut items: BTreeMap<Option<i64>, Vec<Chosen>> = BTreeMap::new();
    let mut read = Vec::with_capacity(chosen.len());
    for it in chosen {
        let annotation = Chosen {
            kind: it.head.kind,
            id: it.head.id,
            version: it.version,
            author: it.head.author.filter(|_| policy.authors),
            ground_truth: it.ground_truth,
            is_marked_as_deleted: it.is_marked_as_deleted,
            regions: Vec::new(),
            classifications: Vec::new(),
            relations: json_of(it.head.relations),
        };
        let (regions, answers) = (regions(db, policy, it.row)?, answers(db, it.row)?);
        read.push((annotation, regions, answers));
    }
    let first = {
        let of_regions = read
            .iter()
            .flat_map(|(_, regions, _)| regions.iter().map(|it| it.geometry.item));
        let of_answers = read
            .iter()
            .flat_map(|(_, _, answers)| answers.iter().map(|it| it.item));
        of_regions.chain(of_answers).flatten().min()
    };
    let place = |item: Option<i64>| item.or(first);
    for (annotation, regions, answers) in read {
        let mut parts: BTreeMap<Option<i64>, Chosen> = BTreeMap::new();
        let part = || Chosen {
            kind: annotation.kind.clone(),
            id: annotation.id.clone(),
            version: annotation.version.clone(),
            author: annotation.author.clone(),
            relations: annotation.relations.clone(),
            regions: Vec::new(),
            classifications: Vec::new(),
            ..annotation
        };
        for region in regions {
            let item = place(region.geometry.item);
            parts.entry(item).or_insert_with(part).regions.push(region);
        }
        for answer in answers {
            let item = place(answer.item);
            let part = parts.entry(item).or_insert_with(part);
            part.classifications.push(answer);
        }
        if parts.is_empty() {
            // It says that there is nothing.
            parts.insert(first, part());
        }
        for (item, part) in parts {
            items.entry(item).or_default().push(part);
        }
    }
    Ok(items)
}

fn regions(db: &Connection, policy: &Policy, annotation: i64) -> rusqlite::Result<Vec<Region>> {
    let sql = format!(
        "SELECT region_id, labels, name,
             CASE WHEN kind NOT IN ('box', 'polygon', 'line', 'ellipse', 'keypoint', 'mask', 'span', 'timespan')
             THEN raw END, {} FROM regions WHERE annotation = ?1 ORDER BY position",
        Geometry::COLUMNS
    );
    db.prepare_cached(&sql)?
        .query_map([annotation], |row: &Row<'_>| {
            let labels: String = row.get(1)?;
            let mut geometry = Geometry::read(row, 4)?;
            let mask_url = geometry.mask_url.as_deref();
            geometry.mask_url = mask_url.and_then(|url| policy.addresses.one(url));
            let raw = row.get::<_, Option<String>>(3)?;
            let raw = raw.filter(|_| policy.authors);
            let raw = raw.and_then(|raw| policy.addresses.in_json(&raw).map(Cow::into_owned));
            Ok(Region {
                id: row.get(0)?,
                labels: serde_json::from_str(&labels).unwrap_or_default(),
                name: row.get(2)?,
                raw: raw.map(|raw| json_of(Some(raw))),
                geometry,
            })
        })?
        .collect()
}

fn answers(db: &Connection, annotation: i64) -> rusqlite::Result<Vec<Answered>> {
    db.prepare_cached(
        "SELECT name, answers, region_id, frame, item, parents FROM classifications
         WHERE annotation = ?1 ORDER BY position",
    )?
    .query_map([annotation], |row| {
        Ok(Answered {
            name: row.get(0)?,
            answers: json_of(row.get(1)?),
            region: row.get(2)?,
            frame: row.get(3)?,
            item: row.get(4)?,
            parents: json_of(row.get(5)?),
        })
    })?
    .collect()
}
