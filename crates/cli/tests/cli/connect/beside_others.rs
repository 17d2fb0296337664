//! A relay behind a proxy, whose URL nobody named: `connect label-studio` writes nothing beside a webhook that may
//! deliver to it already.

use super::pull_instead::stock;
use super::repair::refuses;
use super::stand_in::{Asked, webhook};
use super::{SECRET, Scene};
use serde_json::Value;

/// URL of a proxy in front of the relay, as a webhook has it.
const PROXY: &str = "https://relay.invalid/label-studio";

/// What is said of such a webhook, and what else may be done.
fn beside(scene: &Scene) -> [String; 3] {
    [
        format!(
            " {}, and project 1: webhook 3 delivers to {PROXY} already",
            scene.url()
        ),
        format!("run this with `--relay {PROXY}`, or set `public_url`"),
        format!("run this with `--relay {}`", scene.url()),
    ]
}

/// Whoever runs it on the server may have left --relay out: nothing is pulled beside what comes already.
#[test]
fn nothing_is_written_beside_a_webhook_that_may_deliver_here() {
    let scene = stock();
    let is_private = |asked: &Asked| asked.body["url"].to_string().contains("127.0.0.1");
    scene
        .label_studio
        .fails(move |asked: &Asked| refuses(asked).filter(|_| is_private(asked)));
    let hook = webhook(3, 1, PROXY, SECRET);
    scene.label_studio.state().webhooks.push(hook);
    let config = scene.place.read("labelrelay.toml");
    let quick = ["--wait", "0s"];
    for words in [&quick[..], &["--plan"], &["--repair"], &["--project", "1"]] {
        let ran = scene.connect(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in beside(&scene) {
            assert!(ran.stdout.contains(&said), "no {said:?} in {ran:?}");
        }
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    assert!(!scene.place.path("label-studio.token").exists());
    assert_eq!(scene.label_studio.changes(), [""; 0]);

    // Of another project, it brings nothing of what is asked for.
    let other = scene.connect(&["--project", "2", "--plan"]);
    assert!(other.good().contains("would be written"), "{other:?}");
    // It is that of another relay.
    let here = scene.url();
    let words = ["--relay", here.as_str()];
    scene.connect(&[&words[..], &quick].concat()).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\n[source.pull]\n"), "{written}");
    let again = scene.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

/// A webhook to which Label Studio refuses to deliver brings nothing, and keeps no pull away.
#[test]
fn a_webhook_that_sends_nothing_keeps_no_pull_away() {
    let scene = stock();
    let hook = webhook(3, 1, PROXY, SECRET);
    scene.label_studio.state().webhooks.push(hook);
    scene.connect(&["--wait", "0s"]).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\n[source.pull]\n"), "{written}");
}

/// Where Label Studio takes private addresses, a second webhook would send each event twice.
#[test]
fn no_second_webhook_is_made_beside_one_that_may_deliver_here() {
    let scene = Scene::new();
    let hook = webhook(3, 1, PROXY, SECRET);
    scene.label_studio.state().webhooks.push(hook);
    for words in [&["--plan"][..], &[], &["--project", "1"]] {
        let ran = scene.connect(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in beside(&scene) {
            assert!(ran.stdout.contains(&said), "no {said:?} in {ran:?}");
        }
    }
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    scene.connect(&["--project", "2"]).good();
    let here = scene.url();
    scene.connect(&["--relay", here.as_str()]).good();
    let again = scene.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

/// Whoever has said that a webhook of all projects is another relay's need not say it each time.
#[test]
fn beside_a_webhook_of_all_projects_it_is_said_once() {
    let scene = Scene::new();
    let mut hook = webhook(3, 1, PROXY, SECRET);
    hook["project"] = Value::Null;
    scene.label_studio.state().webhooks.push(hook);
    assert_eq!(scene.connect(&["--plan"]).code, 1);
    let here = scene.url();
    scene.connect(&["--relay", here.as_str()]).good();
    let again = scene.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}
