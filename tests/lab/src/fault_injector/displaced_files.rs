//! A fault: the queue's files are taken away, replaced or cut off under the process that has them.
//!
//! A copy of them from just before is kept aside, and is what the next process finds. So whatever was answered 200
//! after it, and is not in the fallback, is lost; and was never in the file that was there.

use crate::process::Program;
use crate::seed_dir::{self, SeedDir};
use rustix::process::Signal;
use std::fs::File;
use std::path::PathBuf;

/// The file, its journal, the journal's index and the lock.
const ENDS: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// The files that hold the events: the index is made again, and the lock is empty.
const KEPT: [&str; 2] = ["", "-wal"];

/// The files as they are until they are put right.
pub(super) struct DisplacedFiles {
    /// The new file is in its place already.
    is_replaced: bool,
}

impl DisplacedFiles {
    /// Takes the files away in this form, while no thread of the process can touch them.
    pub(super) fn begin(seed_dir: &SeedDir, program: &Program, form: &str) -> Self {
        program.freeze();
        for end in KEPT {
            let (from, to) = (file(seed_dir, end), aside(seed_dir, end));
            if from.exists() {
                std::fs::copy(from, to).unwrap();
            }
        }
        match form {
            "cut off" => {
                let queue = File::options().write(true).open(file(seed_dir, ""));
                queue.unwrap().set_len(0).unwrap();
            }
            _ => away(
                seed_dir,
                if form == "replaced" {
                    &ENDS[..3]
                } else {
                    &ENDS
                },
            ),
        }
        if form == "replaced" {
            put_back(seed_dir);
        }
        program.signal(Signal::CONT);
        Self {
            is_replaced: form == "replaced",
        }
    }

    /// When the process is gone: what was there before is there again.
    pub(super) fn put_right(self, seed_dir: &SeedDir) {
        if !self.is_replaced {
            for end in ENDS {
                let _ = std::fs::remove_file(file(seed_dir, end));
            }
            put_back(seed_dir);
        }
        for end in ENDS {
            let _ = std::fs::remove_file(gone(seed_dir, end));
        }
    }
}

fn away(seed_dir: &SeedDir, ends: &[&str]) {
    for end in ends {
        // Not all of them are always there.
        let _ = std::fs::rename(file(seed_dir, end), gone(seed_dir, end));
    }
}

fn put_back(seed_dir: &SeedDir) {
    for end in KEPT {
        let kept = aside(seed_dir, end);
        if kept.exists() {
            std::fs::rename(kept, file(seed_dir, end)).unwrap();
        }
    }
}

fn file(seed_dir: &SeedDir, end: &str) -> PathBuf {
    let mut path = seed_dir::queue(seed_dir.folder()).into_os_string();
    path.push(end);
    path.into()
}

fn aside(seed_dir: &SeedDir, end: &str) -> PathBuf {
    seed_dir.folder().join(format!("aside{end}"))
}

fn gone(seed_dir: &SeedDir, end: &str) -> PathBuf {
    seed_dir.folder().join(format!("gone{end}"))
}
