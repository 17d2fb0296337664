//! Where Label Studio takes no webhook to the relay, its events come all the same: `connect` lets the `serve` that runs
//! pull, and waits for the first one.

use super::obstacles::detail;
use super::repair::refuses;
use super::stand_in::{Asked, Fault, StandIn, TOKEN};
use super::{Scene, shows_no_secret};
#[cfg(unix)]
use crate::support::mode;
use crate::support::{Place, Ran, configured, until};
use serde_json::{Value, json};

/// A task with one annotation, as the API shows it.
fn task(id: u64, annotation: u64) -> Value {
    let time = "2026-11-25T22:50:00.000001Z";
    let held = json!({
        "id": annotation, "task": id, "project": 1, "created_at": time, "updated_at": time, "result": [],
    });
    json!({
        "id": id, "project": 1, "created_at": time, "updated_at": time, "data": {},
        "is_labeled": true, "overlap": 1, "total_annotations": 1, "cancelled_annotations": 0,
        "annotations": [held], "annotations_ids": annotation.to_string(),
    })
}

/// A stock Label Studio, with one task and one annotation in the project "Cars".
pub(super) fn stock() -> Scene {
    let scene = Scene::new();
    scene.label_studio.fails(refuses);
    scene.label_studio.state().tasks.push((1, task(1, 17)));
    scene
}

fn subjects(place: &Place) -> Vec<String> {
    let listed = place.run(&["events", "list", "--json"]);
    listed.good();
    let subject = |event: &Value| event["subject"].as_str().unwrap().to_owned();
    listed.json().iter().map(subject).collect()
}

/// The lines of stdout that begin with a mark.
fn steps(ran: &Ran) -> Vec<&str> {
    let is_step = |line: &&str| line.starts_with("  ok ") || line.starts_with("  -- ");
    ran.stdout.lines().filter(is_step).collect()
}

#[test]
fn the_first_event_comes_without_a_webhook_and_without_another_start() {
    let scene = stock();
    let config = scene.place.read("labelrelay.toml");
    let webhooks = scene.label_studio.webhooks();

    let planned = scene.connect(&["--plan"]);
    for said in [
        "  -- push refused: Label Studio refuses to deliver to ",
        "  ok the token would be put into ",
        "[source.pull] would be written below the source `label-studio` in labelrelay.toml",
        "`serve` would pull every 10 s instead (same events)",
        "nothing was changed",
    ] {
        assert!(planned.good().contains(said), "no {said:?} in {planned:?}");
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    assert!(!scene.place.path("label-studio.token").exists());

    let ran = scene.connect(&[]);
    ran.good();
    let steps = steps(&ran);
    let at = |begin: &str| {
        let found = steps.iter().position(|step| step.starts_with(begin));
        found.unwrap_or_else(|| panic!("no {begin:?} in {ran:?}"))
    };
    let order = [
        at("  -- push refused: Label Studio refuses to deliver to "),
        at("  ok the token put into "),
        at("  ok no webhook can work; [source.pull] written below the source `label-studio`"),
        at(
            "  ok pulling every 10 s instead (same events); 2 existing tasks and annotations queued",
        ),
        at("  ok first event after "),
    ];
    assert!(order.is_sorted(), "{ran:?}");
    assert!(steps[order[0]].contains("SSRF_PROTECTION_ENABLED=false"));
    assert!(
        steps[order[4]].ends_with(" 1, project \"Cars\"")
            || steps[order[4]].ends_with(" 17, project \"Cars\""),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("To see the first event"), "{ran:?}");

    let section = format!(
        "\n[source.pull]\nevery = \"10s\"\nurl = \"{}\"\ntoken = \"file:label-studio.token\"\n",
        scene.label_studio.url
    );
    let written = scene.place.read("labelrelay.toml");
    assert_eq!(written, format!("{config}{section}"));
    assert_eq!(scene.place.read("label-studio.token"), TOKEN);
    #[cfg(unix)]
    assert_eq!(mode(&scene.place.path("label-studio.token")), 0o600);
    let mut came = subjects(&scene.place);
    came.sort();
    assert_eq!(came, ["annotation/17", "task/1"]);
    assert_eq!(scene.label_studio.webhooks(), webhooks);
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    let log = scene.place.logged(&["taken up", "looked through"]);
    assert!(!log.contains(TOKEN), "{log}");

    let again = scene.connect(&["--probe"]);
    for said in ["nothing to change", "No probe was sent"] {
        assert!(again.good().contains(said), "no {said:?} in {again:?}");
    }
    assert!(!again.stderr.contains("does not pull"), "{again:?}");
    assert_eq!(scene.place.read("labelrelay.toml"), written);
}

#[test]
fn programs_are_told_of_the_first_event() {
    let scene = stock();
    let ran = scene.connect(&["--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = &ran.json()[0];
    assert_eq!((&told["ok"], &told["pull"]), (&json!(true), &json!("made")));
    assert_eq!(told["queued"], 2);
    assert_eq!(told["first_event"]["project"], "1");
    assert!(told["first_event"]["after_ms"].is_u64(), "{told}");
    let warning = told["warnings"][0].as_str().unwrap();
    assert!(warning.contains("push refused: "), "{told}");
}

#[test]
fn what_is_annotated_while_it_waits_is_the_first_event() {
    let scene = Scene::new();
    scene.label_studio.fails(refuses);
    let ran = std::thread::scope(|scope| {
        let connecting = scope.spawn(|| scene.connect(&[]));
        scene.place.logged(&["looked through the platform"]);
        scene.label_studio.state().tasks.push((1, task(1, 17)));
        connecting.join().unwrap()
    });
    for said in [
        "(same events); nothing is there that the queue does not have\n",
        "Submit an annotation in Label Studio: its event is waited for, 1 min at most.\n",
        "  ok first event after ",
    ] {
        assert!(ran.good().contains(said), "no {said:?} in {ran:?}");
    }
}

#[test]
fn without_a_serve_it_says_what_to_start() {
    let place = configured().with("LABEL_STUDIO_API_KEY", TOKEN);
    let label_studio = StandIn::start();
    label_studio.fails(refuses);
    label_studio.state().tasks.push((1, task(1, 17)));
    let relay = "http://127.0.0.1:9";
    let words = [
        "connect",
        "label-studio",
        &label_studio.url,
        "--relay",
        relay,
    ];
    let ran = shows_no_secret(place.run(&words));
    let said = "takes it up within some seconds; else start `labelrelay serve`.";
    assert!(ran.good().contains(said), "{ran:?}");
    let serving = place.serve(&[]);
    until("the events came", || subjects(&place).len() == 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_pull_that_fails_is_said_and_where_the_reason_is() {
    let scene = stock();
    scene.label_studio.fails(|asked: &Asked| {
        let is_pull = asked.path.starts_with("/api/tasks");
        let denied = is_pull.then(|| Fault::Answer(403, json!({"detail": "No."}).to_string()));
        refuses(asked).or(denied)
    });
    let ran = scene.connect(&["--wait", "6s"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout
            .contains("  -- `serve` pulls, and fails: its log says why"),
        "{ran:?}"
    );
    scene.place.logged(&["pulling failed"]);
}

#[test]
fn a_file_in_the_place_of_the_token_stays_and_nothing_is_written() {
    let scene = stock();
    scene.place.write("label-studio.token", "another");
    let config = scene.place.read("labelrelay.toml");
    for words in [&["--plan"][..], &[]] {
        let ran = scene.connect(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in [
            "label-studio.token is there already and holds something else: remove it",
            "\n[source.pull]\n",
        ] {
            assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
        }
    }
    assert_eq!(scene.place.read("label-studio.token"), "another");
    assert_eq!(scene.place.read("labelrelay.toml"), config);
}

/// It may be misspelt, or known again in a moment.
#[test]
fn nothing_is_written_because_a_name_is_not_known_unless_somebody_asks_for_it() {
    let scene = stock();
    scene.label_studio.fails(|asked: &Asked| {
        let said = detail("Can't resolve hostname relay.test");
        let is_it = asked.is("POST", "/api/webhooks/");
        is_it.then_some(Fault::Answer(500, said))
    });
    let config = scene.place.read("labelrelay.toml");
    let ran = scene.connect(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        "Can't resolve hostname relay.test",
        " --repair` does so",
        "\n[source.pull]\n",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);
    assert!(!scene.place.path("label-studio.token").exists());
    scene.connect(&["--repair", "--wait", "0s"]).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\n[source.pull]\n"), "{written}");
}

#[test]
fn projects_that_the_pull_leaves_out_are_named_and_push_alone_still_fails() {
    let scene = stock();
    let first = ["--project", "1"];
    scene
        .connect(&[&first[..], &["--wait", "0s"]].concat())
        .good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.ends_with("\nprojects = [1]\n"), "{written}");
    let other = scene.connect(&["--project", "2"]);
    assert_eq!(other.code, 1, "{other:?}");
    let said = "`serve` does not pull from project 2 ";
    assert!(other.stdout.contains(said), "{other:?}");
    let same = scene.connect(&first);
    assert!(same.good().contains("nothing to change"), "{same:?}");
    assert!(!same.stderr.contains("serve` pulls from"), "{same:?}");
    let other = StandIn::start();
    other.fails(refuses);
    let words = ["connect", "label-studio", &other.url, "--project", "1"];
    let elsewhere = shows_no_secret(scene.place.run(&words));
    let said = "see that this is the same Label Studio as";
    assert!(elsewhere.stderr.contains(said), "{elsewhere:?}");
    let push = scene.connect(&[&first[..], &["--push-only"]].concat());
    assert_eq!(push.code, 1, "{push:?}");
    assert!(push.stdout.contains("  -- push refused: "), "{push:?}");
    assert_eq!(scene.place.read("labelrelay.toml"), written);
}

#[test]
fn a_variable_that_serve_does_not_have_is_named() {
    let mut scene = stock();
    scene.place = scene.place.with("OTHER_TOKEN", TOKEN);
    let ran = scene.connect(&["--token", "env:OTHER_TOKEN", "--wait", "4s"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        "has not taken up [source.pull] within 4 s",
        "It needs the variable OTHER_TOKEN then, and does not start without it",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    scene.place.logged(&["OTHER_TOKEN is not set"]);
    let again = scene.connect(&["--token", "env:OTHER_TOKEN"]);
    again.good();
    let said = "does not pull from `label-studio` yet";
    assert!(again.stderr.contains(said), "{again:?}");
}
