//! Where Labelbox cannot reach the relay, its labels come all the same: `connect` lets the `serve` that runs pull, and
//! waits for the first one.

use super::stand_in::{KEY, StandIn, webhook};
use super::{SECRET, Scene, URL};
#[cfg(unix)]
use crate::support::mode;
use crate::support::{Serving, patient};
use serde_json::{Value, json};

/// A relay on a laptop, and a Labelbox that has a label in the project "Cars".
struct Laptop {
    scene: Scene,
    serving: Serving,
}

impl Laptop {
    fn new() -> Self {
        let scene = Scene {
            place: patient().with("LABELBOX_API_KEY", KEY),
            labelbox: StandIn::start(),
        };
        scene.labelbox.state().rows.push(("p1".to_owned(), row()));
        let serving = scene.place.serve(&[]);
        Self { scene, serving }
    }

    fn connect(&self, words: &[&str]) -> crate::support::Ran {
        self.scene.run(&[&["connect", "labelbox"], words].concat())
    }
}

/// A row of an export, with one label: as a webhook of the second version has it.
fn row() -> Value {
    let text = include_str!("../../../../../../tests/fixtures/labelbox/v2_label_created.json");
    let mut row: Value = serde_json::from_str(text).unwrap();
    let projects = row["projects"].as_object_mut().unwrap();
    let of_it = std::mem::take(projects);
    let (_, project) = of_it.into_iter().next().unwrap();
    projects.insert("p1".to_owned(), project);
    row
}

#[test]
fn the_first_label_comes_without_a_webhook_and_without_another_start() {
    let laptop = Laptop::new();
    let Laptop { scene, .. } = &laptop;
    let config = scene.place.read("labelrelay.toml");
    let planned = laptop.connect(&["--plan"]);
    for said in [
        "  -- push refused: Labelbox cannot reach http://127.0.0.1:",
        "the address of a tunnel",
        "  ok the token would be put into ",
        "[source.pull] would be written below the source `labelbox` in labelrelay.toml",
        "`serve` would pull every minute instead (labels that are created or updated",
        "nothing was changed",
    ] {
        assert!(planned.good().contains(said), "no {said:?} in {planned:?}");
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    assert!(!scene.place.path("labelbox.token").exists());

    let ran = laptop.connect(&[]);
    let mut rest = ran.good();
    for said in [
        "  ok Labelbox at ",
        "  -- push refused: Labelbox cannot reach ",
        "  ok the token put into ",
        "  ok no webhook can work; [source.pull] written below the source `labelbox`",
        "  ok pulling every minute instead (labels that are created or updated; no deletions, no workflow actions); 1 existing label queued",
        "  ok first event after ",
        "label clvo7b6h501ic07fdbg62c32w, project \"Cars\"\n",
    ] {
        let (_, behind) = rest
            .split_once(said)
            .unwrap_or_else(|| panic!("no {said:?} in its place in {ran:?}"));
        rest = behind;
    }
    assert!(!ran.stdout.contains("v1 payloads"), "{ran:?}");
    let section = format!(
        "\n[source.pull]\nevery = \"1m\"\nurl = \"{}\"\ntoken = \"file:labelbox.token\"\n",
        scene.labelbox.endpoint
    );
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains(&section), "{written}");
    assert_eq!(scene.place.read("labelbox.token"), KEY);
    #[cfg(unix)]
    assert_eq!(mode(&scene.place.path("labelbox.token")), 0o600);
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    let events = scene.place.run(&["events", "list", "--json"]);
    events.good();
    assert_eq!(events.json()[0]["type"], "com.labelbox.label.created");

    let again = laptop.connect(&[]);
    for said in [
        "`serve` pulls instead, as [source.pull] says",
        "nothing to change",
    ] {
        assert!(again.good().contains(said), "no {said:?} in {again:?}");
    }
    assert_eq!(scene.place.read("labelrelay.toml"), written);
    let push = laptop.connect(&["--push-only"]);
    assert_eq!(push.code, 1, "{push:?}");
    assert!(push.stdout.contains("`serve` pulls besides"), "{push:?}");
    let log = scene.place.read("serve.log");
    assert!(!log.contains(KEY) && !log.contains(SECRET), "{log}");
    assert_eq!(laptop.serving.stop(), 0);
}

#[test]
fn programs_are_told_of_the_first_label() {
    let laptop = Laptop::new();
    let ran = laptop.connect(&["--json", "--project", "p1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = &ran.json()[0];
    assert_eq!((&told["ok"], &told["pull"]), (&json!(true), &json!("made")));
    assert_eq!(told["queued"], 1);
    assert_eq!(told["first_event"]["project"], "p1");
    let written = laptop.scene.place.read("labelrelay.toml");
    assert!(written.contains("\nprojects = [\"p1\"]\n"), "{written}");

    // A project that the pull leaves out.
    let other = laptop.connect(&["--project", "p2"]);
    assert_eq!(other.code, 1, "{other:?}");
    let said = "`serve` does not pull from project p2 \"Boats\"";
    assert!(other.stdout.contains(said), "{other:?}");
    let same = laptop.connect(&["--project", "p1"]);
    assert!(same.good().contains("nothing to change"), "{same:?}");
    assert!(!same.stderr.contains("serve` pulls from"), "{same:?}");

    // Another Labelbox than the one that was asked.
    let section = format!("url = \"{}\"", laptop.scene.labelbox.endpoint);
    let elsewhere = written.replace(&section, "url = \"http://127.0.0.1:9/graphql\"");
    assert_ne!(elsewhere, written);
    laptop.scene.place.write("labelrelay.toml", &elsewhere);
    let other = laptop.connect(&["--project", "p1"]);
    other.good();
    let said = "`serve` pulls from http://127.0.0.1:9/graphql, as [source.pull] says: see that this is the same Labelbox as";
    assert!(other.stderr.contains(said), "{other:?}");
}

/// A public name without TLS may be written wrongly: nothing is written for that alone.
#[test]
fn a_public_url_without_tls_is_pulled_only_if_somebody_asks_for_it() {
    let laptop = Laptop::new();
    let scene = &laptop.scene;
    let config = scene.place.read("labelrelay.toml");
    let words = ["--relay", "http://relay.invalid", "--wait", "0s"];
    let ran = laptop.connect(&words);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        "delivers over HTTPS only",
        "` does so)",
        "\n[source.pull]\n",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    laptop.connect(&[&words[..], &["--repair"]].concat()).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\n[source.pull]\n"), "{written}");

    // Somebody has decided by now.
    let again = laptop.connect(&words);
    assert!(again.good().contains("nothing to change"), "{again:?}");
    assert_eq!(scene.place.read("labelrelay.toml"), written);
}

/// Whoever runs it on the server may have left --relay out: nothing is pulled beside what comes already.
#[test]
fn nothing_is_written_beside_a_webhook_that_may_deliver_here() {
    let laptop = Laptop::new();
    let scene = &laptop.scene;
    scene.has(webhook("w3", Some("p1"), URL));
    let config = scene.place.read("labelrelay.toml");
    let quick = ["--wait", "0s"];
    for words in [&quick[..], &["--plan"], &["--repair"], &["--project", "p1"]] {
        let ran = laptop.connect(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in [
            "  -- Labelbox cannot reach http://127.0.0.1:",
            "project p1: webhook w3 delivers to https://relay.invalid/labelbox already",
            "run this with `--relay https://relay.invalid/labelbox`, or set `public_url`",
        ] {
            assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
        }
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    assert!(!scene.place.path("labelbox.token").exists());
    assert_eq!(scene.labelbox.changes(), [""; 0]);

    // It is that of another relay.
    let here = laptop.serving.url("labelbox");
    let words = ["--relay", here.as_str()];
    laptop.connect(&[&words[..], &quick].concat()).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\n[source.pull]\n"), "{written}");
    let again = laptop.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

/// Of another project, or ended: it brings nothing of what is asked for.
#[test]
fn a_webhook_that_brings_nothing_of_a_project_keeps_no_pull_away() {
    let laptop = Laptop::new();
    let scene = &laptop.scene;
    scene.has(webhook("w3", Some("p2"), URL));
    let mut ended = webhook("w4", Some("p1"), URL);
    ended["status"] = "INACTIVE".into();
    scene.has(ended);
    let words = ["--project", "p1", "--wait", "0s"];
    laptop.connect(&words).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\nprojects = [\"p1\"]\n"), "{written}");
}

/// Nothing is set up with a key that Labelbox refuses.
#[test]
fn a_key_that_is_refused_is_put_nowhere() {
    let mut laptop = Laptop::new();
    laptop.scene.place = laptop.scene.place.with("LABELBOX_API_KEY", "another-key");
    let config = laptop.scene.place.read("labelrelay.toml");
    let ran = laptop.connect(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("refuses the API key"), "{ran:?}");
    assert!(!laptop.scene.place.path("labelbox.token").exists());
    assert_eq!(laptop.scene.place.read("labelrelay.toml"), config);
}
