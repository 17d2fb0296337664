//! `labelrelay connect labelbox` and Labelbox's own client against one stand-in: webhooks made by the one are listed,
//! changed and ended by the other.

use labelrelay_tests::program;
use labelrelay_tests::relay::{SECRET, Site, secrets};
use labelrelay_tests::servers::{API_KEY, Labelbox};
use serde_json::{Value, json};
use std::process::Stdio;

/// A name that is public for all that shows, and that nobody has.
const RELAY: &str = "https://relay.invalid";
const URL: &str = "https://relay.invalid/labelbox";

struct Scene {
    site: Site,
    labelbox: Labelbox,
}

impl Scene {
    fn new() -> Self {
        let labelbox = Labelbox::start();
        let row = |project: &str| {
            format!(r#"{{"data_row":{{"id":"r"}},"projects":{{"{project}":{{"labels":[]}}}}}}"#)
        };
        labelbox.set_rows(&[row("first"), row("second")]);
        let site = Site::new();
        Self { site, labelbox }
    }

    /// Runs it; its exit code, and what it said.
    fn connect(&self, words: &[&str]) -> (i32, String) {
        let output = program::command()
            .arg("connect")
            .args(words)
            .args(["--relay", RELAY, "--endpoint", &self.labelbox.endpoint()])
            .arg("--config")
            .arg(self.site.config())
            .envs(secrets())
            .env("LABELRELAY_QUEUE", self.site.queue_url())
            .env("LABELBOX_API_KEY", API_KEY)
            .current_dir(self.site.folder())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for secret in [SECRET, API_KEY] {
            assert!(!text.contains(secret), "{text}");
        }
        (output.status.code().unwrap(), text)
    }

    #[track_caller]
    fn says(&self, code: i32, words: &[&str], said: &str) {
        let (ended, text) = self.connect(words);
        assert_eq!(ended, code, "{text}");
        assert!(text.contains(said), "no {said:?} in {text}");
    }

    /// Webhooks that Labelbox's own client sees of a project, or of the organization.
    fn seen(&self, project: &str) -> Vec<Value> {
        self.labelbox.own_webhooks(&["list", project])
    }

    /// The id of the newest webhook.
    fn newest(&self) -> String {
        let held = self.labelbox.own_webhooks(&["held"]);
        held.last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn held(&self, id: &str) -> Value {
        let held = self.labelbox.own_webhooks(&["held"]);
        held.into_iter().find(|hook| hook["id"] == id).unwrap()
    }
}

#[test]
#[ignore = "needs Labelbox's own client: run it with `cargo xtask e2e connect`"]
fn labelboxs_client_lists_updates_and_ends_our_webhooks() {
    let _machine = crate::beside_others();
    let scene = Scene::new();
    let all = "LABEL_CREATED,LABEL_UPDATED,LABEL_DELETED,WORKFLOW_ACTION";
    let topics: Vec<_> = all.split(',').collect();
    scene.says(0, &["labelbox", "--plan"], "a webhook would be made");
    assert!(scene.seen("").is_empty());
    scene.says(0, &["labelbox"], "the organization: webhook webhook");
    let id = scene.newest();
    let expected = json!({"uid": id, "url": URL, "topics": topics, "status": "ACTIVE"});
    assert_eq!(scene.seen(""), [expected]);
    let held = scene.held(&id);
    assert_eq!(
        (&held["secret"], &held["project"]),
        (&SECRET.into(), &Value::Null)
    );
    scene.says(0, &["labelbox"], "nothing to change");

    let own = |words: &[&str]| scene.labelbox.own_webhooks(words);
    own(&["update", &id, "topics", "LABEL_DELETED"]);
    scene.says(0, &["labelbox"], "mended (topics missing)");
    own(&["delete", &id]);
    assert_eq!(scene.held(&id)["status"], "INACTIVE");
    scene.says(0, &["labelbox"], "mended (inactive)");
    own(&["update", &id, "status", "REVOKED"]);
    scene.says(0, &["labelbox"], "mended (revoked: Labelbox gave up on it)");
    let mended = scene.held(&id);
    assert_eq!(mended["status"], "ACTIVE");
    assert_eq!(mended["topics"].as_array().unwrap().len(), 4);

    scene.says(0, &["labelbox", "--remove"], "removed");
    let ended = &scene.seen("")[0];
    let url = format!("{URL}/ended");
    assert_eq!(
        (&ended["status"], &ended["url"]),
        (&"INACTIVE".into(), &url.into())
    );
    scene.says(0, &["labelbox", "--remove"], "nothing to remove");
    scene.says(0, &["labelbox"], "made");
    assert_ne!(scene.newest(), id, "an ended one does not come back");
}

#[test]
#[ignore = "needs Labelbox's own client: run it with `cargo xtask e2e connect`"]
fn we_list_mend_and_end_webhooks_of_labelboxs_client() {
    let _machine = crate::beside_others();
    let scene = Scene::new();
    let own = |words: &[&str]| scene.labelbox.own_webhooks(words);
    own(&[
        "create",
        "https://else.invalid/x",
        "another",
        "",
        "LABEL_CREATED",
    ]);
    let others = scene.held(&scene.newest());
    own(&["create", URL, SECRET, "first", "LABEL_CREATED"]);
    let first = scene.newest();

    scene.says(1, &["labelbox"], "for project first alone");
    let only = ["labelbox", "--project", "first", "--topic", "LABEL_CREATED"];
    scene.says(0, &only, "nothing to change");
    let both = ["labelbox", "--project", "first", "--project", "second"];
    scene.says(0, &both, "mended (topics missing)");
    assert_eq!(
        scene.seen("first")[0]["topics"].as_array().unwrap().len(),
        4
    );
    let second = scene.seen("second");
    assert_eq!((second.len(), &second[0]["url"]), (1, &URL.into()));
    let (_, listed) = scene.connect(&["list", "labelbox"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 4, "{listed}");
    let ours = lines.iter().filter(|line| line.contains("  yes   active "));
    assert_eq!(ours.count(), 2, "{listed}");

    scene.says(0, &["labelbox", "--remove"], "project second: webhook ");
    assert_eq!(scene.held(&first)["status"], "INACTIVE");
    let id = others["id"].as_str().unwrap();
    assert_eq!(scene.held(id), others, "somebody else's stays as it is");

    scene.says(
        1,
        &["labelbox", "--project", "third"],
        "project third is not there",
    );
    let topic = ["labelbox", "--topic", "REVIEW_CREATED"];
    scene.says(1, &topic, "value REVIEW_CREATED does not exist in enum");
}
