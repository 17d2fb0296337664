//! Steps of Labelbox's workflow, as whoever chooses labels by them needs to know them.

use rusqlite::{Connection, OptionalExtension as _};

/// The last step of a data row in the workflow of one project.
pub(crate) struct Step {
    state: Option<String>,
    /// The time of that, in the form of a version.
    at: String,
}

impl Step {
    /// The last step of a task in this project. One of which nobody told the project counts in each.
    pub(crate) fn read(
        db: &Connection,
        source: &str,
        project: Option<&str>,
        task: &str,
    ) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(
            "SELECT state, at FROM steps
             WHERE source = ?1 AND task_id = ?2 AND project_id IN ('', coalesce(?3, ''))
             ORDER BY at DESC, project_id DESC LIMIT 1",
        )?
        .query_row((source, task, project), |row| {
            Ok(Self {
                state: row.get(0)?,
                at: row.get(1)?,
            })
        })
        .optional()
    }

    /// State of the workflow that counts for an annotation in this version: the later one of the last `step` and of the
    /// state in the annotation's `own` body.
    pub(crate) fn state<'a>(
        step: Option<&'a Self>,
        own: Option<&'a str>,
        version: Option<&str>,
    ) -> Option<&'a str> {
        let later = step.filter(|step| own.is_none() || Some(step.at.as_str()) >= version);
        later.and_then(|step| step.state.as_deref()).or(own)
    }
}
