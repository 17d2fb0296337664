//! What a comparison found is kept beside the snapshot that it was about.

use crate::support::{Dataset, rectangle, table, there};
use labelrelay_dataset::{
    Differences, Format, Options, Scope, Snapshot, Status, Store, compare, latest, status,
};
use serde_json::json;

fn one(id: u32) -> String {
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    there(id, id, id, &result)
}

fn scope() -> Scope {
    Scope {
        source: "/label-studio".to_owned(),
        projects: vec!["1".to_owned()],
    }
}

/// Compares with a platform that has these annotations.
fn differences(dataset: &Dataset, ids: &[u32]) -> Differences {
    let mut platform = Dataset::new();
    platform.fold(&ids.iter().map(|id| one(*id)).collect::<Vec<_>>());
    compare(&dataset.store, &platform.store, &scope()).unwrap()
}

fn keep(dataset: &mut Dataset, ids: &[u32], at: &str) {
    let differences = differences(dataset, ids);
    let at = at.parse().unwrap();
    dataset
        .store
        .keep_verdict(&differences, &scope(), at)
        .unwrap();
}

fn seen(dataset: &Dataset) -> (Status, Snapshot) {
    let dir = dataset.dir.path();
    (status(dir).unwrap(), latest(dir).unwrap())
}

/// Red if a verdict is lost, stands beside a snapshot that it is not about, or makes a snapshot of its own.
#[test]
fn a_verdict_stands_beside_the_snapshot_that_it_is_about() {
    let mut dataset = Dataset::new();
    let mut options = Options::of(Format::Jsonl);
    options.formats.push(Format::Parquet);
    dataset.fold(&[one(1), one(2)]);
    let first = dataset.write(&options);
    assert_eq!(first.verified, None);
    keep(&mut dataset, &[2, 3, 4], "2026-11-21T13:00:00Z");
    let (status, latest) = seen(&dataset);
    let verdict = latest.verified.clone().unwrap();
    assert_eq!(
        (
            verdict.equal,
            verdict.missing,
            verdict.extra,
            verdict.different
        ),
        (1, 2, 1, 0)
    );
    assert!(!verdict.is_equal());
    assert_eq!(verdict.at, "2026-11-21T13:00:00Z");
    assert_eq!(status.verdict, Some(verdict));
    assert!(!status.has_changed_since && !status.has_changed_since_verdict);
    // Written again, it is the same snapshot with the same verdict.
    assert_eq!(dataset.write(&options), latest);
    assert_eq!((latest.number, &latest.digest), (1, &first.digest));

    // What comes later was not compared.
    dataset.fold(&[one(3)]);
    assert_eq!(dataset.write(&options).verified, None);
    let (status, latest) = seen(&dataset);
    assert_eq!(latest.verified, None);
    assert!(status.verdict.is_some() && status.has_changed_since_verdict);

    // A state is compared first, and written then.
    dataset.fold(&[one(4)]);
    keep(&mut dataset, &[1, 2, 3, 4], "2026-11-21T14:00:00Z");
    assert!(seen(&dataset).0.has_changed_since);
    let third = dataset.write(&options);
    assert!(third.verified.as_ref().unwrap().is_equal());

    let snapshots = table(&dataset.dir.path().join("snapshots.parquet"));
    let told: Vec<_> = snapshots
        .iter()
        .map(|it| {
            (
                it["number"].as_str(),
                it.get("verified_at").map(String::as_str),
                it.get("missing").map(String::as_str),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("1", Some("2026-11-21T13:00:00Z"), Some("2")),
            ("2", None, None),
            ("3", Some("2026-11-21T14:00:00Z"), Some("0")),
        ]
    );
    assert_eq!(snapshots[2]["digest"], third.digest);
    assert_eq!(snapshots[2]["annotations"], "4");
}

/// Red if a dataset passes for compared with what a platform has deleted, though the platform does not say that.
#[test]
fn a_verdict_says_that_deletions_were_not_checked() {
    let mut dataset = Dataset::new();
    dataset.fold(&[one(1), one(2)]);
    dataset.write(&Options::of(Format::Parquet));
    let mut found = differences(&dataset, &[2]);
    assert_eq!((found.extra.len(), found.deletions_checked()), (1, true));
    found.forget_extra();
    assert!(found.are_none() && !found.deletions_checked());
    let at = "2026-11-21T13:00:00Z".parse().unwrap();
    let kept = dataset.store.keep_verdict(&found, &scope(), at).unwrap();
    assert!(kept.is_equal() && !kept.deletions_checked);
    assert_eq!(kept.extra, 0);
    let (status, latest) = seen(&dataset);
    assert_eq!(status.verdict.as_ref(), Some(&kept));
    assert_eq!(latest.verified, Some(kept));
    let snapshots = table(&dataset.dir.path().join("snapshots.parquet"));
    assert_eq!(snapshots[0]["missing"], "0");
    assert!(!snapshots[0].contains_key("extra"));
}

/// Red if a dataset cannot be compared while another process takes events in, if what was found is lost or stands beside
/// another state, or if who looks can change something.
#[test]
fn a_dataset_is_compared_while_another_process_works_on_it() {
    let mut dataset = Dataset::new();
    let options = Options::of(Format::Parquet);
    dataset.fold(&[one(1), one(2)]);
    dataset.write(&options);
    let dir = dataset.dir.path().to_owned();
    assert!(Store::open_if_free(&dir).unwrap().is_none());
    let mut platform = Dataset::new();
    platform.fold(&[one(2)]);
    let mut looking = Store::look(&dir).unwrap();
    let found = compare(&looking, &platform.store, &scope()).unwrap();
    // An event comes meanwhile.
    dataset.fold(&[one(3)]);
    dataset.write(&options);
    let at = "2026-11-21T13:00:00Z".parse().unwrap();
    let kept = looking.keep_verdict(&found, &scope(), at).unwrap();
    assert_eq!((kept.equal, kept.extra), (1, 1));
    assert!(looking.forget_author("1").is_err());
    assert_eq!(seen(&dataset).0.verdict, None);
    for _ in 0..2 {
        dataset.store.take_left_verdict().unwrap();
    }
    let (status, latest) = seen(&dataset);
    assert_eq!(status.verdict, Some(kept));
    assert!(status.has_changed_since_verdict);
    assert_eq!(latest.verified, None);
    let snapshots = table(&dir.join("snapshots.parquet"));
    let extra = snapshots.iter().map(|it| it.get("extra"));
    let extra: Vec<_> = extra.map(|it| it.map(String::as_str)).collect();
    assert_eq!(extra, [Some("1"), None]);

    // Of what is there now.
    let found = compare(&looking, &platform.store, &scope()).unwrap();
    let kept = looking.keep_verdict(&found, &scope(), at).unwrap();
    assert_eq!(kept.extra, 2);
    dataset.store.take_left_verdict().unwrap();
    let (status, latest) = seen(&dataset);
    assert!(!status.has_changed_since_verdict);
    assert_eq!(latest.verified, Some(kept));

    // One that nobody took yet is not put behind a later one.
    looking.keep_verdict(&found, &scope(), at).unwrap();
    let later = "2026-11-21T14:00:00Z".parse().unwrap();
    let found = compare(&dataset.store, &platform.store, &scope()).unwrap();
    let newest = dataset.store.keep_verdict(&found, &scope(), later).unwrap();
    dataset.store.take_left_verdict().unwrap();
    assert_eq!(seen(&dataset).0.verdict, Some(newest));
}

/// Red if a verdict is lost that is left while another one is taken.
#[test]
fn a_verdict_that_is_left_while_another_one_is_taken_is_the_last() {
    let mut dataset = Dataset::new();
    dataset.fold(&[one(1)]);
    dataset.write(&Options::of(Format::Jsonl));
    let mut looking = Store::look(dataset.dir.path()).unwrap();
    let found = differences(&dataset, &[1]);
    for round in 0..30 {
        let at = |hour: u32| format!("2026-11-21T{hour}:00:{round:02}Z").parse().unwrap();
        looking.keep_verdict(&found, &scope(), at(13)).unwrap();
        let last = std::thread::scope(|threads| {
            let leaving = threads.spawn(|| looking.keep_verdict(&found, &scope(), at(14)).unwrap());
            while !leaving.is_finished() {
                dataset.store.take_left_verdict().unwrap();
            }
            leaving.join().unwrap()
        });
        dataset.store.take_left_verdict().unwrap();
        assert_eq!(seen(&dataset).0.verdict, Some(last));
    }
}

/// Red if looking on needs the lock, or makes something.
#[test]
fn the_status_is_seen_while_another_process_works() {
    let empty = tempfile::tempdir().unwrap();
    let error = status(empty.path()).unwrap_err().to_string();
    assert!(error.contains("no such dataset"), "{error}");
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);

    let mut dataset = Dataset::new();
    assert_eq!(status(dataset.dir.path()).unwrap().newest_event, None);
    dataset.fold(&[one(2), one(1)]);
    let found = status(dataset.dir.path()).unwrap();
    assert_eq!(found.snapshot, None);
    assert!(found.has_changed_since);
    let newest = found.newest_event.unwrap().to_string();
    assert_eq!(newest, "2026-11-21T12:00:02Z", "in milliseconds");
}
