//! `labelrelay connect` makes a real Label Studio deliver, and says why a stock one does not.

mod labelbox;
mod rotate;

use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::program;
use labelrelay_tests::relay::{SECRET, Site, eventually, secrets};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

fn command(site: &Site, label_studio: &LabelStudio, words: &[&str]) -> Command {
    let mut command = program::command();
    command
        .args(["connect", "label-studio", &label_studio.base, "--config"])
        .arg(site.config())
        .args(words)
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABEL_STUDIO_API_KEY", &label_studio.token)
        .current_dir(site.folder())
        .stdin(Stdio::null());
    command
}

/// Runs it; its exit code, and what it said.
fn connect(site: &Site, label_studio: &LabelStudio, words: &[&str]) -> (i32, String) {
    let output = command(site, label_studio, words).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    for secret in [SECRET, &label_studio.token] {
        assert!(!text.contains(secret), "{text}");
    }
    (output.status.code().unwrap(), text)
}

/// Exit code of `labelrelay status`, and what it said.
pub(crate) fn status(site: &Site, label_studio: &LabelStudio) -> (i32, String) {
    let output = program::command()
        .args(["status", "--config"])
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABEL_STUDIO_URL", &label_studio.base)
        .env("LABEL_STUDIO_API_KEY", &label_studio.token)
        .current_dir(site.folder())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!text.contains(&label_studio.token), "{text}");
    (output.status.code().unwrap(), text)
}

/// Words of `status`, which finds no fault of the relay's own.
fn good_status(site: &Site, label_studio: &LabelStudio) -> String {
    let (code, text) = status(site, label_studio);
    assert_eq!(code, 0, "{text}");
    text
}

#[track_caller]
pub(crate) fn good(site: &Site, label_studio: &LabelStudio, words: &[&str], said: &[&str]) {
    let (code, text) = connect(site, label_studio, words);
    assert_eq!(code, 0, "{text}");
    for part in said {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[track_caller]
pub(crate) fn refused(site: &Site, label_studio: &LabelStudio, words: &[&str], said: &[&str]) {
    let (code, text) = connect(site, label_studio, words);
    assert_eq!(code, 1, "{text}");
    for part in said {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

/// Webhooks as the database has them.
pub(crate) fn webhooks(label_studio: &mut LabelStudio) -> Vec<Value> {
    label_studio.rows(
        "select id, project_id, url, headers, is_active, send_payload, send_for_all_actions, updated_at from webhook order by id",
    )
}

/// Number of events of this type in the queue.
fn count(site: &Site, event_type: &str) -> usize {
    let events = site.export();
    let is_it = |event: &&Exported| event.attributes.event_type == event_type;
    events.iter().filter(is_it).count()
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e connect`"]
fn a_real_label_studio_is_connected_delivers_and_is_let_go() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let relay = site.serve();
    let project = label_studio.project("Cars");
    label_studio.project("Boats");
    label_studio.webhook(project, "http://127.0.0.1:9/somebody-else", "another");
    let others = webhooks(&mut label_studio);

    good(
        &site,
        &label_studio,
        &["--plan"],
        &["\"Boats\": a webhook would be made"],
    );
    assert_eq!(webhooks(&mut label_studio), others);
    let said = [
        "Label Studio 1.23.2 at ",
        "2 projects",
        "\"Cars\": webhook ",
        " made",
    ];
    good(&site, &label_studio, &[], &said);
    let connected = webhooks(&mut label_studio);
    assert_eq!((connected.len(), &connected[..1]), (3, &others[..]));
    good(&site, &label_studio, &[], &["nothing to change"]);
    assert_eq!(webhooks(&mut label_studio), connected);

    label_studio.import(project, 1, false);
    let task = label_studio.rows("select id from task")[0][0].clone();
    let annotate = |label_studio: &mut LabelStudio| {
        let path = format!("/api/tasks/{task}/annotations/");
        label_studio.call("POST", &path, &json!({"result": choice("a")}));
    };
    annotate(&mut label_studio);
    let created = "io.labelstud.annotation.created";
    eventually("the annotation is in the queue", || {
        (count(&site, created) == 1).then_some(())
    });

    // Somebody changes the webhook on its page.
    let path = format!("/api/webhooks/{}/", connected[1][0]);
    let spoilt = json!({
        "url": format!("http://{}/label-studio", relay.address), "headers": {"X-More": "1"},
        "send_for_all_actions": false, "actions": ["TASKS_CREATED"], "is_active": false,
    });
    label_studio.call("PATCH", &path, &spoilt);
    annotate(&mut label_studio);
    let mended = "mended (inactive, header missing, not all actions)";
    good(&site, &label_studio, &[], &[mended]);
    let webhook = label_studio.call("GET", &path, &Value::Null);
    assert_eq!(webhook["actions"], json!(["TASKS_CREATED"]));
    assert_eq!(webhook["headers"]["X-More"], "1");
    annotate(&mut label_studio);
    eventually("the next annotation is in the queue", || {
        (count(&site, created) == 2).then_some(())
    });

    good(
        &site,
        &label_studio,
        &["--probe"],
        &["probe: an event was in the queue after"],
    );
    let projects = label_studio.rows("select count(*) from project");
    assert_eq!(projects, [json!([2])]);

    good(&site, &label_studio, &["--remove"], &["webhook", "removed"]);
    assert_eq!(webhooks(&mut label_studio), others);
    good(&site, &label_studio, &["--remove"], &["nothing to remove"]);
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e connect`"]
fn a_stock_label_studio_s_refusal_is_named_with_its_cure() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start_stock();
    let site = Site::new();
    let relay = site.serve();
    label_studio.project("Cars");
    let push = "--push-only";
    for words in [&[push][..], &[push, "--plan"], &[push, "--probe"]] {
        refused(
            &site,
            &label_studio,
            words,
            &[
                "URL resolves to a reserved network address (block: 127.0.0.0/8)",
                "SSRF_PROTECTION_ENABLED=false",
                "USE_DEFAULT_BANNED_SUBNETS=false",
                "labelrelay pull label-studio --every 10s",
                "[source.pull]",
                &format!("url = \"{}\"", label_studio.base),
                "token = \"env:LABEL_STUDIO_API_KEY\"",
            ],
        );
    }
    refused(
        &site,
        &label_studio,
        &[push, "--relay", "http://labelrelay:8090"],
        &["Enter a valid URL", "a name with a dot"],
    );
    refused(
        &site,
        &label_studio,
        &[push, "--relay", "http://relay.invalid"],
        &["Can't resolve hostname relay.invalid"],
    );
    assert!(webhooks(&mut label_studio).is_empty());
    // A webhook that a version before 1.23.1 took: it stays active, and nothing is delivered.
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.rows(&format!(
        "insert into webhook (organization_id, project_id, url, headers, is_active, send_payload, send_for_all_actions, created_at, updated_at) \
         values (1, 1, '{url}', '{{}}', 1, 1, 1, '2026-11-01', '2026-11-01')"
    ));
    let said = ["reserved network address"];
    refused(&site, &label_studio, &[push], &said);
    let found = good_status(&site, &label_studio);
    for said in [
        "Label Studio no longer takes webhooks to the relay",
        "`labelrelay connect label-studio --repair --config ",
    ] {
        assert!(found.contains(said), "no {said:?} in {found}");
    }
    let written = "[source.pull] written below the source `label-studio`";
    let planned = ["[source.pull] would be written below the source `label-studio`"];
    good(&site, &label_studio, &["--plan"], &planned);
    let repair = ["--repair", "--wait", "0s"];
    good(&site, &label_studio, &repair, &[written]);
    let found = good_status(&site, &label_studio);
    assert!(found.contains("`serve` pulls instead"), "{found}");
    assert!(!found.contains("no longer takes"), "{found}");
    let again = ["--repair"];
    good(&site, &label_studio, &again, &["nothing to change"]);
    good(&site, &label_studio, &["--remove"], &["webhook 1 removed"]);
    // Nothing is sent there: the project does not change.
    let public = ["--relay", "http://1.1.1.1"];
    good(
        &site,
        &label_studio,
        &public,
        &["\"Cars\": webhook ", " made"],
    );
    good(
        &site,
        &label_studio,
        &["--remove", "--relay", "http://1.1.1.1"],
        &["removed"],
    );
}
