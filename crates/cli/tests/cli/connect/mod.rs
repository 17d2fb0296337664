//! `labelrelay connect`, against a stand-in for Label Studio. The real one is in `tests/e2e`.

mod beside_others;
mod configured;
mod labelbox;
mod new_secret;
mod obstacle_table;
mod obstacles;
mod proxy;
mod pull_instead;
mod repair;
mod rotation;
mod silence;
pub(crate) mod stand_in;
mod status;

use crate::support::{Place, Ran, Serving, patient};
#[cfg(unix)]
use crate::terminal_device::Terminal;
use serde_json::{Value, json};
use stand_in::{FIRST_MADE, Fault, StandIn, TOKEN, webhook};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Of the source, as [`configured`] writes it.
const SECRET: &str = "a-secret-of-label-studio";

/// A relay that runs, beside a Label Studio.
struct Scene {
    place: Place,
    serving: Serving,
    label_studio: StandIn,
}

impl Scene {
    fn new() -> Self {
        let place = patient().with("LABEL_STUDIO_API_KEY", TOKEN);
        let serving = place.serve(&[]);
        Self {
            place,
            serving,
            label_studio: StandIn::start(),
        }
    }

    fn url(&self) -> String {
        self.serving.url("label-studio")
    }

    fn connect(&self, words: &[&str]) -> Ran {
        let all = [&["connect", "label-studio", &self.label_studio.url], words].concat();
        shows_no_secret(self.place.run(&all))
    }
}

fn shows_no_secret(ran: Ran) -> Ran {
    for secret in [SECRET, TOKEN, "hidden"] {
        assert!(!format!("{ran:?}").contains(secret), "{ran:?}");
    }
    ran
}

fn without_id(webhook: &Value) -> Value {
    let mut webhook = webhook.clone();
    webhook.as_object_mut().unwrap().remove("id");
    webhook
}

#[test]
fn a_webhook_is_made_for_each_project_and_the_second_run_changes_nothing() {
    let scene = Scene::new();
    let before = scene.label_studio.webhooks();
    let ran = scene.connect(&[]);
    let stdout = ran.good();
    for line in [
        format!(
            "  ok Label Studio 1.23.2 at {} as you@example.org, 2 projects\n",
            scene.label_studio.url
        ),
        format!(
            "  ok the relay is ready: {}\n",
            scene.serving.url("-/ready")
        ),
        format!("  ok Label Studio takes webhooks to {}\n", scene.url()),
        "  ok project 1 \"Cars\": webhook 7 made\n".to_owned(),
        "  ok project 2 \"Boats\": webhook 8 made\n".to_owned(),
        "labelrelay events tail".to_owned(),
    ] {
        assert!(stdout.contains(&line), "no {line:?} in {stdout}");
    }
    let made = scene.label_studio.webhooks();
    assert_eq!(made[..1], before, "somebody else's stays as it is");
    for (webhook, project) in made[1..].iter().zip([1, 2]) {
        let expected = json!({
            "project": project, "url": scene.url(), "is_active": true, "send_payload": true,
            "send_for_all_actions": true, "actions": [],
            "headers": {"Authorization": format!("Bearer {SECRET}")},
        });
        assert_eq!(without_id(webhook), expected);
    }
    let posts = ["POST /api/webhooks/", "POST /api/webhooks/"];
    assert_eq!(scene.label_studio.changes(), posts);

    let again = scene.connect(&[]);
    for words in [
        "project 1 \"Cars\": webhook 7 is there already",
        "project 2 \"Boats\": webhook 8 is there already",
        "nothing to change",
    ] {
        assert!(again.good().contains(words), "{words}: {again:?}");
    }
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    assert_eq!(scene.label_studio.webhooks(), made);
}

#[test]
fn faults_that_keep_events_away_are_mended_and_a_users_own_settings_stay() {
    let scene = Scene::new();
    let broken = {
        let mut broken = webhook(3, 1, &scene.url(), "another");
        broken["is_active"] = false.into();
        broken["send_payload"] = false.into();
        broken["send_for_all_actions"] = false.into();
        broken["actions"] = json!(["TASKS_CREATED"]);
        broken["headers"]["X-More"] = "1".into();
        broken
    };
    let flaws = "inactive, another value in its header, no payload, not all actions";
    scene.label_studio.state().webhooks.push(broken.clone());
    let planned = scene.connect(&["--plan", "--project", "1"]);
    let would = format!("project 1 \"One\": webhook 3 would be mended ({flaws})");
    assert!(planned.good().contains(&would), "{planned:?}");
    assert!(planned.stdout.contains("leave out --plan"), "{planned:?}");
    assert_eq!(scene.label_studio.changes(), [""; 0]);

    let ran = scene.connect(&["--project", "1"]);
    let mended = format!("webhook 3 mended ({flaws})");
    assert!(ran.good().contains(&mended), "{ran:?}");
    assert_eq!(scene.label_studio.changes(), ["PATCH /api/webhooks/3/"]);
    let mut expected = webhook(3, 1, &scene.url(), SECRET);
    expected["actions"] = json!(["TASKS_CREATED"]);
    expected["headers"]["X-More"] = "1".into();
    assert_eq!(scene.label_studio.webhooks()[1], expected);
    let again = scene.connect(&["--project", "1"]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

#[test]
fn what_is_there_already_is_offered_once() {
    let scene = Scene::new();
    for (project, id) in [(1, 1), (1, 2), (2, 3)] {
        let task = json!({"id": id, "created_at": "2026-11-01T00:00:00Z", "annotations": []});
        scene.label_studio.state().tasks.push((project, task));
    }
    let planned = scene.connect(&["--plan"]);
    assert!(!planned.good().contains("there already"), "{planned:?}");
    let ran = scene.connect(&[]);
    let offer = format!(
        "nothing that is there already (3 tasks and annotations): `labelrelay pull label-studio --url {}` puts",
        scene.label_studio.url
    );
    assert!(ran.good().contains(&offer), "no {offer:?} in {ran:?}");
    // Whoever has the webhooks was told.
    let again = scene.connect(&[]);
    assert!(!again.good().contains("puts it on"), "{again:?}");
}

#[test]
fn one_of_the_organization_stands_for_all_projects() {
    let scene = Scene::new();
    let mut whole = webhook(5, 0, &scene.url(), SECRET);
    whole["project"] = Value::Null;
    scene.label_studio.state().webhooks.push(whole);
    let ran = scene.connect(&[]);
    let stdout = ran.good();
    assert!(
        stdout.contains("the organization's webhook 5 is there"),
        "{ran:?}"
    );
    assert!(
        stdout.contains("\"Cars\": the organization's webhook 5 sends"),
        "{ran:?}"
    );
    assert_eq!(scene.label_studio.changes(), [""; 0]);
}

#[test]
fn a_plan_changes_nothing_and_programs_are_told_the_same() {
    let scene = Scene::new();
    let planned = scene.connect(&["--plan", "--json"]);
    planned.good();
    let told = &planned.json()[0];
    assert_eq!(told["ok"], true);
    assert_eq!(told["plan"], true);
    assert_eq!(told["version"], "1.23.2");
    assert_eq!(told["user"], "you@example.org");
    assert_eq!(told["relay"], scene.url());
    let expected = json!([{"project": 1, "action": "made"}, {"project": 2, "action": "made"}]);
    assert_eq!(told["webhooks"], expected);
    assert_eq!(scene.label_studio.changes(), [""; 0]);

    let done = scene.connect(&["--json"]);
    let expected = json!([
        {"id": 7, "project": 1, "action": "made"}, {"id": 8, "project": 2, "action": "made"},
    ]);
    assert_eq!(done.json()[0]["webhooks"], expected);
    let steps = done.json()[0]["steps"].as_array().unwrap().len();
    assert_eq!(steps, 5, "{done:?}");
    let again = scene.connect(&["--json"]);
    assert_eq!(again.json()[0]["webhooks"][0]["action"], "unchanged");

    let removal = scene.connect(&["--remove", "--plan"]);
    assert!(
        removal
            .good()
            .contains("project 1: webhook 7 would be removed")
    );
    assert_eq!(scene.label_studio.webhooks().len(), 3);
}

#[test]
fn only_ours_are_removed() {
    let scene = Scene::new();
    let before = scene.label_studio.webhooks();
    scene.connect(&[]).good();
    scene.label_studio.changes();
    let some = scene.connect(&["--remove", "--project", "2"]);
    assert!(
        some.good().contains("project 2: webhook 8 removed"),
        "{some:?}"
    );
    assert_eq!(scene.label_studio.changes(), ["DELETE /api/webhooks/8/"]);
    // A webhook that is gone at the second request, because the answer to the first was lost, was removed.
    let is_lost = AtomicBool::new(true);
    scene.label_studio.fails(move |asked| {
        let is_first = asked.method == "DELETE" && is_lost.swap(false, Relaxed);
        is_first.then_some(Fault::LostAnswer)
    });
    let rest = scene.connect(&["--remove"]);
    assert!(
        rest.good().contains("project 1: webhook 7 removed"),
        "{rest:?}"
    );
    assert_eq!(scene.label_studio.webhooks(), before);
    let none = scene.connect(&["--remove"]);
    assert!(none.good().contains("nothing to remove"), "{none:?}");
    assert_eq!(scene.label_studio.webhooks(), before);
}

#[test]
fn a_webhook_whose_answer_is_lost_is_looked_for_and_not_made_twice() {
    let scene = Scene::new();
    scene
        .label_studio
        .fails(|asked| asked.makes_webhook().then_some(Fault::LostAnswer));
    let ran = scene.connect(&[]);
    assert!(ran.good().contains("webhook 7 made"), "{ran:?}");
    assert_eq!(scene.label_studio.webhooks().len(), 3);
    let posts = ["POST /api/webhooks/", "POST /api/webhooks/"];
    assert_eq!(scene.label_studio.changes(), posts);

    let scene = Scene::new();
    scene
        .label_studio
        .fails(|asked| asked.makes_webhook().then_some(Fault::LostRequest));
    let ran = scene.connect(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = "a webhook for project 1 was not made: run it again";
    assert!(ran.stdout.contains(said), "{ran:?}");
    assert_eq!(scene.label_studio.webhooks().len(), 1);
}

#[test]
fn the_list_says_which_are_ours_and_shows_no_secret() {
    let scene = Scene::new();
    scene.connect(&["--project", "1"]).good();
    scene.label_studio.state().webhooks[1]["is_active"] = false.into();
    let list = |words: &[&str]| {
        let url = scene.label_studio.url.as_str();
        let all = [&["connect", "list", "label-studio", url], words].concat();
        shows_no_secret(scene.place.run(&all))
    };
    let table = list(&[]);
    let lines: Vec<&str> = table.good().lines().collect();
    assert_eq!(lines.len(), 3, "{table:?}");
    assert!(
        lines[1].ends_with("no    active    http://…@else.test/hook?…"),
        "{table:?}"
    );
    let ours = format!("yes   inactive  {}  (inactive)", scene.url());
    assert!(lines[2].ends_with(&ours), "{table:?}");
    let told = &list(&["--json"]).json()[0];
    assert_eq!(told["webhooks"][0]["ours"], false);
    assert_eq!(told["webhooks"][1]["ours"], true);
    assert_eq!(told["webhooks"][1]["flaws"], json!(["inactive"]));
}

#[test]
fn a_probe_sends_an_event_through_label_studio_and_leaves_nothing() {
    let scene = Scene::new();
    let ran = scene.connect(&["--probe"]);
    assert!(
        ran.good()
            .contains("probe: an event was in the queue after"),
        "{ran:?}"
    );
    let nothing_is_left = || {
        let state = scene.label_studio.state();
        assert_eq!(state.projects.len(), 2);
        assert!(
            state
                .webhooks
                .iter()
                .all(|hook| hook["project"] != FIRST_MADE)
        );
    };
    nothing_is_left();
    let events = scene.place.run(&["events", "list"]);
    assert!(
        events.good().contains("io.labelstud.project.updated"),
        "{events:?}"
    );

    scene.label_studio.fails(|asked| {
        let is_probe_s = asked.makes_webhook() && asked.body["project"] == FIRST_MADE;
        let refusal = json!({"detail": "You do not have permission."}).to_string();
        is_probe_s.then_some(Fault::Answer(403, refusal))
    });
    let failed = scene.connect(&["--probe"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("-- probe: "), "{failed:?}");
    nothing_is_left();
}

#[cfg(unix)]
#[test]
fn a_terminal_is_shown_marks_where_it_can_and_titles_that_it_does_not_obey() {
    for (locale, mark) in [("C.UTF-8", "✓"), ("C", "ok")] {
        let scene = Scene::new();
        let title = "C\u{1b}[31m\nars";
        title.clone_into(&mut scene.label_studio.state().projects[0].1);
        let url = scene.label_studio.url.as_str();
        let mut command = scene
            .place
            .command(&["connect", "label-studio", url, "--plan"]);
        command.env("LANG", locale);
        let shown = String::from_utf8(Terminal::open().run(command)).unwrap();
        let line =
            format!("  {mark} project 1 \"C\\u{{1b}}[31m\\nars\": a webhook would be made\n");
        assert!(shown.contains(&line), "{shown:?}");
    }
}
