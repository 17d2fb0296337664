//! Looks through a queue file for damage that nobody has met yet.

use super::{Filter, QueueFile, State, envelope_damage};
use crate::queue_file_error::FileError;
use rusqlite::{ErrorCode, ffi};
use std::time::{Duration, Instant};

/// Steps of `SQLite` between two looks at the time.
const STEPS: i32 = 1000;

/// Events listed at a time.
const PAGE: usize = 256;

impl QueueFile {
    /// Checks that the parts of the file fit together. Ends well after `patience`: a large file is not read to its end.
    ///
    /// # Errors
    /// [`FileError::Damaged`] when they do not.
    pub fn check_structure(&mut self, patience: Duration) -> Result<(), FileError> {
        let begun = Instant::now();
        let is_over = move || begun.elapsed() > patience;
        self.db.progress_handler(STEPS, Some(is_over))?;
        let looked = self
            .db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        self.db.progress_handler(0, None::<fn() -> bool>)?;
        let wrong = match looked {
            Ok(found) if found == "ok" => return Ok(()),
            Ok(found) => {
                let code = ffi::Error::new(ffi::SQLITE_CORRUPT);
                rusqlite::Error::SqliteFailure(code, Some(found))
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                return Ok(());
            }
            Err(error) => error,
        };
        Err(FileError::from(wrong).of(&self.path))
    }

    /// Numbers of events that are not done with and whose envelope is damaged, each with the reason. Ends after
    /// `patience` with what was found by then.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn damaged_events(&self, patience: Duration) -> Result<Vec<(u64, String)>, FileError> {
        let begun = Instant::now();
        let mut damaged = Vec::new();
        let mut waiting = Filter {
            states: vec![State::Ready, State::InFlight, State::Dead],
            ..Filter::default()
        };
        loop {
            let page = self.list(&waiting, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(damaged);
            };
            waiting.after = Some(last.seq);
            for event in &page {
                if begun.elapsed() > patience {
                    return Ok(damaged);
                }
                // One at a time: they may be large.
                let stored = self.get(event.seq)?;
                let reason = stored.and_then(|stored| envelope_damage(&stored.envelope));
                damaged.extend(reason.map(|reason| (event.seq, reason)));
            }
        }
    }
}
