//! Each fault that `labelrelay status` finds on Label Studio names one command, and that command mends it.

use super::Scene;
use super::obstacles::detail;
use super::stand_in::{Asked, Fault};
use super::status::{scene, status};
use crate::support::Ran;
use serde_json::{Value, json};

const NO_LONGER: &str = "Label Studio no longer takes webhooks to the relay";

/// As versions from 1.23.1 on answer.
pub(super) fn refuses(asked: &Asked) -> Option<Fault> {
    let said = "URL resolves to a reserved network address (block: 127.0.0.0/8)";
    asked
        .is("POST", "/api/webhooks/")
        .then(|| Fault::Answer(403, detail(said)))
}

/// The command that a warning prints.
fn cure(status: &Ran) -> Vec<String> {
    let (_, rest) = status.stderr.split_once("`labelrelay connect").unwrap();
    let (words, _) = rest.split_once('`').unwrap();
    let words = words.split_whitespace().map(str::to_owned);
    std::iter::once("connect".to_owned()).chain(words).collect()
}

fn run(scene: &Scene, words: &[String], more: &[&str]) -> Ran {
    let words = words.iter().map(String::as_str);
    let words: Vec<_> = words.chain(more.iter().copied()).collect();
    super::shows_no_secret(scene.place.run(&words))
}

/// Words of `status`, and changes of the webhooks.
type Spoilt = (&'static str, fn(&mut Vec<Value>));

#[test]
fn each_fault_that_status_names_is_gone_after_the_command_that_it_prints() {
    let spoilt: [Spoilt; 8] = [
        ("no webhook delivers the events of project 1", |all| {
            all.truncate(1);
        }),
        ("no webhook delivers the events of project 2", |all| {
            all.truncate(2);
        }),
        ("(inactive)", |all| all[1]["is_active"] = false.into()),
        ("(header missing)", |all| all[1]["headers"] = json!({})),
        ("(another value in its header)", |all| {
            all[2]["headers"]["Authorization"] = "Bearer other".into();
        }),
        ("(another password in its URL)", |all| {
            let url = all[1]["url"].as_str().unwrap();
            all[1]["url"] = url.replace("http://", "http://u:other@").into();
        }),
        ("(no payload)", |all| all[1]["send_payload"] = false.into()),
        ("(not all actions)", |all| {
            all[2]["send_for_all_actions"] = false.into();
        }),
    ];
    let scene = scene("");
    scene.connect(&[]).good();
    for (said, spoil) in spoilt {
        spoil(&mut scene.label_studio.state().webhooks);
        let found = status(&scene);
        found.failed(0, &[said]);
        let command = cure(&found);
        assert_eq!(command, ["connect", "label-studio", "--repair"]);
        run(&scene, &command, &[]).good();
        let ran = status(&scene);
        assert!(ran.good().contains("2 of 2 projects"), "{said}: {ran:?}");
        assert!(!ran.stderr.contains("webhook"), "{said}: {ran:?}");
    }
    let again = run(&scene, &plain(), &[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

/// The command where there is one source, in the usual file.
fn plain() -> Vec<String> {
    ["connect", "label-studio", "--repair"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn after_an_upgrade_that_refuses_the_relay_the_repair_lets_serve_pull() {
    let scene = scene("");
    scene.label_studio.state().version = "1.22.0";
    scene.connect(&[]).good();
    scene.label_studio.changes();
    // The same data, served by a newer version: the webhooks are there, active, and send nothing.
    scene.label_studio.state().version = "1.23.2";
    scene.label_studio.fails(refuses);
    let found = status(&scene);
    found.failed(
        0,
        &[
            NO_LONGER,
            "also by those that an older version took",
            "reserved network address (block: 127.0.0.0/8)",
            "SSRF_PROTECTION_ENABLED=false",
            "lets `serve` pull instead",
        ],
    );
    let command = cure(&found);
    let (webhooks, config) = (
        scene.label_studio.webhooks(),
        scene.place.read("labelrelay.toml"),
    );
    let planned = run(&scene, &command, &["--plan"]);
    let would = "[source.pull] would be written below the source `label-studio` in labelrelay.toml";
    assert!(planned.good().contains(would), "{planned:?}");
    for said in ["nothing was changed", "\n[source.pull]\nevery = \"10s\"\n"] {
        assert!(planned.stdout.contains(said), "no {said:?} in {planned:?}");
    }
    #[cfg(unix)]
    {
        let link = scene.place.path("kept.toml");
        std::fs::rename(scene.place.path("labelrelay.toml"), &link).unwrap();
        std::os::unix::fs::symlink(&link, scene.place.path("labelrelay.toml")).unwrap();
        let refused = run(&scene, &command, &["--plan"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        let why = "labelrelay.toml could not be changed: it is a link";
        assert!(refused.stdout.contains(why), "{refused:?}");
        std::fs::rename(&link, scene.place.path("labelrelay.toml")).unwrap();
    }
    assert_eq!(scene.place.read("labelrelay.toml"), config);

    let repaired = run(&scene, &command, &["--json", "--wait", "0s"]);
    assert_eq!(repaired.code, 0, "{repaired:?}");
    let told = &repaired.json()[0];
    assert_eq!((&told["ok"], &told["pull"]), (&json!(true), &json!("made")));
    let section = format!(
        "\n[source.pull]\nevery = \"10s\"\nurl = \"{}\"\ntoken = \"file:label-studio.token\"\n",
        scene.label_studio.url
    );
    let written = scene.place.read("labelrelay.toml");
    assert_eq!(written, format!("{config}{section}"));

    let ran = status(&scene);
    let line = "whose URL Label Studio refuses; `serve` pulls instead";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(!ran.stderr.contains("webhook"), "{ran:?}");
    let again = run(&scene, &command, &[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
    assert_eq!(scene.place.read("labelrelay.toml"), written);
    assert_eq!(scene.label_studio.webhooks(), webhooks);
    assert_eq!(scene.label_studio.changes(), ["POST /api/webhooks/"; 0]);

    let Scene { place, serving, .. } = scene;
    assert_eq!(serving.stop(), 0);
    let serving = place.serve(&[]);
    place.logged(&["pulls from the platform by itself"]);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn the_command_finds_the_same_source_and_the_same_file() {
    let scene = scene("");
    let text = scene.place.read("labelrelay.toml");
    let second = "\n[[source]]\nname = \"second\"\nprovider = \"label-studio\"\nsecret = \"file:label-studio.secret\"\n# the end\n";
    scene.place.write("other.toml", format!("{text}{second}"));
    scene.label_studio.fails(refuses);
    let found = scene.place.run(&["status", "--config", "other.toml"]);
    found.failed(0, &["source `second`: no webhook delivers"]);
    let command = cure(&found);
    let expected = [
        "connect",
        "label-studio",
        "--repair",
        "--source",
        "label-studio",
        "--config",
        "other.toml",
    ];
    assert_eq!(command, expected);
    // The `serve` that runs goes by the other file.
    run(&scene, &command, &["--wait", "0s"]).good();
    let written = scene.place.read("other.toml");
    let (first, rest) = written.split_once("\n\n[source.pull]\n").unwrap();
    assert_eq!(first, text.trim_end(), "{written}");
    assert!(rest.ends_with(&format!("\n{second}")), "{written}");
    assert_eq!(scene.place.read("labelrelay.toml"), text);
}

#[cfg(unix)]
#[test]
fn a_configuration_that_cannot_be_written_is_said_and_its_lines_are_printed() {
    let scene = scene("");
    scene.label_studio.fails(refuses);
    let place = &scene.place;
    let text = place.read("labelrelay.toml");
    place.write("kept.toml", &text);
    std::fs::remove_file(place.path("labelrelay.toml")).unwrap();
    std::os::unix::fs::symlink("kept.toml", place.path("labelrelay.toml")).unwrap();
    let ran = run(&scene, &plain(), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for words in [
        "labelrelay.toml was not changed: it is a link",
        "\n[source.pull]\n",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    assert!(!ran.stdout.contains("does so"), "{ran:?}");
    assert_eq!(place.read("kept.toml"), text);
    assert!(
        !place.path("label-studio.token").exists(),
        "nothing is left half-way"
    );
}

/// The lines are for the projects that webhooks would have been for, and so is the command that writes them.
#[test]
fn a_pull_instead_of_some_webhooks_is_for_their_projects() {
    let scene = scene("");
    scene.label_studio.fails(refuses);
    let url = scene.label_studio.url.as_str();
    let words = ["connect", "label-studio", url, "--token", "file:ls.token"];
    scene.place.write("ls.token", super::TOKEN);
    let words = [&words[..], &["--project", "2", "--push-only"]].concat();
    let refused = super::shows_no_secret(scene.place.run(&words));
    assert_eq!(refused.code, 1, "{refused:?}");
    let command = format!(
        "`labelrelay connect label-studio {url} --token file:ls.token --repair --project 2` does so"
    );
    assert!(refused.stdout.contains(&command), "{refused:?}");
    let command = cure(&Ran {
        stderr: refused.stdout.clone(),
        ..refused
    });
    run(&scene, &command, &["--wait", "0s"]).good();
    let written = scene.place.read("labelrelay.toml");
    assert!(written.contains("\ntoken = \"file:"), "{written}");
    assert!(
        !scene.place.path("label-studio.token").exists(),
        "{written}"
    );
    assert!(written.ends_with("\nprojects = [2]\n"), "{written}");
}
