//! Steps of Labelbox's workflow, and reviews, as whoever chooses labels by them needs to know them.

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

    /// The state that counts for an annotation in this version: the later one of the last `step`, and of the last review
    /// of this version. Where no review decides, that is the state in the annotation's `own` body.
    pub(crate) fn state<'a>(
        step: Option<&'a Self>,
        review: Option<&'a Reviewed>,
        own: Option<&'a str>,
        version: Option<&str>,
    ) -> Option<&'a str> {
        let (told, at) = match review {
            Some(review) => (Some(review.state.as_str()), Some(review.at.as_str())),
            None => (own, version),
        };
        let later = step.filter(|step| told.is_none() || Some(step.at.as_str()) >= at);
        later.and_then(|step| step.state.as_deref()).or(told)
    }
}

/// The last review of an annotation, if it decides, and if it is of the version that is there.
pub(crate) struct Reviewed {
    state: String,
    /// The time of that, in the form of a version.
    at: String,
}

impl Reviewed {
    /// The review of the annotation in this row.
    pub(crate) fn read(db: &Connection, row: i64) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(
            "SELECT state, at FROM reviewed WHERE annotation = ?1 AND state IS NOT NULL",
        )?
        .query_row([row], |row| {
            Ok(Self {
                state: row.get(0)?,
                at: row.get(1)?,
            })
        })
        .optional()
    }
}
