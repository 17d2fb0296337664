//! `connect list labelbox`, `--remove` of some projects, and `--repair`.

use super::stand_in::webhook;
use super::{RELAY, Scene, URL};
use crate::support::Ran;
use serde_json::json;

#[test]
fn the_list_says_which_are_ours_and_what_is_wrong_and_shows_no_secret() {
    let scene = Scene::new();
    scene.connect(&["--project", "p1"]).good();
    scene.labelbox.state().webhooks[1]["status"] = "INACTIVE".into();
    let list = |more: &[&str]| -> Ran {
        let words = ["connect", "list", "labelbox", "--relay", RELAY];
        scene.run(&[&words[..], more].concat())
    };
    let table = list(&[]);
    let lines: Vec<&str> = table.good().lines().collect();
    assert_eq!(lines.len(), 3, "{table:?}");
    let other = "no    active    https://…@else.test/hook?…";
    assert!(
        lines[1].starts_with("w1 ") && lines[1].ends_with(other),
        "{table:?}"
    );
    let ours = format!("yes   inactive  {URL}  (inactive)");
    assert!(
        lines[2].starts_with("w7 ") && lines[2].ends_with(&ours),
        "{table:?}"
    );
    let told = &list(&["--json"]).json()[0];
    assert_eq!(told["relay"], URL);
    assert_eq!(told["webhooks"][0]["ours"], false);
    assert_eq!(told["webhooks"][1]["ours"], true);
    assert_eq!(told["webhooks"][1]["project"], "p1");
    assert_eq!(told["webhooks"][1]["flaws"], json!(["inactive"]));
    scene.labelbox.state().webhooks.clear();
    assert!(list(&[]).good().contains(" has no webhooks"));
}

#[test]
fn a_removal_of_some_projects_leaves_the_others() {
    let scene = Scene::new();
    let before = scene.labelbox.webhooks();
    let both = ["--project", "p1", "--project", "p2"];
    scene.connect(&both).good();
    scene.labelbox.changes();
    let some = scene.connect(&["--remove", "--project", "p2"]);
    let said = "project p2: webhook w8 removed";
    assert!(some.good().contains(said), "{some:?}");
    assert_eq!(scene.labelbox.changes(), ["UpdateWebhook"]);
    assert_eq!(scene.one("w7")["status"], "ACTIVE");
    assert_eq!(scene.one("w8")["status"], "INACTIVE");
    let rest = scene.connect(&["--remove"]);
    let said = "project p1: webhook w7 removed";
    assert!(rest.good().contains(said), "{rest:?}");
    assert_eq!(scene.one("w7")["status"], "INACTIVE");
    assert_eq!(scene.labelbox.webhooks()[..1], before);
}

#[test]
fn a_repair_can_be_planned_and_mends_then() {
    let scene = Scene::new();
    let mut revoked = webhook("w3", None, URL);
    revoked["status"] = "REVOKED".into();
    revoked["topics"] = json!(["LABEL_CREATED"]);
    scene.has(revoked);
    let planned = scene.connect(&["--repair", "--plan"]);
    let said = "the organization's webhook w3 would be mended (";
    assert!(planned.good().contains(said), "{planned:?}");
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    let ran = scene.connect(&["--repair"]);
    assert!(ran.good().contains("webhook w3 mended ("), "{ran:?}");
    let mended = scene.one("w3");
    assert_eq!(mended["status"], "ACTIVE");
    assert_eq!(mended["topics"].as_array().unwrap().len(), 4);
    let again = scene.connect(&["--repair"]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}
