//! `labelrelay connect labelbox`, against a stand-in.

mod obstacles;
mod prove;
mod pull_instead;
mod rotation;
pub(super) mod stand_in;
#[cfg(all(feature = "aws", feature = "azure", feature = "google"))]
mod store_rotation;
mod verbs;

use super::stand_in::Fault;
use crate::support::{Place, Ran, configured};
use serde_json::{Value, json};
use stand_in::{KEY, StandIn, operation, webhook};

/// Of the source, as [`configured`] writes it.
const SECRET: &str = "a secret of Labelbox, 27 bytes";

/// A name that is public for all that shows, and that nobody has.
const RELAY: &str = "https://relay.invalid";
const URL: &str = "https://relay.invalid/labelbox";

struct Scene {
    place: Place,
    labelbox: StandIn,
}

impl Scene {
    fn new() -> Self {
        Self {
            place: configured().with("LABELBOX_API_KEY", KEY),
            labelbox: StandIn::start(),
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let common = ["--endpoint", &self.labelbox.endpoint];
        let ran = self.place.run(&[words, &common].concat());
        for secret in [SECRET, KEY, "hidden"] {
            assert!(!format!("{ran:?}").contains(secret), "{ran:?}");
        }
        ran
    }

    fn connect(&self, words: &[&str]) -> Ran {
        self.run(&[&["connect", "labelbox", "--relay", RELAY], words].concat())
    }

    /// Puts a webhook there.
    fn has(&self, webhook: Value) {
        self.labelbox.state().webhooks.push(webhook);
    }

    fn one(&self, id: &str) -> Value {
        let webhooks = self.labelbox.webhooks();
        webhooks.into_iter().find(|hook| hook["id"] == id).unwrap()
    }
}

#[test]
fn a_webhook_is_made_for_the_organization_and_the_second_run_changes_nothing() {
    let scene = Scene::new();
    let before = scene.labelbox.webhooks();
    let ran = scene.connect(&[]);
    for line in [
        "as you@example.org, organization \"Garage\", 2 projects\n",
        "  ok the organization: webhook w7 made\n",
        "labelrelay events tail",
        "These webhooks send v1 payloads",
        "  3. URL https://relay.invalid/labelbox, and as secret what is in file:",
    ] {
        assert!(ran.good().contains(line), "no {line:?} in {ran:?}");
    }
    let offer = format!(
        "nothing that is there already: `labelrelay pull labelbox --endpoint {}` puts",
        scene.labelbox.endpoint
    );
    assert!(ran.stdout.contains(&offer), "no {offer:?} in {ran:?}");
    let made = scene.labelbox.webhooks();
    assert_eq!(made[..1], before, "somebody else's stays as it is");
    let mut expected = webhook("w7", None, URL);
    expected["secret"] = SECRET.into();
    assert_eq!(made[1], expected);
    assert_eq!(scene.labelbox.changes(), ["CreateWebhook"]);

    let again = scene.connect(&[]);
    let said = "the organization's webhook w7 is there already";
    assert!(again.good().contains(said), "{again:?}");
    assert!(again.stdout.contains("nothing to change"), "{again:?}");
    assert!(!again.stdout.contains("puts it on"), "{again:?}");
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    assert_eq!(scene.labelbox.webhooks(), made);
}

#[test]
fn projects_and_topics_are_those_that_were_named() {
    let scene = Scene::new();
    let words = ["--project", "p2", "--topic", "label-created"];
    let ran = scene.connect(&words);
    let said = "project p2 \"Boats\": webhook w7 made";
    assert!(ran.good().contains(said), "{ran:?}");
    let made = scene.one("w7");
    assert_eq!(made["project"], json!({"id": "p2"}));
    assert_eq!(made["topics"], json!(["LABEL_CREATED"]));

    // Without the topic, those that are missing are added.
    let ran = scene.connect(&["--project", "p2"]);
    let said = "project p2: webhook w7 mended (topics missing)";
    assert!(ran.good().contains(said), "{ran:?}");
    assert_eq!(scene.one("w7")["topics"].as_array().unwrap().len(), 4);
    let ran = scene.connect(&words);
    assert!(ran.good().contains("mended (other topics)"), "{ran:?}");
    assert_eq!(scene.one("w7")["topics"], json!(["LABEL_CREATED"]));
    assert!(scene.connect(&words).good().contains("nothing to change"));
}

#[test]
fn faults_that_keep_events_away_are_mended() {
    for (status, flaw) in [
        ("INACTIVE", "inactive"),
        ("REVOKED", "revoked: Labelbox gave up on it"),
    ] {
        let scene = Scene::new();
        let mut asleep = webhook("w3", None, URL);
        asleep["status"] = status.into();
        scene.has(asleep);
        let planned = scene.connect(&["--plan"]);
        let would = format!("the organization's webhook w3 would be mended ({flaw})");
        assert!(planned.good().contains(&would), "{planned:?}");
        assert_eq!(scene.labelbox.changes(), [""; 0]);
        let ran = scene.connect(&[]);
        let mended = format!("webhook w3 mended ({flaw})");
        assert!(ran.good().contains(&mended), "{ran:?}");
        assert!(ran.stderr.contains("Labelbox shows no secret"), "{ran:?}");
        assert_eq!(scene.one("w3")["status"], "ACTIVE");
        assert_eq!(scene.labelbox.changes(), ["UpdateWebhook"]);
    }
}

#[test]
fn one_of_another_scope_is_named_and_left_alone() {
    for (has, words, said) in [
        (
            Some("p1"),
            &[][..],
            "project p1: webhook w3: delivers here already, for project p1 alone",
        ),
        (
            None,
            &["--project", "p1"],
            "the organization's webhook w3: delivers here already, for the whole organization",
        ),
    ] {
        let scene = Scene::new();
        scene.has(webhook("w3", has, URL));
        let before = scene.labelbox.webhooks();
        let ran = scene.connect(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in [said, "run this with --remove, then again", "keep it: "] {
            assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
        }
        assert_eq!(scene.labelbox.webhooks(), before);

        scene.connect(&["--remove"]).good();
        scene.connect(words).good();
        let webhooks = scene.labelbox.webhooks();
        let active = webhooks.iter().filter(|hook| hook["status"] == "ACTIVE");
        assert_eq!(active.count(), 2, "{webhooks:?}");
    }
    // Of another project, it is nobody's business.
    let scene = Scene::new();
    scene.has(webhook("w3", Some("p1"), URL));
    let ran = scene.connect(&["--project", "p2"]);
    assert!(ran.good().contains("\"Boats\": webhook w7 made"), "{ran:?}");
}

#[test]
fn only_ours_are_ended_and_none_comes_back_with_an_old_secret() {
    let scene = Scene::new();
    let before = scene.labelbox.webhooks();
    scene.connect(&[]).good();
    scene.labelbox.changes();
    let planned = scene.connect(&["--remove", "--plan"]);
    assert!(planned.good().contains("webhook w7 would be removed"));
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    let ran = scene.connect(&["--remove"]);
    assert!(ran.good().contains("webhook w7 removed"), "{ran:?}");
    let ended = scene.one("w7");
    assert_eq!(
        (&ended["status"], &ended["url"]),
        (&"INACTIVE".into(), &format!("{URL}/ended").into())
    );
    assert_eq!(scene.labelbox.webhooks()[..1], before);
    let none = scene.connect(&["--remove"]);
    assert!(none.good().contains("nothing to remove"), "{none:?}");

    scene
        .place
        .write("labelbox.secret", "another-secret-of-labelbox");
    let anew = scene.connect(&[]);
    assert!(anew.good().contains("webhook w8 made"), "{anew:?}");
    assert_eq!(scene.one("w8")["secret"], "another-secret-of-labelbox");
    assert_eq!(scene.one("w7"), ended);
}

#[test]
fn a_webhook_whose_answer_is_lost_is_looked_for_and_not_made_twice() {
    let is_creation = |asked: &super::stand_in::Asked| operation(asked) == "CreateWebhook";
    let scene = Scene::new();
    scene
        .labelbox
        .fails(move |asked| is_creation(asked).then_some(Fault::LostAnswer));
    let ran = scene.connect(&[]);
    assert!(ran.good().contains("webhook w7 made"), "{ran:?}");
    assert_eq!(scene.labelbox.changes(), ["CreateWebhook"]);

    for fault in [
        || Fault::LostRequest,
        || Fault::Answer(503, "<html>".to_owned()),
    ] {
        let scene = Scene::new();
        scene
            .labelbox
            .fails(move |asked| is_creation(asked).then(fault));
        let ran = scene.connect(&["--project", "p1"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        let said = "a webhook for project p1 was not made: run it again";
        assert!(ran.stdout.contains(said), "{ran:?}");
        assert_eq!(scene.labelbox.webhooks().len(), 1);
    }
}

#[test]
fn a_plan_changes_nothing_and_programs_are_told_the_same() {
    let scene = Scene::new();
    let planned = scene.connect(&["--plan", "--json"]);
    planned.good();
    let told = &planned.json()[0];
    assert_eq!(told["ok"], true);
    assert_eq!(told["plan"], true);
    assert_eq!(told["user"], "you@example.org");
    assert_eq!(told["organization"], "Garage");
    assert_eq!(told["relay"], URL);
    let expected = json!([{"project": null, "action": "made"}]);
    assert_eq!(told["webhooks"], expected);
    assert_eq!(scene.labelbox.changes(), [""; 0]);

    let words = ["--json", "--project", "p1", "--project", "p2"];
    let expected = json!([
        {"id": "w7", "project": "p1", "action": "made"},
        {"id": "w8", "project": "p2", "action": "made"},
    ]);
    assert_eq!(scene.connect(&words).json()[0]["webhooks"], expected);
    let again = scene.connect(&words);
    assert_eq!(again.json()[0]["webhooks"][0]["action"], "unchanged");
}

#[test]
fn long_lists_are_read_to_their_end() {
    let scene = Scene::new();
    for number in 100..350 {
        let (id, url) = (format!("w{number}"), format!("https://else.test/{number}"));
        let project = (number % 2 == 0).then_some("p1");
        scene.has(webhook(&id, project, &url));
    }
    scene.has(webhook("last", Some("p1"), URL));
    let list = ["connect", "list", "labelbox", "--relay", RELAY];
    let table = scene.run(&list);
    assert_eq!(table.good().lines().count(), 1 + 1 + 250 + 1);
    let told = &scene.run(&[&list[..], &["--json"]].concat()).json()[0];
    let webhooks = told["webhooks"].as_array().unwrap();
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| hook["ours"] == true)
        .collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(
        (&ours[0]["id"], &ours[0]["project"]),
        (&"last".into(), &"p1".into())
    );
    let ran = scene.connect(&["--project", "p1"]);
    assert!(
        ran.good().contains("webhook last is there already"),
        "{ran:?}"
    );
}
