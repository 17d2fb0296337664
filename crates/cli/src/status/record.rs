//! The record of deliveries, as `status` looks at it: whether the `serve` that runs here keeps it, or the next one could.
//! Whatever is wrong with it is a warning: deliveries are taken all the same.

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::locations::QueueLocation;
use crate::{open, page_token, record, shared_record};
use labelrelay_core::config::Config;
use labelrelay_record::{RecordError, RecordFile, SharedRecord};
use labelrelay_startup::QUEUE;
use serde::Serialize;
use std::fs::OpenOptions;
use std::path::Path;

/// The `serve` that owns the queue's file.
#[derive(Clone, Copy)]
pub(super) enum Running {
    No,
    /// It runs, and says whether deliveries are recorded; `None` where it does not say.
    Yes(Option<bool>),
}

/// The record, and whether deliveries are in it.
#[derive(Serialize)]
pub(super) struct Record {
    /// Absent of one in the database of the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// How many there are, of all replicas. Of a file it is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<u64>,
    /// Nothing was recorded yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_missing: bool,
    /// What the `serve` that runs says; absent where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_recording: Option<bool>,
    /// What is wrong, and the cure.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Record {
    /// For people. The problem is among the warnings.
    pub(super) fn words(&self) -> String {
        let words = match self {
            Self {
                is_recording: Some(false),
                ..
            } => ": deliveries are not recorded; see the warning",
            Self {
                is_recording: Some(true),
                ..
            } => ": deliveries are recorded",
            Self {
                problem: Some(_), ..
            } => ": cannot be used; see the warning",
            Self {
                is_missing: true, ..
            } => ": made by the next `serve`",
            _ => "",
        };
        let place = self
            .file
            .as_deref()
            .unwrap_or("in the database of the queue");
        match self.deliveries {
            Some(deliveries) => format!("{place}: {deliveries} deliveries"),
            None => format!("{place}{words}"),
        }
    }
}

/// Looks at the record that the configuration names, and makes none.
pub(super) fn look(
    config: &Config,
    queue: &QueueLocation,
    running: Running,
    env: &Env<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Record>, CliError> {
    let Some(file) = record::file(config, env)? else {
        return Ok(None);
    };
    if let QueueLocation::Cloud(Cloud::Postgres, url) = queue {
        let base = open::setting(QUEUE, config, env).base_dir;
        let record = shared_record::open(url, base, env, None, "")?;
        return Ok(Some(look_into_shared(&*record, warnings)));
    }
    let is_recording = match running {
        Running::Yes(says) => says,
        Running::No => None,
    };
    let there = is_there(&file).and_then(|is_there| {
        let is_made_with_queue =
            matches!(queue, QueueLocation::Sqlite(queue) if queue.parent() == file.parent());
        // Whoever records can write.
        if is_recording != Some(true) {
            can_be_written(&file, is_there, is_made_with_queue)?;
        }
        Ok(is_there)
    });
    let is_missing = matches!(there, Ok(false));
    let problem = problem(is_recording, there.err());
    warnings.extend(problem.clone());
    if let Running::Yes(_) = running {
        warnings.extend(page_fault(config, env)?);
    }
    Ok(Some(Record {
        file: Some(file.display().to_string()),
        deliveries: None,
        is_missing,
        is_recording,
        problem,
    }))
}

/// Whether a delivery waits for a record in a database says the log of the replica that took it.
fn look_into_shared(record: &dyn SharedRecord, warnings: &mut Vec<String>) -> Record {
    let counted = record.exists().and_then(|is_there| {
        let count = is_there.then(|| record.count());
        count.transpose()
    });
    let problem = counted.as_ref().err().map(|error| {
        format!(
            "the record of deliveries was not looked into: {}",
            chain(error)
        )
    });
    warnings.extend(problem.clone());
    Record {
        file: None,
        is_missing: matches!(counted, Ok(None)),
        deliveries: counted.ok().flatten(),
        is_recording: None,
        problem,
    }
}

fn problem(is_recording: Option<bool>, found: Option<String>) -> Option<String> {
    if is_recording == Some(true) {
        return found.map(|found| {
            format!(
                "`serve` records deliveries, and whoever runs this command cannot look into the record: {found}"
            )
        });
    }
    if is_recording != Some(false) {
        return found.map(|found| format!("the record of deliveries cannot be used: {found}"));
    }
    let found = found.map_or_else(
        || "mend what its log names".to_owned(),
        |found| format!("what is found here: {found}"),
    );
    Some(format!(
        "`serve` takes deliveries, and records none: its log says why (`record_failed`), and it tries again every 5 seconds; {found}"
    ))
}

/// Says whether there is a record that can be read.
fn is_there(file: &Path) -> Result<bool, String> {
    // `SQLite` would follow a link, and `serve` does not. Whose it is does not count: root may look, too.
    let what = file.symlink_metadata();
    if what.is_ok_and(|what| !what.is_file()) {
        return Err(chain(&RecordError::Foreign {
            path: file.to_owned(),
            what: "it is no regular file".to_owned(),
        }));
    }
    match RecordFile::open(file) {
        Ok(found) => Ok(found.is_some()),
        Err(error) => Err(chain(&error)),
    }
}

/// Tries whether the next `serve` could write it: it is opened, and nothing is written. So is a file without a name beside
/// it. `is_made_with_queue`: its directory is that of the queue, which was looked at.
fn can_be_written(file: &Path, is_there: bool, is_made_with_queue: bool) -> Result<(), String> {
    if is_there {
        let opened = OpenOptions::new().write(true).open(file);
        opened.map_err(|error| cannot(file, "written", &error))?;
    }
    let directory = match file.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    if is_made_with_queue && !directory.exists() {
        return Ok(());
    }
    let tried = tempfile::tempfile_in(directory);
    tried
        .map(drop)
        .map_err(|error| cannot(directory, "written into", &error))
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> String {
    format!(
        "{} cannot be {what} ({error}); see that it is there, and that the user of `serve` may write it, or give `serve.record.file` another path",
        path.display()
    )
}

/// Words about a page that nobody finds, because its token is not there. One that cannot be read may be somebody else's.
fn page_fault(config: &Config, env: &Env<'_>) -> Result<Option<String>, CliError> {
    let shown = record::shown_by_page(config, env)?;
    let missing = shown.filter(|file| matches!(page_token::read(file), Ok(None)));
    Ok(missing.map(|file| page_token::missing(&file)))
}
