//! `dataset` over the embedded queue. What the files say is tested in the crate, and beside a real Label Studio.

use crate::connect::stand_in::{StandIn, TOKEN};
use crate::support::{Place, Ran, Serving, configured, deriving_nothing, until};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};

/// Delivers an annotation with one box, whose task holds a text of so many bytes.
pub(crate) fn annotate(place: &Place, serving: &Serving, id: u32, text: usize) {
    let data = json!({"image": format!("s3://cars/{id}.jpg"), "text": "x".repeat(text)});
    annotate_about(place, serving, id, &data);
}

/// The same, of a task with this data.
pub(crate) fn annotate_about(place: &Place, serving: &Serving, id: u32, data: &Value) {
    let body = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": id, "task": id, "created_at": "2026-11-21T09:47:10.371842Z",
            "updated_at": "2026-11-21T09:47:10.371842Z", "was_cancelled": false,
            "result": [{
                "id": "a", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
                "original_width": 200, "original_height": 100, "image_rotation": 0,
                "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["car"]},
            }],
        },
        "project": {"id": 1, "title": "Cars"},
        "task": {"id": id, "data": data},
    });
    place.write("body.json", body.to_string());
    deliver(place, serving, "body.json");
}

fn deliver(place: &Place, serving: &Serving, file: &str) {
    let url = serving.url("label-studio");
    let send = ["send", "--source", "label-studio", "--file", file];
    place.run(&[&send[..], &["--to", &url]].concat()).good();
}

pub(crate) fn sync(place: &Place, words: &[&str]) -> Ran {
    let all = ["dataset", "sync", "cars", "--format", "jsonl"];
    place.run(&[&all[..], words].concat())
}

/// Figures of the queue: ready, in flight, acknowledged, dead.
pub(crate) fn figures(place: &Place) -> [u64; 4] {
    let stats = &place.run(&["queue", "stats", "--json"]).json()[0];
    ["ready", "in_flight", "acknowledged", "dead"].map(|name| stats[name].as_u64().unwrap())
}

pub(crate) fn latest(place: &Place) -> Value {
    let text = std::fs::read_to_string(place.path("cars/latest.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A `sync` that follows; killed when dropped.
pub(crate) struct Following(Child);

impl Following {
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        let log = std::fs::File::create(place.path("sync.log")).unwrap();
        let all = ["dataset", "sync", "cars", "--follow"];
        let often: &[&str] = if words.contains(&"--every") {
            &[]
        } else {
            &["--every", "20ms"]
        };
        let child = place
            .command(&[&all[..], often, words].concat())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to stop, and waits for its end; its log.
    #[track_caller]
    pub(crate) fn stop(mut self, place: &Place) -> String {
        let kill = format!("kill -TERM {}", self.0.id());
        let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(killed.success());
        let mut status = None;
        until("sync ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        let log = place.read("sync.log");
        assert!(status.unwrap().success(), "{log}");
        log
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn all_that_waits_is_taken_in_and_acknowledged() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    for id in 1..=3 {
        annotate(&place, &serving, id, 0);
    }
    let first = sync(&place, &[]);
    assert!(
        first.good().starts_with("3 annotations, 1 class\n"),
        "{first:?}"
    );
    assert!(first.stderr.contains("done=3"), "{first:?}");
    assert_eq!(figures(&place), [0, 0, 3, 0]);
    let second = sync(&place, &["--json"]);
    second.good();
    assert_eq!(second.json()[0], latest(&place));
    assert_eq!(latest(&place)["number"], 1, "nothing is new");
}

/// Red if whoever leaves an option out is not told that the next snapshot says more than the last one, or if a word that no state
/// has looks like an empty project.
#[test]
fn other_options_than_those_of_the_last_snapshot_are_told() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    let told = "written with other options";
    let first = sync(&place, &["--without", "author,urls"]);
    assert!(!first.stderr.contains(told), "{first:?}");
    let same = sync(&place, &["--without", "urls,author", "--keep", "3"]);
    assert!(!same.stderr.contains(told), "{same:?}");
    let other = sync(&place, &["--state", "aproved"]);
    assert!(
        other.stderr.contains("other options (--state, --without)"),
        "{other:?}"
    );
    assert!(
        other
            .good()
            .contains("no annotation is in the state \"aproved\""),
        "{other:?}"
    );
}

/// Red if a second directory for a second format is silently empty.
#[test]
fn a_new_dataset_on_a_queue_that_another_has_emptied_says_so() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    let told = "this dataset is new, and nothing waited";
    let first = sync(&place, &[]);
    assert!(!first.stderr.contains(told), "{first:?}");
    for is_told in [true, false] {
        let second = place.run(&["dataset", "sync", "bikes"]);
        second.good();
        assert_eq!(second.stderr.contains(told), is_told, "{second:?}");
    }
}

/// Red if an event that cannot be read is dropped, stays on the queue for ever, or is counted twice.
#[test]
fn what_cannot_be_read_is_a_dead_letter_with_its_reason_and_counted() {
    let (place, serving) = crate::queue::with_events(&["action_alone.created"]);
    annotate(&place, &serving, 1, 0);
    for _ in 0..2 {
        let ran = sync(&place, &[]);
        assert!(
            ran.good()
                .contains("1 annotation, 1 class; 1 event unreadable\n"),
            "{ran:?}"
        );
        let dead: Vec<_> = ran
            .stderr
            .lines()
            .filter(|it| it.contains("dead letter now"))
            .collect();
        assert!(
            dead.len() == 1
                && dead[0].contains("PayloadMissing")
                && dead[0].contains("Send payload"),
            "{dead:?}"
        );
        assert_eq!(figures(&place), [0, 0, 1, 1]);
        place.run(&["events", "retry", "--dead"]).good();
    }
}

#[test]
fn a_body_in_the_configured_store_is_fetched_and_from_no_other() {
    for is_configured in [true, false] {
        let place = configured();
        let plain = place.read("labelrelay.toml");
        let derive = "[embedded_queue]\nderive = false\n";
        place.write(
            "labelrelay.toml",
            format!("blob_store = \"file:claims\"\n{plain}{derive}"),
        );
        place.write("plain.toml", format!("{plain}{derive}"));
        let serving = place.serve(&[]);
        annotate(&place, &serving, 1, 9 * 1024 * 1024);
        annotate(&place, &serving, 2, 0);
        let listed = place.run(&["events", "list", "--json"]).json();
        assert!(place.path("claims").is_dir(), "{listed:?}");
        if is_configured {
            let ran = sync(&place, &[]);
            assert!(ran.good().starts_with("2 annotations"), "{ran:?}");
            assert_eq!(figures(&place), [0, 0, 2, 0]);
        } else {
            let ran = sync(&place, &["--config", "plain.toml"]);
            assert!(ran.good().starts_with("1 annotation,"), "{ran:?}");
            assert!(ran.stderr.contains("may read from none"), "{ran:?}");
            let [.., acknowledged, dead] = figures(&place);
            assert_eq!((acknowledged, dead), (1, 0), "it waits for the store");
        }
    }
}

#[test]
fn it_follows_until_a_signal_and_leaves_nothing_behind() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    let following = Following::start(&place, &[]);
    for id in 1..=3 {
        annotate(&place, &serving, id, 0);
        until("the snapshot has it", || {
            latest(&place)["counts"]["annotations"] == id
        });
    }
    // Another one is refused, and takes nothing.
    sync(&place, &[]).failed(1, &["another process works on this dataset"]);
    let log = following.stop(&place);
    assert!(log.contains("done=3"), "{log}");
    assert_eq!(figures(&place), [0, 0, 3, 0]);
}

/// Red if whoever forgets an author here believes that the author is gone from a bucket, too.
#[test]
fn a_dataset_that_is_published_says_where_an_author_is_left() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    sync(&place, &[]).good();
    let forget = ["dataset", "forget", "cars", "--author", "17"];
    place.run(&forget).good();
    // As `sync` leaves it, without a bucket.
    let published =
        json!({"url": "s3://bucket/cars", "writer": "w", "latest": null, "snapshots": {}});
    place.write("cars/published.json", published.to_string());
    let again = "labelrelay dataset forget s3://bucket/cars --work cars --author 17";
    place.run(&forget).failed(1, &[again]);
}

/// Red if an event is acknowledged that the dataset has not.
#[test]
fn a_dataset_that_cannot_be_written_takes_no_event() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    std::fs::create_dir(place.path("cars")).unwrap();
    place.write(
        "cars/state.db",
        "this is no database, but a text that stands in its place",
    );
    sync(&place, &[]).failed(1, &["state.db", "make the dataset anew"]);
    assert_eq!(figures(&place), [1, 0, 0, 0]);
    sync(&place, &["--queue", "kafka://x"]).failed(2, &["--queue", "kafka"]);
    sync(&place, &["--follow", "--until-idle", "1s"]).failed(2, &["cannot be used with"]);
}

/// Red if a directory without a dataset becomes one that is empty, or if a value that means nothing is taken.
#[test]
fn what_is_no_dataset_and_what_says_nothing_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("afile", "");
    let run = |words: &[&str]| place.run(&[&["dataset"], words].concat());
    for words in [
        &["verify", "empty", "--url", "http://127.0.0.1:9"][..],
        &["forget", "empty", "--author", "17"],
        &["verify", "afile"],
    ] {
        run(words).failed(2, &["there is no such dataset"]);
    }
    let left = std::fs::read_dir(place.path("empty")).unwrap();
    assert_eq!(left.count(), 0);
    let from_nowhere = ["rebuild", "afile", "--from", "file:nowhere"];
    run(&from_nowhere).failed(1, &["afile: is a file; name a directory"]);
    run(&["sync", "cars", "--state", ""]).failed(2, &["--state"]);
    run(&["sync", "cars", "--keep", "0"]).failed(2, &["--keep", "1.."]);
    run(&["forget", "cars", "--author", ""]).failed(2, &["--author"]);
    assert!(run(&["--help"]).good().contains("Parquet"));
}

/// Red if snapshots go for an author who made nothing, if one who was noted comes in later, or if `verify` advises what only a
/// pull can do.
#[test]
fn an_author_who_made_nothing_is_noted_and_a_project_that_is_gone_is_named() {
    let label_studio = StandIn::start();
    let place = deriving_nothing()
        .with("LABEL_STUDIO_URL", &label_studio.url)
        .with("LABEL_STUDIO_API_KEY", TOKEN);
    let serving = place.serve(&[]);
    for id in 1..=2 {
        annotate(&place, &serving, id, 0);
        sync(&place, &[]).good();
    }
    let forget = ["dataset", "forget", "cars", "--author", "nobody"];
    let ran = place.run(&forget);
    assert!(ran.good().contains("the snapshots stay"), "{ran:?}");
    assert!(place.path("cars/snapshots/000001").is_dir());
    // One that was noted may be in snapshots that a killed run left.
    place.run(&forget).good();
    assert!(!place.path("cars/snapshots/000001").is_dir());
    let ran = place.run(&["dataset", "verify", "cars", "--project", "9"]);
    ran.failed(1, &["project 9 is gone", "leave out --project 9"]);
    assert!(!ran.stderr.contains("--deleted-project"), "{ran:?}");
    assert!(!ran.stderr.contains("`projects`"), "{ran:?}");
}
