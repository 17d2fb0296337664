//! The ledger: what was seen stays seen, in the newest version.

use labelrelay_core::Ledger;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_local::LedgerFile;
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

const SERVER: &str = "http://127.0.0.1:8080";

struct LedgerDir(TempDir);

impl LedgerDir {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        LedgerFile::beside(&self.0.path().join("queue.db"))
    }

    fn open(&self) -> LedgerFile {
        LedgerFile::open(&self.path(), "label-studio", SERVER).unwrap()
    }
}

fn annotation(id: u32) -> Key {
    Key::new("annotation", id.to_string())
}

fn seen(version: u32) -> Known {
    Known {
        project: Some("1".to_owned()),
        holder: Some("7".to_owned()),
        event_id: format!("event {version}"),
        sequence: Some(format!("{version:04}")),
        gone: false,
        until: None,
    }
}

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn gone() -> Known {
    Known {
        sequence: None,
        gone: true,
        ..seen(0)
    }
}

/// The same, as it is delivered.
fn gone_until(version: u32) -> Known {
    Known {
        until: seen(version).sequence,
        ..gone()
    }
}

/// The same, as it is recorded of a thing whose newest version is known.
fn gone_after(version: u32) -> Known {
    Known {
        sequence: seen(version).sequence,
        ..gone()
    }
}

#[test]
fn the_newest_version_stays_whatever_comes_after_it() {
    let queue_dir = LedgerDir::new();
    let mut ledger = queue_dir.open();
    let one = |ledger: &LedgerFile| ledger.known(&[annotation(1)]).unwrap().remove(0);
    assert_eq!(one(&ledger), None);
    for (new, then) in [
        (seen(2), seen(2)),
        (seen(1), seen(2)),
        (seen(3), seen(3)),
        (gone(), gone_after(3)),
        (seen(2), gone_after(3)),
        (seen(3), gone_after(3)),
        (gone(), gone_after(3)),
        // Its id was given again.
        (seen(4), seen(4)),
        // Red if the deletion of what had the id before is taken for one of this.
        (gone_until(3), seen(4)),
        (gone_until(4), gone_after(4)),
        (seen(5), seen(5)),
        (gone_after(5), gone_after(5)),
    ] {
        ledger.record(&[(annotation(1), new)], None, None).unwrap();
        assert_eq!(one(&ledger), Some(then));
    }
    drop(ledger);
    assert_eq!(
        one(&queue_dir.open()),
        Some(gone_after(5)),
        "another run knows it too"
    );
}

#[test]
fn a_thing_that_was_not_seen_is_missing() {
    let queue_dir = LedgerDir::new();
    let mut ledger = queue_dir.open();
    let first = ledger.begin("1").unwrap();
    let things: Vec<_> = (1..=5).map(|id| (annotation(id), seen(1))).collect();
    ledger.record(&things, Some(first), None).unwrap();
    assert_eq!(ledger.missing("1", first, None, 10).unwrap(), []);

    let second = ledger.begin("1").unwrap();
    assert!(second > first);
    // Seen again, the same; seen again in another version; deleted; came live. The last one was not shown.
    ledger
        .record(&[(annotation(1), seen(1))], Some(second), None)
        .unwrap();
    ledger
        .record(&[(annotation(2), seen(2))], Some(second), None)
        .unwrap();
    ledger
        .record(&[(annotation(3), gone())], None, None)
        .unwrap();
    ledger
        .record(&[(annotation(6), seen(1))], None, None)
        .unwrap();
    let missing = |ledger: &LedgerFile, after: Option<&Key>, max| -> Vec<Key> {
        let missing = ledger.missing("1", second, after, max).unwrap();
        missing.into_iter().map(|(key, _)| key).collect()
    };
    let all = [annotation(4), annotation(5), annotation(6)];
    assert_eq!(missing(&ledger, None, 10), all);
    assert_eq!(missing(&ledger, None, 2), all[..2]);
    assert_eq!(missing(&ledger, Some(&all[1]), 2), all[2..]);
    assert_eq!(ledger.missing("2", second, None, 10).unwrap(), []);
}

#[test]
fn watermarks_are_kept_for_each_source() {
    let queue_dir = LedgerDir::new();
    let mut ledger = queue_dir.open();
    let now: jiff::Timestamp = "2026-11-21T09:00:00.123456Z".parse().unwrap();
    ledger.begin("1").unwrap();
    assert_eq!(ledger.watermark("1").unwrap(), None);
    assert_eq!(
        ledger.projects().unwrap(),
        [""; 0],
        "not looked through yet"
    );
    ledger.finish("1", now, None).unwrap();
    ledger
        .record(&[(annotation(1), seen(1))], None, Some(42))
        .unwrap();
    drop(ledger);
    let mut ledger = queue_dir.open();
    assert_eq!(ledger.watermark("1").unwrap(), Some(now));
    assert_eq!(ledger.queue_position().unwrap(), 42);
    assert_eq!(ledger.projects().unwrap(), ["1"]);
    ledger.forget("1").unwrap();
    assert_eq!(ledger.known(&[annotation(1)]).unwrap(), [None]);
    assert_eq!(ledger.projects().unwrap(), [""; 0]);
    drop(ledger);

    let other = LedgerFile::open(&queue_dir.path(), "other", "http://elsewhere").unwrap();
    assert_eq!(other.queue_position().unwrap(), 0);
}

#[test]
fn two_runs_at_once_and_another_server_are_refused_with_a_cure() {
    let queue_dir = LedgerDir::new();
    let open = |server| LedgerFile::open(&queue_dir.path(), "label-studio", server);
    let held = queue_dir.open();
    let error = open(SERVER).unwrap_err();
    assert!(
        error.retryable && error.to_string().contains("wait until that run ends"),
        "{error}"
    );
    drop(held);
    open("http://mistyped").unwrap();
    let mut ledger = open(SERVER).unwrap();
    ledger
        .record(&[(annotation(1), seen(1))], None, None)
        .unwrap();
    drop(ledger);
    let error = open("http://elsewhere").unwrap_err();
    assert!(
        !error.retryable && error.to_string().contains("add --moved"),
        "{error}"
    );
    LedgerFile::moved(&queue_dir.path(), "label-studio", "http://elsewhere").unwrap();
    open("http://elsewhere").unwrap();

    std::fs::write(
        queue_dir.path(),
        b"something else, and longer than the header of a database is",
    )
    .unwrap();
    let error = open(SERVER).unwrap_err();
    assert!(error.to_string().contains("left as it is"), "{error}");
}

#[test]
fn a_copy_leaves_the_file_as_it_is() {
    let queue_dir = LedgerDir::new();
    let copy = || LedgerFile::copy(&queue_dir.path(), "label-studio", SERVER).unwrap();
    copy();
    assert!(!queue_dir.path().exists());
    let mut ledger = queue_dir.open();
    ledger
        .record(&[(annotation(1), seen(1))], None, None)
        .unwrap();
    let mut tried = copy();
    assert_eq!(tried.known(&[annotation(1)]).unwrap(), [Some(seen(1))]);
    tried
        .record(&[(annotation(1), seen(2))], None, None)
        .unwrap();
    assert_eq!(ledger.known(&[annotation(1)]).unwrap(), [Some(seen(1))]);
}

#[test]
fn two_copies_merge_into_one_ledger() {
    let (here, there) = (LedgerDir::new(), LedgerDir::new());
    let mut ledger = here.open();
    let look = ledger.begin("1").unwrap();
    let both = [(annotation(1), seen(1)), (annotation(2), seen(5))];
    ledger.record(&both, Some(look), None).unwrap();
    ledger
        .finish(
            "1",
            time("2026-11-24T08:00:00Z"),
            Some(time("2026-11-24T08:01:00Z")),
        )
        .unwrap();
    // While it is open, with what is not yet in the file itself.
    LedgerFile::snapshot(&here.path(), &there.path()).unwrap();
    assert!(
        LedgerFile::snapshot(&here.path(), &there.path()).is_err(),
        "it is not written over"
    );

    let look = ledger.begin("1").unwrap();
    let mine = [
        (annotation(1), seen(2)),
        (annotation(2), gone_after(6)),
        (annotation(3), seen(1)),
        // Its id is given again.
        (annotation(5), gone_after(1)),
    ];
    ledger.record(&mine, Some(look), None).unwrap();
    ledger
        .finish("1", time("2026-11-24T09:00:00Z"), None)
        .unwrap();
    drop(ledger);
    let mut other = there.open();
    for _ in 0..3 {
        let look = other.begin("1").unwrap();
        let its = [
            (annotation(1), seen(3)),
            (annotation(2), seen(6)),
            (annotation(4), seen(1)),
            (annotation(5), seen(2)),
        ];
        other.record(&its, Some(look), None).unwrap();
    }
    other.begin("2").unwrap();
    other
        .finish(
            "2",
            time("2026-11-24T07:00:00Z"),
            Some(time("2026-11-24T07:01:00Z")),
        )
        .unwrap();
    drop(other);

    for (into, from) in [(&here, &there), (&there, &here)] {
        LedgerFile::merge(&into.path(), &from.path()).unwrap();
        let mut ledger = into.open();
        let keys: Vec<_> = (1..=6).map(annotation).collect();
        assert_eq!(
            ledger.known(&keys).unwrap(),
            [
                Some(seen(3)),
                Some(gone_after(6)),
                Some(seen(1)),
                Some(seen(1)),
                Some(seen(2)),
                None
            ]
        );
        assert_eq!(
            ledger.watermark("1").unwrap(),
            Some(time("2026-11-24T09:00:00Z"))
        );
        assert_eq!(ledger.projects().unwrap(), ["1", "2"]);
        for (project, at) in [("1", "2026-11-24T08:01:00Z"), ("2", "2026-11-24T07:01:00Z")] {
            assert_eq!(ledger.last_full_pass(project).unwrap(), Some(time(at)));
        }
        assert_eq!(ledger.count("1", "annotation").unwrap(), 4);
        let look = ledger.begin("1").unwrap();
        assert!(look > 4, "no look of either has this number");
        let missing = ledger.missing("1", look, None, 10).unwrap();
        let missing: Vec<_> = missing.into_iter().map(|(key, _)| key).collect();
        assert_eq!(missing, [1, 3, 4, 5].map(annotation));
    }
}

/// Red if what has an id of before, in another project, passes for seen there until that one was looked through as often as the
/// first one: nobody would notice that it goes.
#[test]
fn a_thing_in_another_project_is_missing_by_the_looks_at_that_one() {
    let [here, before, there] = [(); 3].map(|()| LedgerDir::new());
    let mut ledger = here.open();
    let mut look = 0;
    for _ in 0..5 {
        look = ledger.begin("1").unwrap();
    }
    ledger
        .record(&[(annotation(1), seen(1))], Some(look), None)
        .unwrap();
    for copy in [&before, &there] {
        LedgerFile::snapshot(&here.path(), &copy.path()).unwrap();
    }
    let again = Known {
        project: Some("2".to_owned()),
        ..seen(2)
    };
    let look = ledger.begin("2").unwrap();
    ledger
        .record(&[(annotation(1), again.clone())], Some(look), None)
        .unwrap();
    assert_eq!(ledger.missing("2", look, None, 10).unwrap(), []);
    drop(ledger);
    let missing = |dir: &LedgerDir| {
        let mut ledger = dir.open();
        let look = ledger.begin("2").unwrap();
        ledger.missing("2", look, None, 10).unwrap()
    };
    let expected = [(annotation(1), again)];
    assert_eq!(missing(&here), expected);
    LedgerFile::merge(&there.path(), &here.path()).unwrap();
    assert_eq!(missing(&there), expected);
    LedgerFile::merge(&here.path(), &before.path()).unwrap();
    assert_eq!(missing(&here), expected);
}

/// One copy heard of a deletion, and never of what was deleted. Red if it forgets when that was: merged, whatever the other copy
/// has seen would be gone, or nothing of it.
#[test]
fn a_deletion_of_what_a_copy_did_not_know_counts_until_its_receipt() {
    for (until, then) in [(1, seen(2)), (2, gone_after(2))] {
        for into_deleted in [false, true] {
            let [deleted, there] = [gone_until(until), seen(2)].map(|known| {
                let dir = LedgerDir::new();
                let things = [(annotation(1), known)];
                dir.open().record(&things, None, None).unwrap();
                dir
            });
            let (into, from) = if into_deleted {
                (deleted, there)
            } else {
                (there, deleted)
            };
            LedgerFile::merge(&into.path(), &from.path()).unwrap();
            let known = into.open().known(&[annotation(1)]).unwrap();
            assert_eq!(known, [Some(then.clone())], "{until} {into_deleted}");
        }
    }
}

#[test]
fn another_file_is_not_merged() {
    let queue_dir = LedgerDir::new();
    let mut ledger = queue_dir.open();
    ledger
        .record(&[(annotation(1), seen(1))], None, None)
        .unwrap();
    drop(ledger);
    for content in [
        "",
        "not a database, but long enough for one to be looked at",
    ] {
        let other = queue_dir.0.path().join("other");
        std::fs::write(&other, content).unwrap();
        let error = LedgerFile::merge(&queue_dir.path(), &other).unwrap_err();
        assert!(error.message.contains("other"), "{error}");
    }
    assert_eq!(
        queue_dir.open().known(&[annotation(1)]).unwrap(),
        [Some(seen(1))]
    );
}

#[test]
fn a_ledger_of_a_newer_program_is_left_as_it_is() {
    let queue_dir = LedgerDir::new();
    drop(queue_dir.open());
    let db = Connection::open(queue_dir.path()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = std::fs::read(queue_dir.path()).unwrap();
    let error = LedgerFile::open(&queue_dir.path(), "label-studio", SERVER).unwrap_err();
    for words in ["format 99", "formats up to 4", "use the newer program"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(std::fs::read(queue_dir.path()).unwrap(), before);
}

/// The first format, as it was: a migration changes files, and what made them is gone.
const FORMAT_1: &str = "
CREATE TABLE sources(source TEXT PRIMARY KEY, server TEXT NOT NULL, arrivals INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE projects(source TEXT NOT NULL, project TEXT NOT NULL, look INTEGER NOT NULL, watermark INTEGER, PRIMARY KEY(source, project)) STRICT, WITHOUT ROWID;
CREATE TABLE things(source TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, project TEXT, holder TEXT, event_id TEXT NOT NULL, sequence TEXT, gone INTEGER NOT NULL, look INTEGER NOT NULL, PRIMARY KEY(source, kind, id)) STRICT, WITHOUT ROWID;
PRAGMA application_id = 1281512044;
PRAGMA user_version = 1;
";

#[test]
fn an_older_ledger_is_merged_and_brought_up_to_date() {
    let old = |path: &std::path::Path| {
        let db = Connection::open(path).unwrap();
        db.execute_batch(FORMAT_1).unwrap();
        db.execute_batch(&format!(
            "INSERT INTO sources VALUES('label-studio', '{SERVER}', 7);
             INSERT INTO projects VALUES('label-studio', '1', 3, 1763712000000000);
             INSERT INTO things VALUES('label-studio', 'annotation', '1', '1', '7', 'event 1', '0001', 0, 3);"
        ))
        .unwrap();
    };
    let queue_dir = LedgerDir::new();
    old(&queue_dir.path());
    let mut ledger = queue_dir.open();
    assert_eq!(ledger.queue_position().unwrap(), 7);
    assert_eq!(ledger.known(&[annotation(1)]).unwrap(), [Some(seen(1))]);
    let look = ledger.begin("1").unwrap();
    assert_eq!(ledger.missing("1", look, None, 10).unwrap().len(), 1);
    drop(ledger);
    // A stored ledger may be older than the program that merges it.
    let (new, stored) = (LedgerDir::new(), LedgerDir::new());
    drop(new.open());
    old(&stored.path());
    LedgerFile::merge(&new.path(), &stored.path()).unwrap();
    assert_eq!(new.open().known(&[annotation(1)]).unwrap(), [Some(seen(1))]);
}

/// A look of a run that comes to its end, and what it finds silent.
fn silent_after(ledger: &mut LedgerFile, undelivered: u64) -> Vec<(String, u64)> {
    ledger.begin("1").unwrap();
    ledger.note_undelivered("1", undelivered).unwrap();
    ledger.take_silent(&["1"]).unwrap()
}

#[test]
fn a_project_is_silent_if_nothing_was_delivered_since_it_was_last_asked() {
    let queue_dir = LedgerDir::new();
    let mut ledger = queue_dir.open();
    let silent = |changes| vec![("1".to_owned(), changes)];
    assert_eq!(silent_after(&mut ledger, 0), []);
    assert_eq!(silent_after(&mut ledger, 2), silent(2));
    assert_eq!(silent_after(&mut ledger, 0), [], "it was told");
    ledger.note_deliveries(&["1"].into()).unwrap();
    // This run breaks off.
    ledger.begin("1").unwrap();
    ledger.note_undelivered("1", 1).unwrap();
    drop(ledger);
    let mut ledger = queue_dir.open();
    assert_eq!(silent_after(&mut ledger, 1), []);
    assert_eq!(silent_after(&mut ledger, 3), silent(3));
    // Of a project that was never looked through, nothing is noted.
    ledger.note_deliveries(&["2"].into()).unwrap();
    ledger.note_undelivered("2", 1).unwrap();
    assert_eq!(ledger.take_silent(&["2"]).unwrap(), []);
}

#[test]
fn a_merge_takes_silence_from_the_run_that_ended_later() {
    let (ours, theirs) = (LedgerDir::new(), LedgerDir::new());
    for dir in [&ours, &theirs] {
        let mut ledger = dir.open();
        ledger.begin("1").unwrap();
        ledger.note_undelivered("1", 5).unwrap();
    }
    assert_eq!(silent_after(&mut theirs.open(), 0).len(), 1);
    LedgerFile::merge(&ours.path(), &theirs.path()).unwrap();
    assert_eq!(silent_after(&mut ours.open(), 0), [], "it was told there");
}
