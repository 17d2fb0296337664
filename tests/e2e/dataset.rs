//! A dataset that is kept beside a real Label Studio, against what that exports itself.

mod ultralytics;

use crate::archive::{archived, archiving};
use labelrelay_tests::changes::Changes;
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::program;
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site, eventually, eventually_within, secrets};
use labelrelay_tests::servers::{free_ports, installed};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Changes of the test; the campaign makes more of them.
const CHANGES: usize = 200;

/// Bound of the whole walk, the campaign's too.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// The `sync` that follows is killed after so many.
const KILLED_EVERY: usize = 20;

/// And the relay after a change of so many, by chance.
const RELAY_KILLED_ONE_IN: u64 = 20;

/// Time for the archive at the end, however many events there are.
const ARCHIVED_WITHIN: Duration = Duration::from_secs(10 * 60);

const FORMATS: &str = "coco,yolo-obb,jsonl,parquet";

const CONFIG: &str = r#"<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="car"/><Label value="bus"/><Label value="tram"/></RectangleLabels><PolygonLabels name="polygon" toName="image"><Label value="road"/></PolygonLabels><BrushLabels name="brush" toName="image"><Label value="sky"/></BrushLabels></View>"#;

/// A brush that was drawn in Label Studio's own editor, on an image of 400 x 300 pixels.
const DRAWN: &str = include_str!("../fixtures/label_studio/control_tags/brush_labels/body.json");

/// Somebody at work.
struct Work {
    label_studio: LabelStudio,
    project: u64,
    random: Random,
}

impl Work {
    fn ids(&mut self, table: &str) -> Vec<u64> {
        let rows = self
            .label_studio
            .rows(&format!("select id from {table} order by id"));
        rows.iter().map(|row| row[0].as_u64().unwrap()).collect()
    }

    fn one_of(&mut self, ids: &[u64]) -> u64 {
        ids[usize::try_from(self.random.below(ids.len() as u64)).unwrap()]
    }

    fn import(&mut self) {
        let task = |number: u64| json!({"data": {"image": format!("s3://bucket/{number}.jpg")}});
        let tasks: Vec<Value> = (0..20).map(task).collect();
        let path = format!("/api/projects/{}/import", self.project);
        self.label_studio.call("POST", &path, &tasks.into());
    }

    /// A number between 0 and `below`, with three decimals.
    #[expect(clippy::cast_precision_loss, reason = "small")]
    fn number(&mut self, below: u64) -> f64 {
        self.random.below(below * 1000) as f64 / 1000.0
    }

    fn result(&mut self) -> Value {
        let count = self.random.below(4);
        if count == 3 && self.random.below(2) == 0 {
            return drawn();
        }
        let regions = (0..count).map(|place| {
            let common = json!({
                "id": format!("r{place}"), "to_name": "image", "original_width": 400, "original_height": 300,
                "image_rotation": 0,
            });
            let mut region = common;
            if self.random.below(3) == 0 {
                let points: Vec<Value> = (0..5).map(|_| json!([self.number(100), self.number(100)])).collect();
                region["type"] = json!("polygonlabels");
                region["from_name"] = json!("polygon");
                region["value"] = json!({"points": points, "closed": true, "polygonlabels": ["road"]});
            } else {
                let label = ["car", "bus", "tram"][usize::try_from(self.random.below(3)).unwrap()];
                let rotation = if self.random.below(2) == 0 { 0.0 } else { self.number(360) };
                region["type"] = json!("rectanglelabels");
                region["from_name"] = json!("box");
                region["value"] = json!({
                    "x": self.number(50), "y": self.number(50), "width": self.number(40), "height": self.number(40),
                    "rotation": rotation, "rectanglelabels": [label],
                });
            }
            region
        });
        regions.collect::<Vec<_>>().into()
    }

    fn action(&mut self, name: &str, tasks: &[u64]) {
        let path = format!("/api/dm/actions?id={name}&project={}", self.project);
        let chosen = json!({"selectedItems": {"all": false, "included": tasks}});
        self.label_studio.call("POST", &path, &chosen);
    }

    fn change(&mut self) {
        let (tasks, annotations) = (self.ids("task"), self.ids("task_completion"));
        if tasks.len() < 10 {
            return self.import();
        }
        let task = self.one_of(&tasks);
        let others = [task, self.one_of(&tasks)];
        let kind = self.random.below(20);
        if kind >= 12 && !annotations.is_empty() {
            let path = format!("/api/annotations/{}/", self.one_of(&annotations));
            match kind {
                12..=15 => {
                    let changed = json!({"result": self.result(), "was_cancelled": false});
                    self.label_studio.call("PATCH", &path, &changed)
                }
                16 => {
                    let changed = json!({"was_cancelled": true});
                    self.label_studio.call("PATCH", &path, &changed)
                }
                17 => {
                    let changed = json!({"ground_truth": true});
                    self.label_studio.call("PATCH", &path, &changed)
                }
                _ => self.label_studio.call("DELETE", &path, &Value::Null),
            };
            return;
        }
        match kind {
            0 => {
                let path = format!("/api/tasks/{task}/");
                self.label_studio.call("DELETE", &path, &Value::Null);
            }
            1 => self.action("delete_tasks", &others),
            2 => self.action("delete_tasks_annotations", &others),
            3 => {
                for task in others {
                    let made = json!({"task": task, "model_version": "m", "result": self.result()});
                    self.label_studio.call("POST", "/api/predictions/", &made);
                }
                self.action("predictions_to_annotations", &others);
            }
            _ => {
                let made = json!({"result": self.result(), "was_cancelled": kind == 4});
                let path = format!("/api/tasks/{task}/annotations/");
                self.label_studio.call("POST", &path, &made);
            }
        }
    }
}

/// A mask.
fn drawn() -> Value {
    let body: Value = serde_json::from_str(DRAWN).unwrap();
    let mut region = body["annotation"]["result"][0].clone();
    region["from_name"] = json!("brush");
    region["value"]["brushlabels"] = json!(["sky"]);
    json!([region])
}

fn dataset(site: &Site, words: &[&str]) -> Command {
    let mut command = program::command();
    command
        .arg("dataset")
        .args(words)
        .arg("--config")
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .current_dir(site.folder())
        .stdin(Stdio::null());
    command
}

fn sync(site: &Site, formats: &str) -> Command {
    let words = ["sync", "cars", "--format", formats, "--which", "all"];
    let mut command = dataset(site, &words);
    command.args(["--split", "100/0/0", "--visibility", "5s"]);
    command
}

/// A `sync` that goes on.
pub(crate) fn follow(site: &Site, formats: &str) -> Child {
    sync(site, formats)
        .args(["--follow", "--every", "100ms"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Takes in all that is left on the queue: what a process that was killed had is visible again after five seconds.
pub(crate) fn take_in_all(site: &Site, formats: &str) {
    eventually("the queue is empty", || {
        let done = sync(site, formats).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let stats = program::command()
            .args(["queue", "stats", "--json", "--queue", &site.queue_url()])
            .output()
            .unwrap();
        let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
        assert_eq!(stats["dead"], 0, "{stats}");
        (stats["ready"] == 0 && stats["in_flight"] == 0).then_some(())
    });
}

fn verified(work: &Work, site: &Site, verb: &[&str]) -> Output {
    dataset(site, verb)
        .args(["--url", &work.label_studio.base])
        .args(["--project", &work.project.to_string()])
        .env("LABEL_STUDIO_API_KEY", &work.label_studio.token)
        .output()
        .unwrap()
}

/// The directory of the newest snapshot.
pub(crate) fn latest(dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(dir.join("latest.json")).unwrap();
    let latest: Value = serde_json::from_str(&text).unwrap();
    dir.join(latest["path"].as_str().unwrap())
}

/// Regions of Label Studio's own export, in pixels, computed here: annotation and region, label, and points.
fn exported(work: &mut Work) -> BTreeMap<String, (String, Vec<f64>)> {
    let path = format!("/api/projects/{}/export?exportType=JSON", work.project);
    let tasks = work.label_studio.call("GET", &path, &Value::Null);
    let mut regions = BTreeMap::new();
    for task in tasks.as_array().unwrap() {
        for annotation in task["annotations"].as_array().unwrap() {
            if annotation["was_cancelled"] == true {
                continue;
            }
            for region in annotation["result"].as_array().unwrap() {
                let value = &region["value"];
                if region["type"] == "brushlabels" {
                    continue;
                }
                let number = |name: &str| value[name].as_f64().unwrap();
                let (points, label) = if region["type"] == "rectanglelabels" {
                    let (x, y) = (number("x") * 4.0, number("y") * 3.0);
                    let (width, height) = (number("width") * 4.0, number("height") * 3.0);
                    let angle = number("rotation") * std::f64::consts::PI / 180.0;
                    let turned = |dx: f64, dy: f64| {
                        [
                            x + dx * angle.cos() - dy * angle.sin(),
                            y + dx * angle.sin() + dy * angle.cos(),
                        ]
                    };
                    let corners = [
                        turned(0.0, 0.0),
                        turned(width, 0.0),
                        turned(width, height),
                        turned(0.0, height),
                    ];
                    (corners.concat(), &value["rectanglelabels"][0])
                } else {
                    let points = value["points"].as_array().unwrap().iter();
                    let points = points.flat_map(|point| {
                        [
                            point[0].as_f64().unwrap() * 4.0,
                            point[1].as_f64().unwrap() * 3.0,
                        ]
                    });
                    (points.collect(), &value["polygonlabels"][0])
                };
                let name = format!("{}/{}", annotation["id"], region["id"].as_str().unwrap());
                regions.insert(name, (label.as_str().unwrap().to_owned(), points));
            }
        }
    }
    regions
}

/// The same of the dataset's COCO file.
fn of_coco(dir: &Path) -> BTreeMap<String, (String, Vec<f64>)> {
    let text = std::fs::read_to_string(latest(dir).join("coco/instances_train.json")).unwrap();
    let coco: Value = serde_json::from_str(&text).unwrap();
    let categories: BTreeMap<u64, &str> = coco["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_u64().unwrap(), it["name"].as_str().unwrap()))
        .collect();
    let annotations = coco["annotations"].as_array().unwrap().iter();
    annotations
        .filter(|it| it["segmentation"].is_array())
        .map(|it| {
            let name = format!(
                "{}/{}",
                it["annotation"].as_str().unwrap(),
                it["region"].as_str().unwrap()
            );
            let points = it["segmentation"][0].as_array().unwrap().iter();
            let points = points.map(|it| it.as_f64().unwrap()).collect();
            let label = categories[&it["category_id"].as_u64().unwrap()].to_owned();
            (name, (label, points))
        })
        .collect()
}

fn assert_equal(work: &mut Work, dir: &Path) {
    let (expected, found) = (exported(work), of_coco(dir));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, (label, points)) in &expected {
        let (ours, our_points) = &found[name];
        assert_eq!(ours, label, "{name}");
        assert_eq!(our_points.len(), points.len(), "{name}");
        for (found, expected) in our_points.iter().zip(points) {
            assert!(
                (found - expected).abs() <= 0.01,
                "{name}: {our_points:?} are not {points:?}"
            );
        }
    }
}

/// Reads a snapshot as others do: pycocotools, `DuckDB`, pandas, and YOLO by its documented rules. Each has to find what
/// Label Studio exports.
fn assert_read_by_others(work: &mut Work, dir: &Path) {
    let exported = exported(work);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("exported.json");
    std::fs::write(&file, serde_json::to_vec(&exported).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/dataset/readers.py");
    let read = Command::new(installed("LABELRELAY_TEST_DATASET_PYTHON"))
        .arg("-B")
        .arg(script)
        .arg(latest(dir))
        .arg(file)
        .output()
        .unwrap();
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    let told: Value = serde_json::from_slice(&read.stdout).unwrap();
    let rows = work
        .label_studio
        .rows("select count(*) from task_completion where was_cancelled = 0");
    assert_eq!(told["annotations"], rows[0][0], "{told}");
    let rectangles = exported
        .values()
        .filter(|(label, _)| label != "road")
        .count();
    assert_eq!(told["boxes"], json!(rectangles), "{told}");
    assert_eq!(told["boxes_of_yolo"], json!(rectangles), "{told}");
    println!("read by others: {told}");
}

/// Compares with what Label Studio's own converter makes of its export.
fn assert_equals_the_official_converter(work: &mut Work, site: &Site, dir: &Path) {
    let path = format!("/api/projects/{}/export?exportType=JSON", work.project);
    let export = work.label_studio.call("GET", &path, &Value::Null);
    let (config, file) = (
        site.folder().join("config.xml"),
        site.folder().join("export.json"),
    );
    std::fs::write(&config, CONFIG).unwrap();
    std::fs::write(&file, export.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/dataset/official.py");
    let program = installed("LABELRELAY_TEST_LABEL_STUDIO");
    let compared = Command::new(program.with_file_name("python"))
        .arg("-B")
        .arg(script)
        .args([&config, &file])
        .arg(latest(dir).join("coco/instances_train.json"))
        .output()
        .unwrap();
    assert!(
        compared.status.success(),
        "{}",
        String::from_utf8_lossy(&compared.stderr)
    );
    println!(
        "beside the official converter: {}",
        String::from_utf8_lossy(&compared.stdout)
    );
}

/// The last verdict stands beside the snapshot, and `status` says it.
fn assert_verdict(site: &Site, dir: &Path, is_equal: bool) {
    let status = program::command()
        .args(["dataset", "status", "cars", "--json"])
        .current_dir(site.folder())
        .output()
        .unwrap();
    assert_eq!(status.status.success(), is_equal, "{status:?}");
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let verdict = &status["verified"];
    assert_eq!(status["changed_since_verified"], false, "{status}");
    assert_eq!(verdict["missing"] == 0, is_equal, "{status}");
    let text = std::fs::read_to_string(dir.join("latest.json")).unwrap();
    let latest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(latest["verified"], *verdict, "{status}");
}

/// A dataset is compared while a `sync` follows, which keeps the verdict.
fn assert_verified_beside_sync(work: &mut Work, site: &Site, dir: &Path, formats: &str) {
    let mut following = follow(site, formats);
    // It has the dataset once it writes what changes now.
    let before = latest(dir);
    eventually("the sync that follows writes a snapshot", || {
        work.change();
        (latest(dir) != before).then_some(())
    });
    eventually("the dataset is equal beside a sync that follows", || {
        let told = verified(work, site, &["verify", "cars"]);
        told.status.success().then_some(())
    });
    eventually("the sync that follows keeps the verdict", || {
        let text = std::fs::read_to_string(dir.join("latest.json")).unwrap();
        let latest: Value = serde_json::from_str(&text).unwrap();
        (latest["verified"]["missing"] == 0).then_some(())
    });
    assert!(following.try_wait().unwrap().is_none(), "it goes on");
    following.kill().unwrap();
    following.wait().unwrap();
    take_in_all(site, formats);
}

/// Label Studio sends nothing when the data of a task change: `verify` finds it, and a repair brings it.
fn assert_other_data_is_mended(work: &mut Work, site: &Site, dir: &Path, formats: &str) {
    let annotated = "select task_id from task_completion where was_cancelled = 0 order by id";
    let path = format!(
        "/api/tasks/{}/",
        work.label_studio.rows(annotated)[0][0].as_u64().unwrap()
    );
    let changed = json!({"data": {"image": "s3://bucket/changed.jpg"}});
    work.label_studio.call("PATCH", &path, &changed);
    let told = verified(work, site, &["verify", "cars"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(
        said.contains("  different ") && said.contains(": data"),
        "{said}"
    );
    let told = verified(work, site, &["verify", "cars", "--repair"]);
    assert!(told.status.success(), "{told:?}");
    take_in_all(site, formats);
    let samples = std::fs::read_to_string(latest(dir).join("jsonl/samples.jsonl")).unwrap();
    assert!(samples.contains("s3://bucket/changed.jpg"));
}

/// A directory that was lost is made anew, and the classes keep their numbers.
fn assert_rebuilt(work: &mut Work, site: &Site, dir: &Path) {
    let instances = |dir: &Path| latest(dir).join("coco/instances_train.json");
    let (lost, anew) = (instances(dir), site.folder().join("anew"));
    let words = ["rebuild", "anew", "--format", "coco", "--which", "all"];
    let words = [
        &words[..],
        &["--split", "100/0/0", "--classes", lost.to_str().unwrap()],
    ];
    let told = verified(work, site, &words.concat());
    assert!(told.status.success(), "{told:?}");
    assert_equal(work, &anew);
    let categories = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["categories"].clone()
    };
    assert_eq!(categories(&instances(&anew)), categories(&lost));
}

/// The events of the archive alone make the same dataset, and nobody asks the platform.
fn assert_rebuilt_from_its_archive(work: &mut Work, site: &Site) {
    // What came last may be on the queue alone when `serve` stops.
    let relay = site.serve();
    let queue = site.export();
    eventually_within(ARCHIVED_WITHIN, "all of it is in the archive", || {
        let archive = archived(site);
        let ids: HashSet<&str> = archive
            .iter()
            .map(|event| event.attributes.id.as_str())
            .collect();
        let is_there = |id: &str| ids.contains(id);
        queue
            .iter()
            .all(|event| is_there(&event.attributes.id))
            .then_some(())
    });
    relay.terminate();
    assert!(relay.wait().success());
    let words = ["rebuild", "archived", "--from", "file:archive"];
    let mut rebuild = dataset(site, &words);
    rebuild.args(["--format", "coco", "--which", "all", "--split", "100/0/0"]);
    let told = rebuild.output().unwrap();
    assert!(told.status.success(), "{told:?}");
    assert_equal(work, &site.folder().join("archived"));
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e dataset`"]
fn a_dataset_stays_equal_to_label_studio_whatever_is_killed() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start_for(LONGEST);
    let site = archiving();
    let [port] = free_ports();
    let listen = format!("127.0.0.1:{port}");
    let mut relay = site.serve_at(&listen);
    let made = json!({"title": "cars", "label_config": CONFIG});
    let project = label_studio.call("POST", "/api/projects/", &made)["id"]
        .as_u64()
        .unwrap();
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.webhook(project, &url, SECRET);
    let mut work = Work {
        label_studio,
        project,
        random: Random::seeded(),
    };
    work.import();
    let dir = site.folder().join("cars");
    let formats = ultralytics::formats();
    let mut following = follow(&site, &formats);
    let mut changes = Changes::or(CHANGES);
    for change in &mut changes {
        work.change();
        // Label Studio sends nothing twice, so not in the middle of a change. It waits for its deliveries before it answers.
        if work.random.below(RELAY_KILLED_ONE_IN) == 0 {
            relay.kill();
            relay = site.serve_at(&listen);
        }
        if change % KILLED_EVERY == 0 {
            following.kill().unwrap();
            following.wait().unwrap();
            following = follow(&site, &formats);
        }
    }
    following.kill().unwrap();
    following.wait().unwrap();
    take_in_all(&site, &formats);
    let told = verified(&work, &site, &["verify", "cars"]);
    assert!(told.status.success(), "{told:?}");
    assert_verdict(&site, &dir, true);
    assert_equal(&mut work, &dir);
    assert_read_by_others(&mut work, &dir);
    ultralytics::assert_reads(&dir);
    assert_equals_the_official_converter(&mut work, &site, &dir);
    assert_verified_beside_sync(&mut work, &site, &dir, &formats);

    relay.terminate();
    assert!(relay.wait().success());
    // Of what nobody delivers, below, the archive has nothing.
    assert_rebuilt_from_its_archive(&mut work, &site);

    // A change that nobody delivered is found, and mended.
    for _ in 0..20 {
        work.change();
    }
    let tasks = work.ids("task");
    let made = json!({"result": work.result()});
    let path = format!("/api/tasks/{}/annotations/", tasks[0]);
    work.label_studio.call("POST", &path, &made);
    let told = verified(&work, &site, &["verify", "cars"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(
        String::from_utf8_lossy(&told.stdout).contains("  missing   "),
        "{told:?}"
    );
    assert_verdict(&site, &dir, false);
    let told = verified(&work, &site, &["verify", "cars", "--repair"]);
    assert!(told.status.success(), "{told:?}");
    take_in_all(&site, &formats);
    assert_equal(&mut work, &dir);
    let told = verified(&work, &site, &["verify", "cars"]);
    assert!(told.status.success(), "{told:?}");
    assert_verdict(&site, &dir, true);

    assert_other_data_is_mended(&mut work, &site, &dir, &formats);
    assert_rebuilt(&mut work, &site, &dir);
    println!(
        "dataset: {}, equal to Label Studio each time",
        changes.summary()
    );
}
