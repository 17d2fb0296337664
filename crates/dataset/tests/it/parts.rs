//! Tables in parts: a snapshot writes what changed, and is what a whole one would be.

use crate::support::{CREATED, DELETED, Dataset, annotation, event, rectangle, table, there, time};
use labelrelay_dataset::{Format, Options, Snapshot, Splits, Which};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const TABLES: [&str; 6] = [
    "annotations",
    "regions",
    "classifications",
    "tasks",
    "classes",
    "projects",
];

pub(crate) fn options() -> Options {
    let mut options = Options::of(Format::Parquet);
    options.part_rows = 8;
    options.keep = 2;
    options
}

/// Random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(limit)).unwrap()
    }

    /// An event of something that happens on a platform, received at this second.
    fn event(&mut self, second: u32) -> String {
        let id = 1 + self.below(60);
        // Mostly an annotation stays with its task.
        let task = 1 + (id + u32::from(self.below(8) == 0)) % 40;
        let project = 1 + task % 2;
        match self.below(12) {
            0 => {
                let gone = json!({
                    "action": "ANNOTATIONS_DELETED", "annotations": [{"id": id}], "project": {"id": project},
                });
                event(DELETED, second, &gone)
            }
            1 => {
                let gone = json!({
                    "action": "TASKS_DELETED", "tasks": [{"id": task}], "project": {"id": project},
                });
                event("io.labelstud.task.deleted", second, &gone)
            }
            2 => {
                let review = json!({
                    "action": "REVIEW_CREATED",
                    "review": {
                        "id": second, "annotation": id, "accepted": self.below(2) == 0, "updated_at": time(second),
                    },
                    "annotation": {"id": id, "task": task, "updated_at": time(second)},
                    "task": {"id": task}, "project": {"id": project},
                });
                event("io.labelstud.review.created", second, &review)
            }
            _ => self.annotated(id, task, project, second),
        }
    }

    fn annotated(&mut self, id: u32, task: u32, project: u32, second: u32) -> String {
        let labels = ["car", "bus", "tram"];
        let mut regions: Vec<Value> = (0..self.below(3))
            .map(|number| {
                let label = labels[self.below(3) as usize];
                let place = f64::from(self.below(50));
                rectangle(&number.to_string(), label, [place, place, 20.0, 20.0], 0.0)
            })
            .collect();
        if self.below(4) == 0 {
            regions.push(json!({
                "id": "answer", "type": "choices", "from_name": "answer", "to_name": "image",
                "value": {"choices": ["yes"]},
            }));
        }
        // Some tasks have several images.
        for region in &mut regions {
            if self.below(3) == 0 {
                region["item_index"] = json!(self.below(3));
            }
        }
        let mut made = annotation(id, task, second, &json!(regions));
        made["annotation"]["completed_by"] = json!(1 + self.below(3));
        made["annotation"]["was_cancelled"] = json!(self.below(6) == 0);
        made["annotation"]["ground_truth"] = json!(self.below(6) == 0);
        made["task"]["data"]["seen"] = json!(self.below(3));
        made["project"]["id"] = json!(project);
        if self.below(6) == 0 {
            // Nobody says which project it is in.
            made.as_object_mut().unwrap().remove("project");
        }
        event(CREATED, second, &made)
    }
}

pub(crate) type Rows = Vec<BTreeMap<String, String>>;

/// Rows of a table that is in the files below a folder, in an order of their own.
fn rows(folder: &Path) -> Rows {
    let mut rows = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            left.extend(entries.map(|it| it.unwrap().path()));
        } else {
            rows.extend(table(&path));
        }
    }
    rows.sort();
    rows
}

pub(crate) fn tables(dataset: &Dataset, snapshot: &Snapshot) -> Vec<Rows> {
    let dir = dataset.dir.path().join(&snapshot.path).join("parquet");
    TABLES.map(|table| rows(&dir.join(table))).into()
}

/// Red if a change is missing in a snapshot, or if a row is in two of its files: whatever happens, in whatever order snapshots
/// of other options are written between.
#[test]
fn a_snapshot_of_what_changed_is_the_same_as_a_whole_one() {
    for seed in 1..=2 {
        let mut random = Random(seed * 0x9E37_79B9);
        let (mut dataset, mut all) = (Dataset::new(), Vec::new());
        let mut options = options();
        let mut files = 0;
        for round in 0..14 {
            match round {
                5 => options.which = Which::All,
                7 => options.splits = Splits::percent(50, 25, 25).unwrap(),
                9 => options.authors = false,
                11 => options.state = Some("approved".to_owned()),
                _ => {}
            }
            let before = all.len();
            for _ in 0..=random.below(40) {
                let second = u32::try_from(all.len()).unwrap() + 1;
                all.push(random.event(second));
            }
            for batch in all[before..].chunks(7) {
                dataset.fold(batch);
            }
            if round == 6 {
                dataset.store.forget_author("2").unwrap();
            }
            if round % 4 == 3 {
                dataset.write(&Options::of(Format::Jsonl));
            }
            let snapshot = dataset.write(&options);
            let mut fresh = Dataset::new();
            if round >= 6 {
                fresh.store.forget_author("2").unwrap();
            }
            fresh.fold(&all);
            let mut whole = options.clone();
            whole.part_rows = u32::MAX;
            let expected = fresh.write(&whole);
            let at = format!("seed {seed}, round {round}");
            assert_eq!(snapshot.counts, expected.counts, "{at}");
            let (ours, theirs) = (tables(&dataset, &snapshot), tables(&fresh, &expected));
            for (table, (ours, theirs)) in TABLES.iter().zip(ours.iter().zip(&theirs)) {
                assert_eq!(ours, theirs, "{table}, {at}");
            }
            // Counted sample by sample, they are the same.
            let mut streamed = options.clone();
            streamed.formats.push(Format::Jsonl);
            assert_eq!(fresh.write(&streamed).counts, snapshot.counts, "{at}");
            let path = dataset.dir.path().join(&snapshot.path);
            files = numbers(&path).len();
        }
        assert!(files > 20, "{files}: nothing was divided");
    }
}

/// The files of the tables by name, each with the number that the file system knows it by.
pub(crate) fn numbers(snapshot: &Path) -> BTreeMap<String, u64> {
    use std::os::unix::fs::MetadataExt as _;
    let folder = snapshot.join("parquet");
    let mut found = BTreeMap::new();
    let mut left = vec![folder.clone()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
        } else {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            found.insert(name.to_owned(), fs::metadata(&path).unwrap().ino());
        }
    }
    found
}

/// A dataset with an annotation of each of 40 tasks.
pub(crate) fn forty() -> Dataset {
    let mut dataset = Dataset::new();
    for id in 1..=40 {
        dataset.fold(&[changed(id, id)]);
    }
    dataset
}

pub(crate) fn changed(id: u32, second: u32) -> String {
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    there(id, id, second, &result)
}

/// Files of the second snapshot that are none of the first.
pub(crate) fn written(dataset: &Dataset, first: &Snapshot, second: &Snapshot) -> BTreeSet<String> {
    let of = |snapshot: &Snapshot| numbers(&dataset.dir.path().join(&snapshot.path));
    let before = of(first);
    let now = of(second).into_iter();
    let new = now.filter(|(name, number)| before.get(name) != Some(number));
    new.map(|(name, _)| name).collect()
}

/// Red if a part is written again of which nothing changed, or if one is not.
#[test]
fn a_snapshot_writes_the_parts_that_changed_and_no_others() {
    let mut dataset = forty();
    let mut options = options();
    let first = dataset.write(&options);
    dataset.fold(&[changed(20, 100)]);
    let second = dataset.write(&options);
    // Of 40 rows each part has 4; keys of ids begin with their length. Small tables are always written.
    let part = "label-studio.1/00217.00221.parquet";
    let expected = ["annotations", "regions", "classifications"].map(|it| format!("{it}/{part}"));
    let mut expected: BTreeSet<String> = expected.into();
    expected.extend(["classes", "projects"].map(|it| format!("{it}/all.parquet")));
    assert_eq!(written(&dataset, &first, &second), expected);
    // What comes behind all others changes the last part, and makes a new one in time.
    dataset.fold(&[changed(41, 101)]);
    let third = dataset.write(&options);
    let parts = |written: BTreeSet<String>| {
        let annotations = written
            .into_iter()
            .filter(|it| it.starts_with("annotations/"));
        annotations.collect::<Vec<_>>()
    };
    assert_eq!(
        parts(written(&dataset, &second, &third)),
        ["annotations/label-studio.1/00237.last.parquet"]
    );
    // Another policy is about all of them.
    options.authors = false;
    let fourth = dataset.write(&options);
    let all = numbers(&dataset.dir.path().join(&fourth.path));
    assert_eq!(written(&dataset, &third, &fourth).len(), all.len());
    assert!(!dataset.dir.path().join(&first.path).exists());
}

/// Breaks off a snapshot after the parts were divided: where a file of the last one was that did not change, is a directory.
/// After that, the file is missing.
pub(crate) fn break_off(dataset: &mut Dataset, options: &Options, last: &Snapshot, file: &str) {
    let path = dataset
        .dir
        .path()
        .join(&last.path)
        .join("parquet")
        .join(file);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    labelrelay_dataset::write(&mut dataset.store, options).unwrap_err();
    fs::remove_dir(path).unwrap();
}

/// Red if a file that is missing in the last snapshot is missing in the next, or if a snapshot that broke off has a say.
#[test]
fn what_is_missing_in_the_last_snapshot_is_written_again() {
    let mut dataset = forty();
    let options = options();
    let first = dataset.write(&options);
    dataset.fold(&[changed(20, 100), changed(41, 101)]);
    let gone = "annotations/label-studio.1/00233.00237.parquet";
    break_off(&mut dataset, &options, &first, gone);
    let second = dataset.write(&options);
    let mut fresh = forty();
    fresh.fold(&[changed(20, 100), changed(41, 101)]);
    let expected = fresh.write(&options);
    assert_eq!(tables(&dataset, &second), tables(&fresh, &expected));
}

/// Red if readers of an empty dataset find no columns.
#[test]
fn an_empty_dataset_has_its_tables() {
    let mut dataset = Dataset::new();
    let snapshot = dataset.write(&options());
    assert!(tables(&dataset, &snapshot).iter().all(Vec::is_empty));
    let path = dataset.dir.path().join(&snapshot.path);
    assert_eq!(numbers(&path).len(), TABLES.len());
}
