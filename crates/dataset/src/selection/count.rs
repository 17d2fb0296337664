//! Counts of a choice, without what was chosen.

use super::candidate::{self, Candidate, choose};
use super::policy::Policy;
use crate::store::parts::{self, Part};
use crate::tally::Tally;
use rusqlite::Connection;
use std::collections::{BTreeSet, HashMap};

/// Counts what [`each`](super::each) hands over of a part. Of what annotations hold, it reads nothing but the numbers of the
/// images. Copies of media are not known here.
pub(crate) fn count(db: &Connection, policy: &Policy, part: &Part) -> rusqlite::Result<Tally> {
    let mut counting = Counting {
        db,
        policy,
        source: &part.source,
        items: items(db, part)?,
        tally: Tally::default(),
    };
    let next = candidate::COUNT;
    let mut rows = db.prepare_cached(&format!(
        "SELECT {}, project_id, task_id FROM annotations WHERE state = 'present' AND {}
         ORDER BY {}, task_id, project_id, {}",
        candidate::COLUMNS,
        parts::within(),
        parts::key("task_id"),
        candidate::OLDEST_FIRST,
    ))?;
    let mut rows = rows.query(part.range())?;
    let mut place: Option<Place> = None;
    let mut of_task = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(task) = row.get_ref(next + 1)?.as_str_or_null()? else {
            counting.tally.without_task += 1;
            continue;
        };
        let project = row.get_ref(next)?.as_str_or_null()?;
        if let Some(before) = place.take_if(|it| !it.is(project, task)) {
            counting.add(&before, std::mem::take(&mut of_task))?;
        }
        if place.is_none() {
            place = Some(Place {
                project: project.map(str::to_owned),
                task: task.to_owned(),
            });
        }
        of_task.push(Candidate::read(db, policy, row, ())?);
    }
    if let Some(last) = place {
        counting.add(&last, of_task)?;
    }
    Ok(counting.tally)
}

/// Images that the annotations of a part are about, by the annotation's row. Most annotations name none.
fn items(db: &Connection, part: &Part) -> rusqlite::Result<HashMap<i64, Vec<i64>>> {
    let mut items: HashMap<i64, Vec<i64>> = HashMap::new();
    for table in ["regions", "classifications"] {
        let mut rows = db.prepare_cached(&format!(
            "SELECT DISTINCT row, item FROM annotations CROSS JOIN {table} ON row = annotation
             WHERE item IS NOT NULL AND {}",
            parts::within(),
        ))?;
        let mut rows = rows.query(part.range())?;
        while let Some(row) = rows.next()? {
            items.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
    }
    Ok(items)
}

/// A task in one project.
struct Place {
    project: Option<String>,
    task: String,
}

impl Place {
    fn is(&self, project: Option<&str>, task: &str) -> bool {
        self.task == task && self.project.as_deref() == project
    }
}

struct Counting<'c> {
    db: &'c Connection,
    policy: &'c Policy,
    source: &'c str,
    items: HashMap<i64, Vec<i64>>,
    tally: Tally,
}

impl Counting<'_> {
    fn add(&mut self, place: &Place, rows: Vec<Candidate<()>>) -> rusqlite::Result<()> {
        let place = (self.source, place.project.as_deref(), &*place.task);
        let chosen = choose(self.db, self.policy, place, rows, &mut self.tally)?;
        if chosen.is_empty() {
            return Ok(());
        }
        // What names no image is about the first.
        let named = chosen.iter().filter_map(|it| self.items.get(&it.row));
        let named: BTreeSet<_> = named.flatten().collect();
        self.tally.samples += named.len().max(1) as u64;
        Ok(())
    }
}
