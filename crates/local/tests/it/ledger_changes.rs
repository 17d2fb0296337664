//! Changes in a ledger since a store got it, and how far a look at everything is.

use labelrelay_core::Ledger as _;
use labelrelay_core::ledger::{Key, Known, Walk};
use labelrelay_local::{LedgerChanges, LedgerFile};
use std::path::Path;

fn open(path: &Path) -> LedgerFile {
    LedgerFile::open(path, "studio", "http://localhost").unwrap()
}

fn task(id: u32) -> Key {
    Key::new("task", id.to_string())
}

fn seen(version: &str) -> Known {
    Known {
        project: Some("1".to_owned()),
        event_id: version.to_owned(),
        sequence: Some(version.to_owned()),
        ..Known::default()
    }
}

fn changes(things: u64, forgot: bool) -> LedgerChanges {
    LedgerChanges { things, forgot }
}

#[test]
fn changes_are_taken_once_and_merge_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let [file, whole, segment] =
        ["ledger", "whole", "segment"].map(|name| folder.path().join(name));
    let mut ledger = open(&file);
    ledger.begin("1").unwrap();
    let things = [(task(1), seen("1")), (task(2), seen("1"))];
    ledger.record(&things, None, None).unwrap();
    assert_eq!(
        LedgerFile::changes(&file).unwrap(),
        changes(0, false),
        "nobody asks for them"
    );
    LedgerFile::snapshot(&file, &whole).unwrap();

    ledger.track().unwrap();
    let mut another = ledger.another().unwrap();
    ledger.record(&[(task(2), seen("2"))], None, None).unwrap();
    another.record(&[(task(3), seen("1"))], None, None).unwrap();
    assert_eq!(LedgerFile::changes(&file).unwrap(), changes(2, false));
    LedgerFile::take_changes(&file, &segment).unwrap();
    assert_eq!(LedgerFile::changes(&file).unwrap(), changes(0, false));
    LedgerFile::put_back(&file, &segment).unwrap();
    assert_eq!(LedgerFile::changes(&file).unwrap(), changes(2, false));

    LedgerFile::merge(&whole, &segment).unwrap();
    let known = open(&whole).known(&[task(1), task(2), task(3)]).unwrap();
    assert_eq!(known, [Some(seen("1")), Some(seen("2")), Some(seen("1"))]);

    ledger.forget("1").unwrap();
    assert!(LedgerFile::changes(&file).unwrap().forgot);
    LedgerFile::forget_changes(&file).unwrap();
    assert_eq!(LedgerFile::changes(&file).unwrap(), changes(0, false));
}

#[test]
fn a_ledger_is_locked_until_its_last_holder_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let ledger = open(&file);
    let another = ledger.another().unwrap();
    drop(ledger);
    assert!(LedgerFile::open(&file, "studio", "http://localhost").is_err());
    drop(another);
    open(&file);
    let copy = LedgerFile::copy(&file, "studio", "http://localhost").unwrap();
    assert!(copy.another().is_err());
}

#[test]
fn a_walk_is_kept_until_it_ends_and_the_later_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let [file, other] = ["ledger", "other"].map(|name| folder.path().join(name));
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let mut ledger = open(&file);
    let pass = ledger.begin("1").unwrap();
    let mut walk = Walk {
        pass,
        began: Some(time("2026-11-25T22:44:22Z")),
        after: "100".to_owned(),
    };
    assert_eq!(ledger.walk("1").unwrap(), None);
    ledger.keep_walk("1", Some(&walk)).unwrap();
    LedgerFile::snapshot(&file, &other).unwrap();
    "200".clone_into(&mut walk.after);
    ledger.keep_walk("1", Some(&walk)).unwrap();
    ledger
        .finish("1", time("2026-11-25T22:00:00Z"), None)
        .unwrap();
    assert_eq!(
        ledger.walk("1").unwrap(),
        Some(walk.clone()),
        "no look at everything ended"
    );
    drop(ledger);
    // As a store has them: what was saved first, then what changed.
    LedgerFile::merge(&other, &file).unwrap();
    let mut ledger = open(&other);
    assert_eq!(ledger.walk("1").unwrap(), Some(walk));
    let now = time("2026-11-25T23:00:00Z");
    ledger.finish("1", now, Some(now)).unwrap();
    assert_eq!(ledger.walk("1").unwrap(), None);
}

#[test]
fn a_look_beside_the_process_that_has_it_sees_all_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    assert!(
        LedgerFile::open_read_only(&file, "studio").is_err(),
        "it makes none"
    );
    assert!(!file.exists());
    let mut ledger = open(&file);
    let mut look = LedgerFile::open_read_only(&file, "studio").unwrap();
    ledger.record(&[(task(1), seen("1"))], None, None).unwrap();
    assert_eq!(look.known(&[task(1)]).unwrap(), [Some(seen("1"))]);
    assert!(look.record(&[(task(2), seen("1"))], None, None).is_err());
    assert_eq!(ledger.known(&[task(2)]).unwrap(), [None]);
    let other = LedgerFile::open_read_only(&file, "another").unwrap();
    assert_eq!(other.known(&[task(1)]).unwrap(), [None]);
}
