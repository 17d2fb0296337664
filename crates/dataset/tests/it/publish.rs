//! Snapshots in an object store.

use crate::support::{Dataset, rectangle, there};
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::StreamExt as _;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use labelrelay_dataset::{DatasetError, Format, Options, Publisher, Snapshot};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const URL: &str = "s3://cars/dataset";

/// A store in memory, which can refuse. The stores of the clouds are held to its rules by a suite of their own.
struct Memory {
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Puts before the next one is refused.
    left: AtomicUsize,
    /// Takes what was to be created once a second time.
    is_careless: bool,
}

impl Memory {
    fn new() -> Self {
        Self {
            objects: Mutex::default(),
            left: AtomicUsize::new(usize::MAX),
            is_careless: false,
        }
    }

    fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.objects.lock().unwrap()[name]).unwrap()
    }

    fn is_refused(&self) -> Result<(), BlobError> {
        let one_less = |left: usize| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .map(drop)
            .map_err(|_| BlobError::transient("no more"))
    }
}

impl ObjectStore for Memory {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            self.is_refused()?;
            let pieces: Vec<_> = object.body.collect().await;
            let pieces: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
            let content: Bytes = pieces.concat().into();
            assert_eq!(content.len() as u64, object.length);
            assert_eq!(labelrelay_event::Digest::of(&content), object.digest);
            let mut objects = self.objects.lock().unwrap();
            if objects.contains_key(name) && !self.is_careless {
                return Ok(Created::Existed);
            }
            objects.insert(name.to_owned(), content);
            Ok(Created::New)
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            self.is_refused()?;
            self.objects
                .lock()
                .unwrap()
                .insert(name.to_owned(), content);
            Ok(())
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { Ok(self.objects.lock().unwrap().get(name).cloned()) })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            self.objects.lock().unwrap().remove(name);
            Ok(())
        })
    }
}

fn options() -> Options {
    let mut options = Options::of(Format::Jsonl);
    options.formats.push(Format::ALL[1]);
    options.keep = 2;
    options
}

/// Takes one annotation in, and writes a snapshot.
fn next(dataset: &mut Dataset, id: u32) -> Snapshot {
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    dataset.fold(&[there(id, id, id, &result)]);
    dataset.write(&options())
}

fn publish(
    dataset: &Dataset,
    snapshot: &Snapshot,
    target: &Arc<Memory>,
    takes_over: bool,
) -> Result<(), DatasetError> {
    block_on(async {
        let mut publisher =
            Publisher::open(&dataset.store, Arc::clone(target) as _, URL, takes_over).await?;
        publisher.publish(&dataset.store, snapshot).await
    })
}

/// Red if a file is missing or differs, if an old snapshot stays, or if the latest is named before it is whole.
#[test]
fn what_is_published_is_what_is_here() {
    let (mut dataset, target) = (Dataset::new(), Arc::new(Memory::new()));
    assert_eq!(dataset.store.published_to().unwrap(), None);
    for id in 1..=4 {
        let snapshot = next(&mut dataset, id);
        if id == 2 {
            // It breaks off at every put once, and goes on.
            for puts in 1.. {
                target.left.store(puts, Ordering::Relaxed);
                let published = publish(&dataset, &snapshot, &target, false);
                let latest = target.json("latest.json");
                if published.is_ok() {
                    break;
                }
                assert_eq!(latest["number"], 1, "after {puts} puts");
                assert!(puts < 50);
            }
            target.left.store(usize::MAX, Ordering::Relaxed);
        } else {
            publish(&dataset, &snapshot, &target, false).unwrap();
        }
        let latest: Snapshot = serde_json::from_value(target.json("latest.json")).unwrap();
        assert_eq!(latest, snapshot);
    }
    assert_eq!(dataset.store.published_to().unwrap().as_deref(), Some(URL));
    let mut here = Vec::new();
    for name in target.names() {
        let path = dataset.dir.path().join(&name);
        if name.ends_with("writer.json") {
            continue;
        }
        assert_eq!(
            target.objects.lock().unwrap()[&name],
            fs::read(&path).unwrap(),
            "{name}"
        );
        here.push(name);
    }
    assert_eq!(here[0], "latest.json");
    let snapshots = here[1..].iter().map(|name| &name[..16]);
    let snapshots: std::collections::BTreeSet<_> = snapshots.collect();
    assert_eq!(
        snapshots.into_iter().collect::<Vec<_>>(),
        ["snapshots/000003", "snapshots/000004"]
    );
    assert!(
        here.iter().any(|name| name.contains("/labels/")),
        "{here:?}"
    );
}

/// Red if two working directories, or two copies of one, write to one place.
#[test]
fn a_place_has_one_writer() {
    let (mut one, mut other, target) = (Dataset::new(), Dataset::new(), Arc::new(Memory::new()));
    let first = next(&mut one, 1);
    publish(&one, &first, &target, false).unwrap();
    let second = next(&mut other, 2);
    let error = publish(&other, &second, &target, false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("--take-over"), "{error}");
    assert_eq!(target.json("latest.json")["number"], 1);

    block_on(Publisher::open(
        &other.store,
        Arc::clone(&target) as _,
        URL,
        true,
    ))
    .map(drop)
    .unwrap();
    // Its snapshots go on after those that are there.
    let third = next(&mut other, 3);
    assert_eq!(third.number, 2);
    publish(&other, &third, &target, false).unwrap();
    let late = next(&mut one, 4);
    assert!(publish(&one, &late, &target, false).is_err());
    assert_eq!(
        target.json("latest.json"),
        serde_json::to_value(&third).unwrap()
    );

    // A copy of the working directory has its name. It takes a number that is taken.
    let mut copy = Dataset::new();
    let name = "published.json";
    fs::copy(other.dir.path().join(name), copy.dir.path().join(name)).unwrap();
    next(&mut copy, 1);
    let fork = next(&mut copy, 5);
    assert_eq!(fork.number, third.number);
    let error = publish(&copy, &fork, &target, false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("another process"), "{error}");
    assert_eq!(
        target.json("latest.json"),
        serde_json::to_value(&third).unwrap()
    );
}

#[test]
fn a_store_without_conditions_is_refused_and_so_is_another_place() {
    let mut dataset = Dataset::new();
    let snapshot = next(&mut dataset, 1);
    let careless = Arc::new(Memory {
        is_careless: true,
        ..Memory::new()
    });
    let error = publish(&dataset, &snapshot, &careless, false).unwrap_err();
    assert!(error.to_string().contains("If-None-Match"), "{error}");
    let target = Arc::new(Memory::new());
    publish(&dataset, &snapshot, &target, false).unwrap();
    let elsewhere = block_on(Publisher::open(
        &dataset.store,
        Arc::clone(&target) as _,
        "gs://other",
        false,
    ));
    let error = elsewhere.map(drop).unwrap_err().to_string();
    assert!(error.contains(URL), "{error}");
}

/// Names of the tables' files in the store, as the snapshots there say them.
fn parts(target: &Memory) -> BTreeMap<String, usize> {
    let mut parts = BTreeMap::new();
    for name in target.names() {
        if !name.ends_with("/snapshot.json") {
            continue;
        }
        for (file, digest) in target.json(&name)["files"].as_object().unwrap() {
            if file.starts_with("parquet/") {
                let part = format!("parts/{}.parquet", digest.as_str().unwrap());
                *parts.entry(part).or_default() += 1;
            }
        }
    }
    parts
}

/// Red if a part that is there already is brought again, if one goes that another snapshot has, or if one stays that none
/// has: also after another working directory took the place over.
#[test]
fn parts_of_tables_are_brought_once_and_stay_as_long_as_a_snapshot_has_them() {
    let (mut dataset, target) = (Dataset::new(), Arc::new(Memory::new()));
    let mut options = Options::of(Format::Parquet);
    (options.part_rows, options.keep) = (8, 2);
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    for id in 1..=40 {
        dataset.fold(&[there(id, id, id, &result)]);
    }
    for round in 0..5 {
        // Neighbours: one part of three tables.
        dataset.fold(&[there(20, 20, 100 + round, &result)]);
        let snapshot = dataset.write(&options);
        target.left.store(usize::MAX, Ordering::Relaxed);
        publish(&dataset, &snapshot, &target, false).unwrap();
        let puts = usize::MAX - target.left.load(Ordering::Relaxed);
        // A part of the annotations, and what is small.
        assert!(round == 0 || puts < 12, "{puts}");
        assert!(round > 0 || puts > 30, "{puts}");
        check_parts(&target, &dataset, &snapshot);
    }

    let mut other = Dataset::new();
    for id in 1..=20 {
        other.fold(&[there(id, id, id, &result)]);
    }
    let opened = Publisher::open(&other.store, Arc::clone(&target) as _, URL, true);
    block_on(opened).map(drop).unwrap();
    for round in 0..3 {
        other.fold(&[there(1, 1, 100 + round, &result)]);
        let snapshot = other.write(&options);
        publish(&other, &snapshot, &target, false).unwrap();
        // Those of the directory before go one by one, with the parts that no other has.
        check_parts(&target, &other, &snapshot);
        let names = target.names();
        let snapshots = names.iter().filter(|it| it.ends_with("/snapshot.json"));
        assert_eq!(snapshots.count(), 2, "round {round}");
    }
}

/// Red if the latest snapshot lacks parts that a copy of the directory removed.
#[test]
fn parts_are_brought_again_if_the_latest_is_not_the_one_that_was_published() {
    let (mut dataset, target) = (Dataset::new(), Arc::new(Memory::new()));
    let mut options = Options::of(Format::Parquet);
    options.part_rows = 8;
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    for id in 1..=40 {
        dataset.fold(&[there(id, id, id, &result)]);
    }
    let first = dataset.write(&options);
    publish(&dataset, &first, &target, false).unwrap();
    {
        let mut objects = target.objects.lock().unwrap();
        objects.retain(|name, _| name == "writer.json");
        let latest = Bytes::from_static(b"of the copy\n");
        objects.insert("latest.json".to_owned(), latest);
    }
    dataset.fold(&[there(20, 20, 100, &result)]);
    let second = dataset.write(&options);
    publish(&dataset, &second, &target, false).unwrap();
    check_parts(&target, &dataset, &second);
}

/// Red if a process that goes on publishes or removes something after another working directory took the place over.
#[test]
fn whoever_goes_on_finds_out_that_the_place_is_anothers() {
    let (mut one, other, target) = (Dataset::new(), Dataset::new(), Arc::new(Memory::new()));
    let first = next(&mut one, 1);
    let opened = Publisher::open(&one.store, Arc::clone(&target) as _, URL, false);
    let mut publisher = block_on(opened).unwrap();
    block_on(publisher.publish(&one.store, &first)).unwrap();
    let opened = Publisher::open(&other.store, Arc::clone(&target) as _, URL, true);
    block_on(opened).map(drop).unwrap();
    let before = target.objects.lock().unwrap().clone();
    let late = next(&mut one, 2);
    let refused = block_on(publisher.publish(&one.store, &late));
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("--take-over"), "{error}");
    assert_eq!(*target.objects.lock().unwrap(), before);
}

/// Red if a directory that was made anew cannot publish before something changes, or if one whose copy has published cannot
/// go on: the numbers of their snapshots are taken there.
#[test]
fn a_directory_that_takes_over_publishes_at_once() {
    let (mut one, mut again, target) = (Dataset::new(), Dataset::new(), Arc::new(Memory::new()));
    let first = next(&mut one, 1);
    publish(&one, &first, &target, false).unwrap();
    assert_eq!(next(&mut again, 1).number, 1);
    let opened = Publisher::open(&again.store, Arc::clone(&target) as _, URL, true);
    block_on(opened).map(drop).unwrap();
    let second = again.write(&options());
    publish(&again, &second, &target, false).unwrap();
    assert_eq!(target.json("latest.json")["number"], 2);

    // A backup of it, from before the second one.
    let mut backup = Dataset::new();
    let name = "published.json";
    fs::copy(again.dir.path().join(name), backup.dir.path().join(name)).unwrap();
    next(&mut backup, 1);
    let other = next(&mut backup, 5);
    publish(&backup, &other, &target, false).unwrap_err();
    let opened = Publisher::open(&backup.store, Arc::clone(&target) as _, URL, true);
    block_on(opened).map(drop).unwrap();
    let third = backup.write(&options());
    publish(&backup, &third, &target, false).unwrap();
    assert_eq!(target.json("latest.json")["number"], 3);
    let late = next(&mut again, 6);
    let error = publish(&again, &late, &target, false).unwrap_err();
    assert!(error.to_string().contains("--take-over"), "{error}");
}

/// Red if a directory takes a prefix over from a later version, whose snapshots it cannot read.
#[test]
fn what_a_later_version_published_is_not_taken_over() {
    let (mut one, mut other, target) = (Dataset::new(), Dataset::new(), Arc::new(Memory::new()));
    let first = next(&mut one, 1);
    publish(&one, &first, &target, false).unwrap();
    let mut later = target.json("latest.json");
    later["version"] = json!(2);
    let later = Bytes::from(later.to_string());
    let name = "latest.json".to_owned();
    target.objects.lock().unwrap().insert(name, later);
    let before = target.objects.lock().unwrap().clone();
    let ours = next(&mut other, 2);
    let error = publish(&other, &ours, &target, true).unwrap_err();
    assert!(error.problem.contains("has version 2"), "{error}");
    assert!(error.resource.starts_with(URL), "{error}");
    assert_eq!(*target.objects.lock().unwrap(), before);
}

/// All that the snapshots there have is there, and nothing else.
fn check_parts(target: &Memory, dataset: &Dataset, snapshot: &Snapshot) {
    let names = target.names();
    let there = names.iter().filter(|it| it.starts_with("parts/"));
    let parts = parts(target);
    assert_eq!(there.collect::<Vec<_>>(), parts.keys().collect::<Vec<_>>());
    let summary = target.json(&format!("{}/snapshot.json", snapshot.path));
    for (file, digest) in summary["files"].as_object().unwrap() {
        let part = format!("parts/{}.parquet", digest.as_str().unwrap());
        if file.starts_with("parquet/") {
            let path = dataset.dir.path().join(&snapshot.path).join(file);
            let object = target.objects.lock().unwrap()[&part].clone();
            assert_eq!(object, fs::read(path).unwrap(), "{file}");
        }
    }
}
