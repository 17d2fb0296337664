//! A snapshot is whole, or not there.

use crate::support::{CREATED, Dataset, annotation, event, rectangle, table, there};
use labelrelay_dataset::{Format, Options, Scope, Store, compare, latest};
use serde_json::{Value, json};
use std::fs;

fn one(id: u32) -> String {
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    there(id, id, id, &result)
}

#[test]
fn nothing_new_makes_no_new_snapshot_and_a_repeat_is_nothing_new() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Coco);
    dataset.fold(&[one(1)]);
    let first = dataset.write(&options);
    dataset.fold(&[one(1)]);
    assert_eq!(dataset.write(&options), first);
    dataset.fold(&[one(2)]);
    let second = dataset.write(&options);
    assert_eq!((first.number, second.number), (1, 2));
    assert_ne!(first.digest, second.digest);
    assert_eq!(latest(dataset.dir.path()).unwrap(), second);
    // The same state says the same, whoever writes it.
    let mut other = Dataset::new();
    other.fold(&[one(2), one(1)]);
    let same = other.write(&options);
    assert_eq!(same.digest, second.digest);
}

#[test]
fn old_snapshots_go_and_unfinished_ones_are_never_named() {
    let mut dataset = Dataset::new();
    let mut options = Options::of(Format::Jsonl);
    options.keep = 3;
    for id in 1..=6 {
        dataset.fold(&[one(id)]);
        dataset.write(&options);
        let left = dataset.dir.path().join("snapshots/.unfinished-000099");
        fs::create_dir_all(left.join("jsonl")).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(dataset.dir.path().join("snapshots"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".unfinished-000099", "000004", "000005", "000006"]);
    assert_eq!(latest(dataset.dir.path()).unwrap().number, 6);
}

/// Red if the table of snapshots grows for ever, if it lacks one that is there, or if a number is given again.
#[test]
fn the_table_of_snapshots_is_bounded() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Parquet);
    dataset.fold(&[one(1)]);
    dataset.write(&options);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch(
        "WITH RECURSIVE numbers(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1200)
         INSERT INTO snapshots SELECT numbers.number, at, revision, options, summary FROM numbers, snapshots",
    )
    .unwrap();
    drop(db);
    dataset.store = Store::open(&dir).unwrap();
    dataset.fold(&[one(2)]);
    assert_eq!(dataset.write(&options).number, 1201);
    let rows = table(&dir.join("snapshots.parquet"));
    let numbers: Vec<u32> = rows
        .iter()
        .map(|row| row["number"].parse().unwrap())
        .collect();
    let expected: Vec<u32> = std::iter::once(1).chain(202..=1201).collect();
    assert_eq!(numbers, expected);
}

/// Red if a young snapshot goes, or if an old one stays.
#[cfg(unix)] // the times of a directory can be set there
#[test]
fn young_snapshots_are_kept_besides() {
    use std::collections::BTreeSet;
    use std::time::{Duration, SystemTime};
    let mut dataset = Dataset::new();
    let mut options = Options::of(Format::Jsonl);
    options.keep = 1;
    options.keep_for = Duration::from_secs(3600);
    for id in 1..=3 {
        dataset.fold(&[one(id)]);
        dataset.write(&options);
    }
    let snapshots = dataset.dir.path().join("snapshots");
    let there = || {
        let names = fs::read_dir(&snapshots).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(there().len(), 3);
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    let oldest = fs::File::open(snapshots.join("000001")).unwrap();
    oldest.set_modified(long_ago).unwrap();
    // It goes also if nothing is new.
    dataset.write(&options);
    let expected: BTreeSet<String> = ["000002", "000003"].map(str::to_owned).into();
    assert_eq!(there(), expected);
}

/// Red if an author stays in a table, or comes back with the next event.
#[test]
fn an_author_is_forgotten_for_good() {
    let mut dataset = Dataset::new();
    let by = |id: u32, second: u32| {
        let mut made = annotation(id, id, second, &json!([]));
        made["annotation"]["completed_by"] = json!("zz-somebody");
        event(CREATED, second, &made)
    };
    dataset.fold(&[by(1, 1), by(2, 2)]);
    assert_eq!(
        dataset.samples()[0]["annotations"][0]["author"],
        "zz-somebody"
    );
    assert_eq!(dataset.store.forget_author("zz-somebody").unwrap(), 2);
    dataset.fold(&[by(1, 10), by(3, 3)]);
    let mut options = Options::of(Format::Jsonl);
    options.formats.push(Format::Parquet);
    options.keep = 1;
    dataset.write(&options);
    let mut left = vec![dataset.dir.path().to_owned()];
    let mut files = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            // The state says whom it has forgotten, and nothing else.
            let is_in = text.matches("zz-somebody").count();
            let is_state = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("state.db"));
            assert!(
                is_in <= usize::from(is_state),
                "{is_in} in {}",
                path.display()
            );
            files += 1;
        }
    }
    assert!(files > 5);
}

/// Red if an author passes for forgotten whom the log of `SQLite` keeps, because another process looks at the dataset.
#[test]
fn an_author_is_not_forgotten_while_somebody_looks() {
    let mut dataset = Dataset::new();
    dataset.fold(&[event(CREATED, 1, &annotation(1, 1, 1, &json!([])))]);
    let looking = rusqlite::Connection::open(dataset.dir.path().join("state.db")).unwrap();
    looking.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM annotations";
    let rows: i64 = looking.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    let error = dataset.store.forget_author("1").unwrap_err();
    assert!(error.cure.contains("again"), "{error}");
    looking.execute_batch("COMMIT").unwrap();
    dataset.store.forget_author("1").unwrap();
}

#[test]
fn two_processes_do_not_work_on_one_dataset() {
    let dataset = Dataset::new();
    let error = Store::open(dataset.dir.path()).unwrap_err();
    assert!(error.to_string().contains("another process"), "{error}");
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    Store::open(&dir).unwrap();
}

/// Red if a process that ends between the two leaves the old name for ever.
#[test]
fn the_latest_is_named_by_the_next_run() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Jsonl);
    dataset.fold(&[one(1)]);
    let written = dataset.write(&options);
    fs::remove_file(dataset.dir.path().join("latest.json")).unwrap();
    assert_eq!(dataset.write(&options), written);
    assert_eq!(latest(dataset.dir.path()).unwrap(), written);
    assert_eq!(
        Options::of_last(&dataset.store).unwrap().unwrap().formats,
        options.formats
    );
}

/// Red if a directory that cannot be written costs the last snapshot.
#[test]
fn the_last_snapshot_stays_when_the_next_cannot_be_written() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Coco);
    dataset.fold(&[one(1)]);
    let first = dataset.write(&options);
    dataset.fold(&[one(2)]);
    // A file stands where the next snapshot's directory is to be.
    let taken = dataset.dir.path().join("snapshots/.unfinished-000002");
    fs::write(&taken, "").unwrap();
    let error = labelrelay_dataset::write(&mut dataset.store, &options).unwrap_err();
    assert!(error.to_string().contains(".unfinished-000002"), "{error}");
    assert_eq!(latest(dataset.dir.path()).unwrap(), first);
    fs::remove_file(taken).unwrap();
    assert_eq!(dataset.write(&options).number, 2);
    let summary = dataset.dir.path().join("snapshots/000002/snapshot.json");
    let summary: Value = serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    assert_eq!(summary["snapshot"]["counts"]["annotations"], 2);
}

/// Red if a training run cannot tell what its dataset was made of.
#[test]
fn a_snapshot_says_its_inputs() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Jsonl);
    dataset.fold(&[one(7)]);
    dataset.store.set_queue("sqs://eu-central-1/1/labels");
    // In another order than they were received in; and one of them twice.
    dataset.fold(&[one(30), one(10)]);
    dataset.fold(&[one(20), one(10)]);
    let snapshot = dataset.write(&options);
    let read = |name: &str| {
        let text = fs::read_to_string(dataset.dir.path().join(name)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let said = read("latest.json");
    let expected = json!([
        {"source": "/label-studio", "events": 1, "first": crate::support::time(7), "last": crate::support::time(7)},
        {
            "source": "/label-studio", "queue": "sqs://eu-central-1/1/labels", "events": 4,
            "first": crate::support::time(10), "last": crate::support::time(30),
        },
    ]);
    assert_eq!(said["inputs"], expected);
    assert_eq!(said["version"], 1);
    assert_eq!(said["policy"]["formats"], json!(["jsonl"]));
    assert_eq!(said["policy"]["which"], "latest");
    assert_eq!(said["policy"]["split"], json!([80, 10, 10]));
    let program = said["program"].as_str().unwrap();
    assert!(program.starts_with("labelrelay-dataset "), "{program}");
    let summary = read(&format!("{}/snapshot.json", snapshot.path));
    assert_eq!(summary["snapshot"], said);
    assert_eq!(summary["version"], 1);
    // A repeat is no new snapshot, and the last one stays as it is.
    dataset.fold(&[one(10)]);
    assert_eq!(dataset.write(&options), snapshot);
}

/// Red if a program writes over what a later one wrote, or takes it for something else.
#[test]
fn what_a_later_version_wrote_is_refused_and_stays() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Jsonl);
    dataset.fold(&[one(1)]);
    dataset.write(&options);
    let path = dataset.dir.path().join("latest.json");
    let mut said: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    said["version"] = json!(2);
    // A later version may have other members.
    said["counts"] = json!("many");
    fs::write(&path, said.to_string()).unwrap();
    dataset.fold(&[one(2)]);
    let refused = labelrelay_dataset::write(&mut dataset.store, &options).unwrap_err();
    let unread = latest(dataset.dir.path()).unwrap_err();
    let scope = Scope {
        source: "/label-studio".to_owned(),
        projects: Vec::new(),
    };
    let compared = compare(&dataset.store, &Dataset::new().store, &scope).unwrap();
    let at = "2026-11-21T13:00:00Z".parse().unwrap();
    let verdict = dataset.store.keep_verdict(&compared, &scope, at);
    for error in [refused, unread, verdict.unwrap_err()] {
        assert!(error.resource.ends_with("latest.json"), "{error}");
        assert!(error.problem.contains("has version 2"), "{error}");
    }
    assert!(!dataset.dir.path().join("snapshots/000002").exists());
    assert_eq!(fs::read_to_string(&path).unwrap(), said.to_string());
}
