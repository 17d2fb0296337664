//! Keeps verdicts, beside the snapshots that they are about.

use crate::housekeeping::in_place;
use crate::output::Output;
use crate::snapshot::{Snapshot, name_again, refuse_later};
use crate::verdict::{UNKNOWN, Verdict};
use crate::{DatasetError, Differences, Scope, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::{fs, io};

/// Verdicts that are kept, the newest among them.
const KEPT: i64 = 1000;

/// The verdict of a process that only looked, for the one that works on the dataset.
const LEFT: &str = "verdict.json";

/// The same while it is taken: another one may be left meanwhile.
const TAKEN: &str = "taken-verdict.json";

/// Contents of that file.
#[derive(Serialize, Deserialize)]
struct Left {
    revision: i64,
    verdict: Verdict,
}

impl Left {
    fn write(&self, dir: &Path) -> Result<(), DatasetError> {
        in_place(dir, LEFT, |path| {
            let mut file = Output::create(path)?;
            file.write(&serde_json::to_string(self).unwrap_or_default())?;
            file.end().map(drop)
        })
    }
}

impl Store {
    /// Keeps what a comparison found of the state as it was then. If a snapshot says the same as the state, it gets the
    /// verdict, and so does `latest.json`; else the next snapshot gets it, if nothing changes before. Who
    /// [only looks](Self::look) leaves it for the process that works on the dataset, which
    /// [takes it](Self::take_left_verdict).
    ///
    /// # Errors
    /// [`DatasetError`] when it cannot be written, or when a later version named the latest snapshot.
    pub fn keep_verdict(
        &mut self,
        differences: &Differences,
        scope: &Scope,
        at: Timestamp,
    ) -> Result<Verdict, DatasetError> {
        refuse_later(&self.dir)?;
        let verdict = Verdict {
            at: at.to_string(),
            source: scope.source.clone(),
            projects: scope.projects.clone(),
            equal: differences.equal,
            missing: differences.missing.len() as u64,
            extra: differences.extra.len() as u64,
            different: differences.different.len() as u64,
            deletions_checked: differences.deletions_checked(),
        };
        let revision = match differences.revision {
            Some(revision) => revision,
            None => self.revision()?,
        };
        let left = Left { revision, verdict };
        if self.only_looks() {
            left.write(&self.dir)?;
        } else {
            // Of before, and the newest is the last.
            self.take_left_verdict()?;
            self.keep_left(&left)?;
        }
        Ok(left.verdict)
    }

    /// Keeps the verdict of a process that only looked, if there is one.
    ///
    /// # Errors
    /// [`DatasetError`] when it cannot be read or kept, or when a later version named the latest snapshot.
    pub fn take_left_verdict(&mut self) -> Result<(), DatasetError> {
        let (left, taken) = (self.dir.join(LEFT), self.dir.join(TAKEN));
        // What a process had taken that was killed then is older.
        self.keep_taken(&taken)?;
        match fs::rename(&left, &taken) {
            Ok(()) => self.keep_taken(&taken),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(DatasetError::io(&left)(error)),
        }
    }

    /// Keeps the verdict in the file at `path`, if there is one, and removes it.
    fn keep_taken(&mut self, path: &Path) -> Result<(), DatasetError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(DatasetError::io(path)(error)),
        };
        refuse_later(&self.dir)?;
        // One that cannot be read says nothing.
        if let Ok(left) = serde_json::from_slice::<Left>(&text) {
            self.keep_left(&left)?;
        }
        fs::remove_file(path).map_err(DatasetError::io(path))
    }

    fn keep_left(&mut self, left: &Left) -> Result<(), DatasetError> {
        let failed = self.failed();
        self.keep(&left.verdict, left.revision).map_err(failed)?;
        name_again(self)
    }

    fn keep(&mut self, verdict: &Verdict, revision: i64) -> rusqlite::Result<()> {
        let db = self.db.transaction()?;
        db.execute(
            "INSERT INTO verdicts(at, revision, source, projects, equal, missing, extra, different)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (
                &verdict.at,
                revision,
                &verdict.source,
                serde_json::to_string(&verdict.projects).unwrap_or_default(),
                verdict.equal.cast_signed(),
                verdict.missing.cast_signed(),
                if verdict.deletions_checked {
                    verdict.extra.cast_signed()
                } else {
                    UNKNOWN
                },
                verdict.different.cast_signed(),
            ),
        )?;
        db.execute(
            "DELETE FROM verdicts WHERE number <= (SELECT max(number) FROM verdicts) - ?1",
            [KEPT],
        )?;
        let same: Vec<(i64, String)> = {
            let statement = "SELECT number, summary FROM snapshots WHERE revision = ?1";
            let mut same = db.prepare(statement)?;
            let same = same.query_map([revision], |row| Ok((row.get(0)?, row.get(1)?)))?;
            same.collect::<rusqlite::Result<_>>()?
        };
        for (number, summary) in same {
            let Ok(mut snapshot) = serde_json::from_str::<Snapshot>(&summary) else {
                continue;
            };
            snapshot.verified = Some(verdict.clone());
            db.execute(
                "UPDATE snapshots SET summary = ?2 WHERE number = ?1",
                (number, serde_json::to_string(&snapshot).unwrap_or_default()),
            )?;
        }
        db.commit()
    }
}
