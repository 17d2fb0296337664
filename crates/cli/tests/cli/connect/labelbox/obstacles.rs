//! Obstacles are named with their cure, and change nothing.

use super::stand_in::{KEY, StandIn, operation, refusal};
use super::{RELAY, Scene};
use crate::connect::stand_in::{Asked, Fault};
use crate::support::configured;

/// Asserts that it fails, says each of these, and changes nothing.
fn stopped(scene: &Scene, words: &[&str], said: &[&str]) {
    let before = scene.labelbox.webhooks();
    let all = [&["connect", "labelbox"], words].concat();
    let ran = scene.run(&all);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in said {
        assert!(ran.stdout.contains(part), "no {part:?} in {ran:?}");
    }
    assert_eq!(scene.labelbox.webhooks(), before);
    let told = scene.run(&[&all[..], &["--json"]].concat());
    let error = told.json()[0]["error"].as_str().unwrap().to_owned();
    for part in said {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
}

type Case = (&'static str, u16, String, &'static [&'static str]);

#[test]
fn each_obstacle_in_labelbox_names_its_cure() {
    let cases: [Case; 6] = [
        (
            "Member",
            403,
            "{}".to_owned(),
            &[
                "refuses the API key",
                "answer 403",
                "an admin of the workspace",
            ],
        ),
        (
            "Member",
            200,
            "<!doctype html><html></html>".to_owned(),
            &["not what Labelbox's API answers", "its GraphQL endpoint"],
        ),
        (
            "OrganizationWebhooks",
            200,
            refusal("AUTHORIZATION_ERROR", "Insufficient permissions").to_string(),
            &["answer AUTHORIZATION_ERROR", "an admin of the workspace"],
        ),
        (
            "OrganizationWebhooks",
            200,
            r#"{"data":{"organization":null}}"#.to_owned(),
            &["does not say which webhooks there are"],
        ),
        (
            "CreateWebhook",
            200,
            refusal("BAD_USER_INPUT", "url is not allowed").to_string(),
            &[
                "a webhook for the organization: ",
                "BAD_USER_INPUT",
                "url is not allowed",
            ],
        ),
        (
            "CreateWebhook",
            200,
            refusal(
                "BAD_USER_INPUT",
                "secret \"a secret of Labelbox, 27 bytes\" is weak",
            )
            .to_string(),
            &["in words that quote the secret"],
        ),
    ];
    for (name, status, body, said) in cases {
        let scene = Scene::new();
        scene.labelbox.fails(move |asked: &Asked| {
            (operation(asked) == name).then(|| Fault::Answer(status, body.clone()))
        });
        stopped(&scene, &["--relay", RELAY], said);
    }
}

#[test]
fn an_organization_without_webhooks_is_connected() {
    let scene = Scene::new();
    scene.labelbox.state().webhooks.clear();
    scene.labelbox.state().projects.clear();
    let ran = scene.connect(&[]);
    assert!(ran.good().contains("0 projects"), "{ran:?}");
    assert!(ran.stdout.contains("webhook w7 made"), "{ran:?}");
}

#[test]
fn keys_projects_and_topics_that_are_not_there_are_named() {
    let scene = Scene::new();
    let of = |words: &[&'static str]| [&["--relay", RELAY], words].concat();
    stopped(
        &scene,
        &of(&["--project", "p9"]),
        &["project p9 is not there", "--project p9"],
    );
    stopped(
        &scene,
        &of(&["--topic", "NO_TOPIC"]),
        &[
            "does not exist in",
            "leave the topic NO_TOPIC out",
            "--topic",
            "LABEL_CREATED",
        ],
    );
    let place = configured().with("LABELBOX_API_KEY", "another-key");
    let words = ["connect", "labelbox", "--relay", RELAY, "--endpoint"];
    let ran = place.run(&[&words[..], &[&scene.labelbox.endpoint]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("refuses the API key"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("another-key"), "{ran:?}");
}

#[test]
fn a_relay_that_labelbox_cannot_reach_is_named_before_anybody_is_asked() {
    let not_public = "its host is not a public one";
    for (url, more, said) in [
        // It may have been written wrongly.
        ("http://relay.invalid", &[][..], "delivers over HTTPS only"),
        ("https://127.0.0.1:8090", &["--push-only"], not_public),
        ("https://10.1.2.3", &["--push-only"], not_public),
        ("https://localhost", &["--push-only"], not_public),
        ("https://labelrelay", &["--push-only"], not_public),
    ] {
        let scene = Scene::new();
        scene.labelbox.fails(|_| panic!("somebody was asked"));
        let cures = [
            said,
            "--relay https://HOST",
            "a tunnel",
            "labelrelay pull labelbox --every 15m",
        ];
        stopped(&scene, &[&["--relay", url][..], more].concat(), &cures);
    }
    // The one that runs here is none either.
    let scene = Scene::new();
    let _serving = scene.place.serve(&[]);
    stopped(&scene, &["--push-only"], &["not a public one", "a tunnel"]);
}

#[test]
fn a_labelbox_that_cannot_be_reached_is_named() {
    let place = configured().with("LABELBOX_API_KEY", KEY);
    let endpoint = "http://127.0.0.1:9/graphql";
    let words = [
        "connect",
        "labelbox",
        "--relay",
        RELAY,
        "--endpoint",
        endpoint,
    ];
    let ran = place.run(&words);
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = "cannot connect to http://127.0.0.1:9";
    assert!(ran.stdout.contains(said), "{ran:?}");
}

#[test]
fn words_that_cannot_be_meant_are_refused_before_anybody_is_asked() {
    let labelbox = StandIn::start();
    labelbox.fails(|_| panic!("somebody was asked"));
    let endpoint = labelbox.endpoint.as_str();
    for (words, code, said) in [
        (&[][..], 2, "start `labelrelay serve`, or give --relay"),
        (&["--relay", "relay.test"], 2, "is not a URL"),
        (&["--relay", "https://me:hidden@h.test"], 2, "takes no user"),
        (
            &["--relay", "https://h.test/label-studio"],
            2,
            "ends in /label-studio",
        ),
        (
            &["--relay", RELAY, "--source", "label-studio"],
            2,
            "no such source",
        ),
        (&["--relay", RELAY, "--key", KEY], 2, "not the secret"),
        (&["--relay", RELAY, "--topic", "a b"], 2, "WORKFLOW_ACTION"),
        (&["--relay", RELAY, "--probe"], 2, "press Start labeling"),
        (&["--relay", RELAY, "--remove", "--rotate"], 2, "--rotate"),
    ] {
        let place = configured().with("LABELBOX_API_KEY", KEY);
        let all = [&["connect", "labelbox", "--endpoint", endpoint], words].concat();
        let ran = place.run(&all);
        ran.failed(code, &[said]);
        assert!(!format!("{ran:?}").contains("hidden"), "{ran:?}");
    }
    let place = configured();
    let all = [
        "connect",
        "labelbox",
        "--relay",
        RELAY,
        "--endpoint",
        endpoint,
    ];
    place.run(&all).failed(2, &["LABELBOX_API_KEY is not set"]);
    let place = place.with("LABELBOX_API_KEY", KEY);
    place.write("labelbox.secret", b"a secret \x01 of bytes");
    place.run(&all).failed(78, &["letters and digits"]);
}
