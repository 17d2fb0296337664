//! `labelrelay connect` without a platform: what the sections `[source.webhook]` say.

use super::labelbox::stand_in::{KEY, StandIn as Labelbox};
use super::stand_in::{StandIn as LabelStudio, TOKEN};
use crate::support::{Place, Ran, Serving, configured};
use serde_json::{Value, json};

struct Scene {
    place: Place,
    _serving: Serving,
    label_studio: LabelStudio,
    labelbox: Labelbox,
}

impl Scene {
    /// The sources of [`configured`], each with a section. `more` stands in the one of Label Studio.
    fn new(more: &str) -> Self {
        let (label_studio, labelbox) = (LabelStudio::start(), Labelbox::start());
        let place = configured().with("LABELBOX_API_KEY", KEY);
        let token = place.write("studio.token", TOKEN);
        let text = place.read("labelrelay.toml");
        let text = below(
            &text,
            "label-studio",
            &format!(
                "[source.webhook]\nurl = \"{}\"\ntoken = \"file:{}\"\n{more}",
                label_studio.url,
                token.display()
            ),
        );
        let text = below(
            &text,
            "labelbox",
            &format!(
                "[source.webhook]\nurl = \"{}\"\nrelay = \"https://relay.invalid\"\ntopics = [\"LABEL_CREATED\"]\n",
                labelbox.endpoint
            ),
        );
        place.write("labelrelay.toml", text);
        Self {
            _serving: place.serve(&[]),
            place,
            label_studio,
            labelbox,
        }
    }

    fn connect(&self, words: &[&str]) -> Ran {
        self.place.run(&[&["connect"], words].concat())
    }

    fn of_labelbox(&self) -> Vec<Value> {
        let all = self.labelbox.webhooks().into_iter();
        all.filter(|hook| hook["url"] == "https://relay.invalid/labelbox")
            .collect()
    }
}

/// `text`, with `section` at the end of the source of this name.
fn below(text: &str, name: &str, section: &str) -> String {
    let at = text.find(&format!("name = \"{name}\"")).unwrap();
    let end = text[at..]
        .find("\n[")
        .map_or(text.len(), |length| at + length + 1);
    let (before, after) = text.split_at(end);
    format!("{before}\n{section}\n{after}")
}

#[test]
fn applied_twice_it_changes_nothing_the_second_time() {
    let scene = Scene::new("projects = [2]\n");
    let planned = scene.connect(&["--plan"]);
    for words in [
        "source `labelbox`:\n",
        "the organization: a webhook would be made",
        "source `label-studio`:\n",
        "project 2 \"One\": a webhook would be made",
    ] {
        assert!(planned.good().contains(words), "{words}: {planned:?}");
    }
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    assert_eq!(scene.of_labelbox(), [Value::Null; 0]);

    let ran = scene.connect(&["--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = ran.json();
    let sources: Vec<_> = said.iter().map(|one| &one["source"]).collect();
    assert_eq!(sources, ["labelbox", "label-studio"]);
    assert_eq!(scene.label_studio.changes(), ["POST /api/webhooks/"]);
    assert_eq!(scene.label_studio.webhooks()[1]["project"], 2);
    let [made] = &scene.of_labelbox()[..] else {
        panic!("{:?}", scene.of_labelbox());
    };
    assert_eq!(made["project"], Value::Null);
    assert_eq!(made["topics"], json!(["LABEL_CREATED"]));

    let before = (scene.label_studio.webhooks(), scene.labelbox.webhooks());
    let again = scene.connect(&[]);
    assert_eq!(
        again.good().matches("nothing to change").count(),
        2,
        "{again:?}"
    );
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    let after = (scene.label_studio.webhooks(), scene.labelbox.webhooks());
    assert_eq!(before, after);
    assert!(!format!("{ran:?}{again:?}").contains(TOKEN));
}

#[test]
fn where_no_webhook_can_work_a_pull_is_written_for_the_same_projects() {
    let scene = Scene::new("projects = [2]\n");
    scene.label_studio.fails(super::repair::refuses);
    let ran = scene.connect(&["--wait", "0s"]);
    let said = "[source.pull] written below the source `label-studio`";
    assert!(ran.good().contains(said), "{ran:?}");
    let written = scene.place.read("labelrelay.toml");
    let (_, section) = written.split_once("\n[source.pull]\n").unwrap();
    let (section, _) = section.split_once("\n[").unwrap();
    assert!(section.contains("token = \"file:"), "{written}");
    assert!(section.contains("projects = [2]\n"), "{written}");
    // Its token has a place already.
    assert!(!scene.place.path("label-studio.token").exists());
    let again = scene.connect(&[]);
    let unchanged = again.good().matches("nothing to change").count();
    assert_eq!(unchanged, 2, "{again:?}");
    assert_eq!(scene.place.read("labelrelay.toml"), written);
}

#[test]
fn differences_are_mended_and_webhooks_of_others_stay() {
    let scene = Scene::new("actions = [\"ANNOTATION_CREATED\"]\npayload = false\nprojects = [2]\n");
    let others = (scene.label_studio.webhooks(), scene.labelbox.webhooks());
    scene.connect(&[]).good();
    let made = scene.label_studio.webhooks().pop().unwrap();
    assert_eq!(made["actions"], json!(["ANNOTATION_CREATED"]));
    assert_eq!(made["send_for_all_actions"], false);
    assert_eq!(made["send_payload"], false);
    // The verb of the platform, `status` and the list go by the section as well.
    let verb = scene.connect(&["label-studio"]);
    assert!(verb.good().contains("nothing to change"), "{verb:?}");
    let verb = scene.connect(&["labelbox"]);
    assert!(verb.good().contains("nothing to change"), "{verb:?}");
    let status = scene.place.run(&["status"]);
    assert!(
        status.good().contains("1 of 1 projects deliver"),
        "{status:?}"
    );
    assert!(!status.stderr.contains("webhook"), "{status:?}");
    let list = scene.connect(&["list", "label-studio", "--json"]);
    assert!(list.json()[0]["webhooks"][1]["flaws"].is_null(), "{list:?}");

    scene.label_studio.state().webhooks[1]["actions"] = json!(["TASKS_CREATED"]);
    scene.label_studio.state().webhooks[1]["is_active"] = false.into();
    for webhook in &mut scene.labelbox.state().webhooks {
        if webhook["url"] == "https://relay.invalid/labelbox" {
            webhook["topics"] = json!(["LABEL_DELETED"]);
        }
    }
    scene.label_studio.changes();
    let mended = scene.connect(&[]);
    for words in ["mended (inactive, other actions)", "mended (other topics)"] {
        assert!(mended.good().contains(words), "{words}: {mended:?}");
    }
    assert_eq!(scene.label_studio.changes(), ["PATCH /api/webhooks/7/"]);
    assert_eq!(scene.label_studio.webhooks()[1], made);
    assert_eq!(scene.label_studio.webhooks()[..1], others.0);
    assert_eq!(scene.labelbox.webhooks()[..1], others.1);
}

#[test]
fn the_command_that_status_prints_mends_its_finding_on_labelbox() {
    let scene = Scene::new("");
    scene.connect(&[]).good();
    let spoilt: [(&str, &str, Value); 4] = [
        ("(inactive)", "status", "INACTIVE".into()),
        ("(revoked: ", "status", "REVOKED".into()),
        ("(other topics)", "topics", json!(["LABEL_DELETED"])),
        (
            "no webhook delivers the events of the organization",
            "url",
            "https://else.test".into(),
        ),
    ];
    for (said, member, value) in spoilt {
        scene.labelbox.state().webhooks[1][member] = value;
        let found = scene.place.run(&["status"]);
        let cure = "`labelrelay connect labelbox --repair` ";
        found.failed(0, &[said, cure]);
        let line = "the organization does not deliver to https://relay.invalid/labelbox";
        assert!(found.stdout.contains(line), "{found:?}");
        scene.connect(&["labelbox", "--repair"]).good();
        let ran = scene.place.run(&["status"]);
        let line = "the organization delivers to https://relay.invalid/labelbox";
        assert!(ran.good().contains(line), "{said}: {ran:?}");
        assert!(!ran.stderr.contains("webhook"), "{said}: {ran:?}");
    }
}

/// A pull from Labelbox brings no deletions and no workflow actions, so it takes the place of no webhook that can work.
#[test]
fn a_webhook_that_is_missing_on_labelbox_is_told_beside_a_pull() {
    let scene = Scene::new("");
    scene.connect(&[]).good();
    let pull = format!(
        "[source.pull]\nevery = \"1h\"\nurl = \"{}\"\ntoken = \"env:LABELBOX_API_KEY\"\n",
        scene.labelbox.endpoint
    );
    let text = scene.place.read("labelrelay.toml");
    let text = below(&text, "labelbox", &pull);
    scene.place.write("labelrelay.toml", &text);
    scene.labelbox.state().webhooks[1]["url"] = "https://else.test".into();
    let said = "no webhook delivers the events of the organization";
    let found = scene.place.run(&["status"]);
    found.failed(0, &[said]);
    let line = "does not deliver to https://relay.invalid/labelbox; `serve` pulls besides";
    assert!(found.stdout.contains(line), "{found:?}");

    let private = text.replace("https://relay.invalid", "https://relay");
    scene.place.write("labelrelay.toml", private);
    let pulled = scene.place.run(&["status"]);
    let line = "which Labelbox cannot reach; `serve` pulls instead";
    assert!(pulled.good().contains(line), "{pulled:?}");
    assert!(!pulled.stderr.contains(said), "{pulled:?}");
}

#[test]
fn one_platform_that_fails_keeps_no_other_from_its_turn() {
    let scene = Scene::new("");
    scene.labelbox.state().webhooks.clear();
    scene.place.write("studio.token", "another");
    let ran = scene.connect(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    ran.failed(1, &["source `label-studio`: not all is done"]);
    assert_eq!(scene.of_labelbox().len(), 1);
}

#[test]
fn faults_are_named() {
    let place = configured();
    let none = place.run(&["connect"]);
    none.failed(2, &["labelrelay connect label-studio", "[source.webhook]"]);
    let text = place.read("labelrelay.toml");
    for (line, words) in [
        (
            "topics = [\"LABEL_CREATED\"]",
            "source.label-studio.webhook.topics",
        ),
        (
            "projects = [\"cars\"]",
            "source.label-studio.webhook.projects",
        ),
        (
            "projects = [\"+1\"]",
            "source.label-studio.webhook.projects",
        ),
        (
            "actions = [\"annotation\"]",
            "source.label-studio.webhook.actions",
        ),
        ("actions = []", "source.label-studio.webhook.actions"),
        (
            "url = \"http://u:p@host\"",
            "source.label-studio.webhook.url",
        ),
        ("relay = \"\"", "source.label-studio.webhook.relay"),
        ("project = [1]", "unknown field `project`"),
    ] {
        let section = format!("[source.webhook]\n{line}\n");
        place.write("labelrelay.toml", below(&text, "label-studio", &section));
        let ran = place.run(&["connect"]);
        ran.failed(78, &[words]);
        assert!(!ran.stderr.contains("u:p"), "{ran:?}");
    }
    for (line, words) in [
        ("payload = true", "source.labelbox.webhook.payload"),
        ("actions = [\"A\"]", "source.labelbox.webhook.actions"),
        ("topics = [\"a b\"]", "source.labelbox.webhook.topics"),
    ] {
        let section = format!("[source.webhook]\n{line}\n");
        place.write("labelrelay.toml", below(&text, "labelbox", &section));
        place.run(&["connect"]).failed(78, &[words]);
    }
    let flags = place.run(&["connect", "--plan", "label-studio"]);
    assert_eq!(flags.code, 2, "{flags:?}");
    assert_eq!(json!(flags.stdout), "");
}
