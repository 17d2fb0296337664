//! Which page size and which tables: the measurement behind what is frozen into users' files.
//!
//! `cargo run --release -p labelrelay-local --example layout [DIR]`
//!
//! Plain `SQLite`, one thread, groups of 32 rows per commit, a checkpointer beside it: rows a second, the
//! 99th percentile of a commit, processor time a row, and how often each byte was written.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a measuring program"
)]

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
struct Case {
    page: u32,
    /// Attributes in a table of their own, beside the envelopes.
    two_tables: bool,
    /// A unique index over the ids.
    unique: bool,
    row_bytes: usize,
    rows: usize,
    group: usize,
}

fn main() {
    let dir = std::env::args()
        .nth(1)
        .unwrap_or_else(|| std::env::temp_dir().display().to_string());
    println!("page  tables index  row_bytes  rows/s  p99_commit_ms  cpu_us/row  written/payload");
    for (row_bytes, rows) in [(1_700, 300_000), (101_000, 10_000)] {
        for page in [4096, 8192, 16_384, 32_768, 65_536] {
            for (two_tables, unique) in [(false, false), (true, false), (false, true)] {
                run(
                    Path::new(&dir),
                    Case {
                        page,
                        two_tables,
                        unique,
                        row_bytes,
                        rows,
                        group: 32,
                    },
                );
            }
        }
    }
}

fn run(dir: &Path, case: Case) {
    let path = dir.join("layout-measurement.db");
    remove(&path);
    let db = open(&path, case.page);
    db.execute_batch(match (case.two_tables, case.unique) {
        (true, _) => "CREATE TABLE events(seq INTEGER PRIMARY KEY, received_ms INTEGER, id TEXT, type TEXT, source TEXT, subject TEXT);
                      CREATE TABLE bodies(seq INTEGER PRIMARY KEY, envelope BLOB)",
        (false, false) => "CREATE TABLE events(seq INTEGER PRIMARY KEY, received_ms INTEGER, id TEXT, type TEXT, source TEXT, subject TEXT, envelope BLOB)",
        (false, true) => "CREATE TABLE events(seq INTEGER PRIMARY KEY, received_ms INTEGER, id TEXT UNIQUE, type TEXT, source TEXT, subject TEXT, envelope BLOB)",
    })
    .unwrap();
    let frames = Arc::new(AtomicI32::new(0));
    let (finish, stop) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut db = db;
    let seen = frames.clone();
    db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, n| {
        seen.store(n, Ordering::Relaxed);
        Ok(())
    }))
    .unwrap();
    let limit = i32::try_from(32 * 1024 * 1024 / case.page).unwrap();
    let checkpointer = {
        let (path, frames, finish, stop) =
            (path.clone(), frames.clone(), finish.clone(), stop.clone());
        std::thread::spawn(move || {
            let db = open(&path, case.page);
            while !stop.load(Ordering::Relaxed) {
                if frames.load(Ordering::Relaxed) < limit || finish.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                } else if let Ok((log, done)) =
                    db.wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE)
                    && log - done < limit / 16
                {
                    finish.store(true, Ordering::Relaxed);
                }
            }
        })
    };
    let envelope: Vec<u8> = (0..case.row_bytes)
        .map(|i| u8::try_from(i * 31 % 251).unwrap())
        .collect();
    let (io, cpu, start) = (written(), cpu(), Instant::now());
    let mut commits = Vec::new();
    for first in (0..case.rows).step_by(case.group) {
        let begun = Instant::now();
        if finish.swap(false, Ordering::Relaxed) {
            db.wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE)
                .unwrap();
        }
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        {
            let mut event = db
                .prepare(if case.two_tables {
                    "INSERT INTO events VALUES(?,?,?,?,?,?)"
                } else {
                    "INSERT INTO events VALUES(?,?,?,?,?,?,?)"
                })
                .unwrap();
            let mut body = case
                .two_tables
                .then(|| db.prepare("INSERT INTO bodies VALUES(?,?)").unwrap());
            for seq in first..first + case.group {
                let id = format!(
                    "{:032x}{:032x}",
                    (seq as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
                    seq
                );
                let seq = i64::try_from(seq).unwrap();
                let fields = (
                    seq,
                    1_700_000_000_000_i64,
                    id,
                    "com.labelbox.label.created",
                    "/labelbox",
                    "label/ckfgcfsbi00003h5ziwnd8qt7",
                );
                match &mut body {
                    Some(body) => {
                        event.execute(fields).unwrap();
                        body.execute(params![seq, envelope]).unwrap();
                    }
                    None => {
                        event
                            .execute(params![
                                fields.0, fields.1, fields.2, fields.3, fields.4, fields.5,
                                envelope
                            ])
                            .unwrap();
                    }
                }
            }
        }
        db.execute_batch("COMMIT").unwrap();
        commits.push(begun.elapsed());
    }
    let elapsed = start.elapsed();
    stop.store(true, Ordering::Relaxed);
    checkpointer.join().unwrap();
    commits.sort_unstable();
    let p99 = commits[commits.len() * 99 / 100];
    let payload = (case.rows * case.row_bytes) as f64;
    println!(
        "{:5} {:6} {:6} {:9} {:8.0} {:10.2} {:12.1} {:10.2}",
        case.page,
        1 + u8::from(case.two_tables),
        case.unique,
        case.row_bytes,
        case.rows as f64 / elapsed.as_secs_f64(),
        p99.as_secs_f64() * 1000.0,
        (self::cpu() - cpu) * 1e6 / case.rows as f64,
        (written() - io) as f64 / payload,
    );
    drop(db);
    remove(&path);
}

fn open(path: &Path, page: u32) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA page_size={page}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4096"))
        .unwrap();
    db
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

/// Bytes that this process handed to the system to write. Not those that reached the disk (`write_bytes`): the system
/// joins writes of the same page, as many as it has memory and time for.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines()
        .find_map(|l| l.strip_prefix("wchar: ")?.parse().ok())
        .unwrap_or(0)
}

/// Seconds of processor time that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse().ok())
        .collect();
    fields.iter().sum::<f64>() / 100.0
}
