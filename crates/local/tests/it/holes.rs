//! Holes of the queue's file: a file that was cut off under a checkpoint is long again at once, and has holes where
//! events were. Other holes are no alarm.
#![cfg(unix)]

use crate::displaced::refuses;
#[cfg(target_os = "linux")]
use crate::support::ids;
use crate::support::{QueueDir, send};
use futures_executor::block_on;
use labelrelay_core::EventQueue as _;
use labelrelay_local::EmbeddedQueue;
use rusqlite::Connection;
use std::fs::{self, Metadata};
use std::ops::Range;
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt as _;

/// A queue whose journal is moved by the test alone. The queue's own checkpointer would move pages before the cut, and
/// the journal would begin anew.
struct Slow {
    queue: EmbeddedQueue,
    shell: Connection,
    queue_dir: QueueDir,
}

impl Slow {
    fn new() -> Self {
        let queue_dir = QueueDir::new();
        let queue = queue_dir.open_with(|options| {
            options.checkpoint_bytes = u64::MAX;
            options.checkpoint_step_bytes = u64::MAX;
        });
        let shell = Connection::open(queue_dir.path()).unwrap();
        Self {
            queue,
            shell,
            queue_dir,
        }
    }

    fn send(&self, numbers: Range<u32>) {
        for n in numbers {
            send(&self.queue, &format!("{n} {}", "x".repeat(20_000)));
        }
    }

    /// Tells whether all of the journal was moved.
    fn checkpoint(&self) -> bool {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let moved = self.shell.query_row("PRAGMA wal_checkpoint", [], row);
        let (busy, pages, moved): (i64, i64, i64) = moved.unwrap();
        assert_eq!(busy, 0, "nobody else moves the journal");
        pages == moved
    }

    /// Keeps what is sent from now on in the journal, until it is dropped.
    fn reader(&self) -> Connection {
        let reader = Connection::open(self.queue_dir.path()).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let count = reader.query_row("SELECT count(*) FROM events", [], |row| {
            row.get::<_, i64>(0)
        });
        assert!(count.unwrap() > 0);
        reader
    }

    fn file(&self) -> Metadata {
        self.queue_dir.path().metadata().unwrap()
    }

    /// Cuts the file off while a checkpoint is on its way, and says whether the queue told by the holes what had
    /// happened. The writer looks at the files once a second: a look between the cut and the checkpoint finds the file
    /// short, which is as good a reason to refuse.
    fn cut_off_under_a_checkpoint(self) -> bool {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(self.queue_dir.path())
            .unwrap();
        let before = self.file().len();
        file.set_len(0).unwrap();
        self.checkpoint();
        assert!(self.file().len() > before);
        refuses(&self.queue, "after", &["queue.db", "cut off"]);
        let told = block_on(self.queue.check()).unwrap_err();
        // Closing it here would drop this process's locks of it, which is not what is tried.
        std::mem::forget(file);
        told.message.contains("holes")
    }
}

/// So many attempts are enough to meet no look of the writer's.
#[track_caller]
fn is_told_by_the_holes(attempt: impl Fn() -> bool) {
    assert!((0..10).any(|_| attempt()), "the file was short each time");
}

/// The cut file is as long as before by the next look, because a checkpoint was on its way.
#[test]
fn a_file_that_was_cut_off_and_written_on_is_not_trusted() {
    is_told_by_the_holes(|| {
        let slow = Slow::new();
        slow.send(0..20);
        assert!(slow.checkpoint());
        // More pages than the whole file has: of fewer, SQLite would see by itself that the file is too short.
        slow.send(20..100);
        slow.cut_off_under_a_checkpoint()
    });
}

/// What a reader keeps in the journal are other pages than the ones that are missing.
#[test]
fn a_long_journal_is_no_reason_for_holes_where_it_has_nothing() {
    is_told_by_the_holes(|| {
        let slow = Slow::new();
        slow.send(0..20);
        assert!(slow.checkpoint());
        slow.send(20..100);
        let _reader = slow.reader();
        slow.send(100..200);
        slow.cut_off_under_a_checkpoint()
    });
}

/// A page that was written again after the reader began is not moved at all, and the ones behind it are.
#[cfg(target_os = "linux")]
#[test]
fn holes_that_a_reader_leaves_are_no_alarm_and_hide_none() {
    is_told_by_the_holes(|| {
        let slow = Slow::new();
        slow.send(0..20);
        assert!(slow.checkpoint());
        slow.shell
            .execute_batch("CREATE TABLE again(b); INSERT INTO again VALUES(1)")
            .unwrap();
        slow.send(20..100);
        let reader = slow.reader();
        slow.shell.execute_batch("UPDATE again SET b = 2").unwrap();
        slow.send(100..200);
        assert!(!slow.checkpoint());
        assert!(slow.file().blocks() * 512 < slow.file().len());
        block_on(slow.queue.check()).unwrap();
        slow.send(200..210);
        drop(reader);
        slow.cut_off_under_a_checkpoint()
    });
}

/// As on a file system that compresses: what is not on the disk is there all the same.
#[cfg(target_os = "linux")]
#[test]
fn holes_without_a_loss_are_no_alarm() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "before");
    let shell = Connection::open(queue_dir.path()).unwrap();
    shell
        .execute_batch(
            "CREATE TABLE zeros(b); INSERT INTO zeros VALUES(zeroblob(600000)); PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .unwrap();
    block_on(queue.check()).unwrap();
    let mut dig = std::process::Command::new("fallocate");
    let dug = dig.arg("--dig-holes").arg(queue_dir.path()).status();
    assert!(dug.unwrap().success());
    let file = queue_dir.path().metadata().unwrap();
    let kept = file.blocks() * 512;
    assert!(kept < file.len() - 300_000, "{kept} of {}", file.len());
    block_on(queue.check()).unwrap();
    send(&queue, "after");
    assert_eq!(ids(&queue_dir.file()), ["before", "after"]);
}
