//! `labelrelay status` asks Label Studio what keeps events away.

use super::obstacles::detail;
use super::{Scene, TOKEN, shows_no_secret};
use crate::connect::stand_in::{Fault, StandIn};
use crate::support::{CONFIG, Ran, configured};
use serde_json::json;

/// A relay that knows where Label Studio is, with these lines more in its configuration.
pub(super) fn scene(more: &str) -> Scene {
    let label_studio = StandIn::start();
    let place = configured().with("LABEL_STUDIO_API_KEY", TOKEN);
    let place = if more.is_empty() {
        place.with("LABEL_STUDIO_URL", &label_studio.url)
    } else {
        let text = place.read("labelrelay.toml") + &more.replace("URL", &label_studio.url);
        place.write("labelrelay.toml", &text);
        place
    };
    let serving = place.serve(&[]);
    Scene {
        place,
        serving,
        label_studio,
    }
}

pub(super) fn status(scene: &Scene) -> Ran {
    shows_no_secret(scene.place.run(&["status"]))
}

#[test]
fn a_missing_a_weak_and_a_refused_webhook_are_said_with_their_cures() {
    let scene = scene("");
    let ran = status(&scene);
    let (url, relay) = (&scene.label_studio.url, scene.url());
    for line in [
        format!("  platform    Label Studio 1.23.2 at {url} as you@example.org\n"),
        format!("  webhooks    0 of 2 projects deliver to {relay}\n"),
    ] {
        assert!(ran.good().contains(&line), "no {line:?} in {ran:?}");
    }
    let none = "no webhook delivers the events of project 1 \"Cars\", project 2 \"Boats\"; `labelrelay connect label-studio --repair` makes them";
    ran.failed(0, &[none]);

    scene.connect(&[]).good();
    let ran = status(&scene);
    assert!(
        ran.good().contains("  webhooks    2 of 2 projects"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("webhook"), "{ran:?}");

    scene.label_studio.changes();
    scene.label_studio.state().webhooks[1]["is_active"] = false.into();
    scene.label_studio.state().webhooks[2]["headers"] = json!({});
    status(&scene).failed(
        0,
        &[
            "project 1: webhook 7 of Label Studio does not send every event (inactive); `labelrelay connect label-studio --repair` mends it",
            "project 2: webhook 8 of Label Studio does not send every event (header missing)",
        ],
    );
    assert_eq!(scene.label_studio.changes(), [""; 0], "it changes nothing");

    scene.label_studio.fails(|asked| {
        asked.is("POST", "/api/webhooks/").then(|| {
            Fault::Answer(
                403,
                detail("URL resolves to a reserved network address (block: 127.0.0.0/8)"),
            )
        })
    });
    let refused = "Label Studio no longer takes webhooks to the relay, and sends none";
    status(&scene).failed(0, &[refused, "SSRF_PROTECTION_ENABLED=false"]);

    scene.label_studio.fails(|asked| {
        let said = detail("Can't resolve hostname relay.test");
        let is_it = asked.is("POST", "/api/webhooks/");
        is_it.then_some(Fault::Answer(500, said))
    });
    let found = status(&scene);
    let passing = "Label Studio sends nothing to the relay while this is so";
    found.failed(0, &[passing, "If it stays so, `labelrelay connect"]);
    assert!(!found.stderr.contains("no longer takes"), "{found:?}");
}

#[test]
fn a_label_studio_that_does_not_answer_is_no_fault_of_the_relay() {
    let scene = scene("");
    scene
        .label_studio
        .fails(|_| Some(Fault::Answer(502, "<html>".to_owned())));
    let ran = scene.place.run(&["status", "--json"]);
    let said = &ran.json()[0];
    assert_eq!((ran.code, &said["ok"]), (0, &true.into()), "{ran:?}");
    let warnings = said["warnings"].as_array().unwrap();
    let warning = warnings.iter().filter_map(|warning| warning.as_str());
    let is_said = |text: &str| {
        text.contains("the webhooks of Label Studio are not known") && text.contains("502")
    };
    assert!(warning.into_iter().any(is_said), "{warnings:?}");
}

#[test]
fn no_webhook_is_missed_where_serve_pulls() {
    let scene = scene(
        "\n[source.pull]\nevery = \"1h\"\nurl = \"URL\"\ntoken = \"env:LABEL_STUDIO_API_KEY\"\n",
    );
    let ran = status(&scene);
    let line = "0 of 2 projects deliver to";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(ran.stdout.contains("; `serve` pulls besides"), "{ran:?}");
    assert!(!ran.stderr.contains("no webhook delivers"), "{ran:?}");
}

#[test]
fn an_allowlist_that_leaves_label_studio_out_is_said_before_its_deliveries_get_403() {
    let scene = Scene::new();
    for (allowed, is_said) in [("127.0.0.0/8", false), ("203.0.113.7", true)] {
        let allow = format!("allow = [\"{allowed}\"]\n");
        scene
            .place
            .write("labelrelay.toml", format!("{CONFIG}{allow}"));
        let ran = scene.connect(&["--plan"]);
        ran.good();
        let said = "`allow` alone, and 127.0.0.1 is not among them";
        assert_eq!(ran.stderr.contains(said), is_said, "{ran:?}");
    }
    scene.connect(&[]).good();
    let place = &scene.place;
    let url = scene.label_studio.url.as_str();
    let status = place
        .command(&["status"])
        .env("LABEL_STUDIO_URL", url)
        .output()
        .unwrap();
    let status = Ran::from(status);
    status.failed(0, &["add the address that the platform sends from"]);
}
