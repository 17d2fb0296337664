//! Folding events into the state, beside a bare upsert of the very same rows in the same run, batch by batch: so both see the
//! same machine, and memory stays flat.
//!
//! `cargo bench -p labelrelay-dataset --bench fold -- --events 1000000` prints both rates, the ratio, and the most memory
//! that the process had. From a million events on, it fails where an aim is missed: a ratio of 0.5, 128 MiB, and a snapshot
//! that writes again what changed and little else. Without a number there are 20,000 events; as a test, a few.
//!
//! Then it prints what a snapshot of Parquet costs: the first one, and those after a hundred changes, of neighbours and
//! of tasks from everywhere. Where `LABELRELAY_TEST_DATASET_PYTHON` names a Python with `DuckDB`, it prints `DuckDB`'s
//! rate for the same rows: `cargo xtask campaign dataset-speed` does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]

use labelrelay_dataset::{Format, Options, Store};
use labelrelay_event::Event;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BATCH: usize = 500;

/// Tables that grow with the events, and the statement for the rows that a batch added.
const TABLES: [(&str, &str); 3] = [
    ("annotations", "SELECT * FROM annotations WHERE row > ?1"),
    ("regions", "SELECT * FROM regions WHERE annotation > ?1"),
    (
        "tasks",
        "SELECT * FROM tasks WHERE (source, task_id) IN (SELECT source, task_id FROM annotations WHERE row > ?1)",
    ),
];

/// Changes between two snapshots.
const CHANGES: usize = 100;

/// With fewer events, the aims say nothing: parts are divided at tens of thousands of rows.
const AIMS_FROM: usize = 1_000_000;
const LEAST_RATIO: f64 = 0.5;
const MOST_MIB: u64 = 128;

/// A snapshot after changes of neighbours writes one part in so many of what the first one wrote, at most.
const PART_OF_FIRST: u64 = 10;

/// An annotation with two boxes, as Label Studio delivers it: about 1.6 KB. It is in the version of this hour.
fn message(number: usize, hour: u8) -> Vec<u8> {
    let region = |id: &str| {
        json!({
            "id": id, "type": "rectanglelabels", "from_name": "box", "to_name": "image",
            "original_width": 640, "original_height": 480, "image_rotation": 0,
            "value": {"x": 10.5, "y": 20.25, "width": 30.0, "height": 12.5, "rotation": 0, "rectanglelabels": ["car"]},
        })
    };
    let data = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": number, "task": number, "updated_at": format!("2026-11-21T{hour:02}:47:10.371842Z"), "was_cancelled": false,
            "completed_by": 1, "ground_truth": false, "result": [region("a"), region("b")],
        },
        "project": {"id": 1, "title": "Cars", "label_config": "<View><Image name=\"image\" value=\"$image\"/></View>"},
        "task": {"id": number, "project": 1, "data": {"image": format!("s3://cars/{number}.jpg")}},
    })
    .to_string();
    let digest = labelrelay_event::Digest::of(data.as_bytes()).to_hex();
    format!(
        r#"{{"specversion":"1.0","id":"{number}","source":"/label-studio","type":"io.labelstud.annotation.created","datasha256":"{digest}","receivedtime":"2026-11-21T{hour:02}:47:12Z","data":{data}}}"#
    )
    .into_bytes()
}

/// The state, and a second look at it.
struct Folded {
    store: Store,
    look: Connection,
    last_row: i64,
}

impl Folded {
    fn open(dir: &Path) -> Self {
        let store = Store::open(dir).unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let look = Connection::open_with_flags(dir.join("state.db"), flags).unwrap();
        Self {
            store,
            look,
            last_row: 0,
        }
    }

    fn fold(&mut self, messages: &[Vec<u8>]) -> Duration {
        let begun = Instant::now();
        let events = messages.iter().map(|it| Event::parse(it));
        for verdict in self.store.fold(events).unwrap() {
            verdict.unwrap();
        }
        begun.elapsed()
    }

    /// The rows that the last batch added, table by table.
    fn rows(&mut self) -> Vec<Vec<Vec<Value>>> {
        let rows = TABLES.map(|(_, statement)| {
            let mut statement = self.look.prepare_cached(statement).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([self.last_row], |row| {
                (0..columns).map(|column| row.get(column)).collect()
            });
            rows.unwrap().map(Result::unwrap).collect()
        });
        let last = "SELECT max(row) FROM annotations";
        self.last_row = self.look.query_row(last, [], |row| row.get(0)).unwrap();
        rows.into()
    }
}

/// A database with the same tables and keys, and nothing else.
struct Bare {
    db: Connection,
    upserts: Vec<String>,
}

impl Bare {
    fn like(other: &Connection, dir: &Path) -> Self {
        let db = Connection::open(dir.join("bare.db")).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;",
        )
        .unwrap();
        let upserts = TABLES.map(|(table, _)| {
            let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
            let sql: String = other.query_row(sql, [table], |row| row.get(0)).unwrap();
            db.execute_batch(&sql).unwrap();
            upsert(&db, table)
        });
        Self {
            db,
            upserts: upserts.into(),
        }
    }

    fn upsert(&mut self, rows: &[Vec<Vec<Value>>]) -> Duration {
        let begun = Instant::now();
        let transaction = self.db.transaction().unwrap();
        for (statement, rows) in self.upserts.iter().zip(rows) {
            let mut statement = transaction.prepare_cached(statement).unwrap();
            for row in rows {
                statement.execute(params_from_iter(row)).unwrap();
            }
        }
        transaction.commit().unwrap();
        begun.elapsed()
    }
}

/// The statement that writes a row over the one with its key.
fn upsert(db: &Connection, table: &str) -> String {
    let statement = "SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid";
    let mut statement = db.prepare(statement).unwrap();
    let columns = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    });
    let columns: Vec<_> = columns.unwrap().map(Result::unwrap).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let others = columns.iter().filter(|(_, key)| *key == 0);
    let others: Vec<_> = others
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "INSERT INTO {table} VALUES({places}) ON CONFLICT DO UPDATE SET {}",
        others.join(", ")
    )
}

/// Events to fold, as the command line says.
fn events() -> usize {
    let words: Vec<String> = std::env::args().collect();
    let place = words.iter().position(|word| word == "--events");
    match place {
        Some(place) => words[place + 1].parse().unwrap(),
        // Cargo says so to a bench, and not to a test.
        None if words.iter().any(|word| word == "--bench") => 20_000,
        None => 2 * BATCH,
    }
}

/// Peak of the memory, in MiB, where the system tells it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}

/// Prints `DuckDB`'s rate for the rows in this file, where a Python that has it is named.
fn duckdb(rows: &Path, events: usize) {
    let Ok(python) = std::env::var("LABELRELAY_TEST_DATASET_PYTHON") else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb_upsert.py");
    let mut command = Command::new(python);
    command.arg(script).arg(rows).arg(BATCH.to_string());
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{ran:?}");
    let took = Duration::from_secs_f64(said.trim().parse().unwrap());
    println!("DuckDB upserts the same rows: {:.0}/s", rate(events, took));
}

/// Prints what snapshots cost: the first one, one after changes of neighbours, and one after changes everywhere. The bytes
/// that each of them wrote.
fn snapshots(folded: &mut Folded, dir: &Path, events: usize) -> Vec<u64> {
    let changes = CHANGES.min(events);
    let step = (events / changes).max(1);
    let near: Vec<_> = (0..changes).map(|it| message(it, 10)).collect();
    let far: Vec<_> = (0..changes).map(|it| message(it * step, 11)).collect();
    let nothing = Vec::new();
    let mut last = 0;
    let mut all = Vec::new();
    for (what, messages) in [
        ("the first", &nothing),
        ("after changes of neighbours", &near),
        ("after changes everywhere", &far),
    ] {
        folded.fold(messages);
        let begun = Instant::now();
        let options = Options::of(Format::Parquet);
        let snapshot = labelrelay_dataset::write(&mut folded.store, &options).unwrap();
        let took = begun.elapsed();
        assert_eq!(snapshot.counts.annotations, events as u64);
        assert_eq!(snapshot.number, last + 1, "{what}");
        last = snapshot.number;
        let (files, bytes) = written(dir.join(snapshot.path));
        println!(
            "snapshot, {what} ({} changes): {took:.2?}, {files} files with {} KiB",
            messages.len(),
            bytes / 1024
        );
        all.push(bytes);
    }
    all
}

/// Files below a directory that no other snapshot has, and their bytes.
fn written(dir: PathBuf) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let mut left = vec![dir];
    while let Some(path) = left.pop() {
        let about = std::fs::metadata(&path).unwrap();
        if about.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            left.extend(entries.map(|it| it.unwrap().path()));
        } else if is_new(&about) {
            files += 1;
            bytes += about.len();
        }
    }
    (files, bytes)
}

#[cfg(unix)]
fn is_new(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 1
}

#[cfg(not(unix))]
fn is_new(_: &std::fs::Metadata) -> bool {
    true
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn rate(done: usize, took: Duration) -> f64 {
    done as f64 / took.as_secs_f64()
}

fn main() {
    let events = events();
    let (ours, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut folded = Folded::open(ours.path());
    let mut bare = Bare::like(&folded.look, other.path());
    let (mut folding, mut upserting) = (Duration::ZERO, Duration::ZERO);
    let mut done = 0;
    while done < events {
        let end = events.min(done + BATCH);
        let messages: Vec<_> = (done..end).map(|it| message(it, 9)).collect();
        folding += folded.fold(&messages);
        let rows = folded.rows();
        assert_eq!(rows[0].len(), end - done);
        upserting += bare.upsert(&rows);
        done = end;
        if done.is_multiple_of(100_000) {
            let (ours, bare) = (rate(done, folding), rate(done, upserting));
            println!("{done}: fold {ours:.0}/s, bare upsert {bare:.0}/s");
        }
    }
    duckdb(&other.path().join("bare.db"), events);
    let ratio = upserting.as_secs_f64() / folding.as_secs_f64();
    println!(
        "{events} events: fold {:.0}/s, bare upsert of the same rows {:.0}/s, ratio {ratio:.2}",
        rate(events, folding),
        rate(events, upserting),
    );
    let bytes = snapshots(&mut folded, ours.path(), events);
    let peak = peak();
    if let Some(peak) = peak {
        println!("most memory: {peak} MiB");
    }
    if events >= AIMS_FROM {
        assert!(ratio >= LEAST_RATIO, "a ratio of {ratio:.2}");
        assert!(peak.is_none_or(|peak| peak <= MOST_MIB), "{peak:?} MiB");
        assert!(bytes[1] * PART_OF_FIRST <= bytes[0], "{bytes:?} bytes");
    }
}
