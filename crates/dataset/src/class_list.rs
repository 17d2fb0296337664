//! Classes and their numbers. A number is given once and for ever: a new class never shifts those of the others, nor
//! does one that nobody uses any more.

use crate::label_config::LabelConfig;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use labelrelay_core::time;
use rusqlite::{Connection, Transaction};
use std::collections::{BTreeSet, HashMap};

/// Gives a class its number, if it has none. `schema` is its id in an ontology of Labelbox: the first that is seen stays.
pub(crate) fn note(
    db: &Transaction<'_>,
    name: &str,
    schema: Option<&str>,
    seen: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO classes(class_id, name, schema_id, first_seen)
         VALUES((SELECT coalesce(max(class_id), -1) + 1 FROM classes), ?1, ?2, ?3)
         ON CONFLICT(name) DO UPDATE SET schema_id = excluded.schema_id
         WHERE schema_id IS NULL AND excluded.schema_id IS NOT NULL",
    )?
    .execute((name, schema, seen))
    .map(drop)
}

/// Notes of each class which configurations have it, and since when none has it any more. A class that no configuration ever
/// had, as one of Labelbox, never retires.
///
/// All is made anew from the configurations, since they may come in any order.
pub(crate) fn retire(db: &mut Connection) -> rusqlite::Result<()> {
    let db = db.transaction()?;
    for (class, told) in of_configurations(&db)? {
        let projects = (!told.projects.is_empty())
            .then(|| serde_json::to_string(&told.projects).unwrap_or_default());
        let retired = told.retired.filter(|_| told.projects.is_empty());
        let retired = retired.map(|at| written_out(&at).unwrap_or(at));
        db.prepare_cached(
            "UPDATE classes SET retired = ?2, projects = ?3
             WHERE name = ?1 AND (retired IS NOT ?2 OR projects IS NOT ?3)",
        )?
        .execute((class, retired, projects))?;
    }
    db.commit()
}

/// The time of a version, as other times are written.
fn written_out(version: &str) -> Option<String> {
    let at = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", version).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(time::rfc3339(at))
}

/// Word of the configurations on a class.
#[derive(Default)]
struct Told {
    /// Projects that have it, as `SOURCE/PROJECT`.
    projects: BTreeSet<String>,
    /// When the last of the others had it no more.
    retired: Option<String>,
}

fn of_configurations(db: &Connection) -> rusqlite::Result<HashMap<String, Told>> {
    let mut statement = db.prepare(
        "SELECT source, project_id, seen_at, label_config, (SELECT until FROM removals
             WHERE removals.source = projects.source AND kind = 'project' AND id = project_id) FROM projects
         WHERE label_config IS NOT NULL ORDER BY source, project_id, seen_at",
    )?;
    let mut rows = statement.query([])?;
    let mut all: HashMap<String, Told> = HashMap::new();
    let mut project = OneProject::default();
    while let Some(row) = rows.next()? {
        let (source, id): (String, String) = (row.get(0)?, row.get(1)?);
        let name = format!("{source}/{id}");
        if project.name != name {
            std::mem::take(&mut project).tell(&mut all);
            project.name = name;
        }
        let config: String = row.get(3)?;
        if let Some(config) = LabelConfig::read(&config) {
            project.version(row.get(2)?, &config);
        }
        project.removed = row.get(4)?;
    }
    project.tell(&mut all);
    Ok(all)
}

/// The configurations of one project, oldest first.
#[derive(Default)]
struct OneProject {
    name: String,
    /// Labels, and since when the project has them no more.
    labels: HashMap<String, Option<String>>,
    seen: String,
    removed: Option<String>,
}

impl OneProject {
    fn version(&mut self, seen: String, config: &LabelConfig) {
        for (label, retired) in &mut self.labels {
            // What is in the data of tasks may be any label.
            if retired.is_none() && !config.has_others && !config.labels.contains(label) {
                *retired = Some(seen.clone());
            }
        }
        let there = config.labels.iter().map(|label| (label.clone(), None));
        self.labels.extend(there);
        self.seen = seen;
    }

    fn tell(self, all: &mut HashMap<String, Told>) {
        // The project went after the last configuration was seen, and its labels with it.
        let removed = self.removed.filter(|until| *until >= self.seen);
        for (label, retired) in self.labels {
            let told = all.entry(label).or_default();
            match retired.or_else(|| removed.clone()) {
                Some(retired) => told.retired = told.retired.take().max(Some(retired)),
                None => {
                    told.projects.insert(self.name.clone());
                }
            }
        }
    }
}

/// Names of all classes; the place of each is its number.
#[derive(Debug, Default)]
pub(crate) struct ClassList(pub(crate) Vec<String>);

impl ClassList {
    pub(crate) fn read(db: &Connection) -> rusqlite::Result<Self> {
        db.prepare("SELECT name FROM classes ORDER BY class_id")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()
            .map(Self)
    }

    /// Numbers by name.
    pub(crate) fn numbers(&self) -> std::collections::HashMap<&str, usize> {
        let names = self.0.iter().enumerate();
        names
            .map(|(number, name)| (name.as_str(), number))
            .collect()
    }
}
