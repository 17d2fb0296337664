//! Another secret for Label Studio: the header of every webhook that is ours.

use super::{SECRET, Scene};
use crate::connect::stand_in::{Asked, Fault, webhook};
use crate::support::{CONFIG, mode, until};
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

fn secret_of(webhook: &Value) -> String {
    let header = webhook["headers"]["Authorization"].as_str().unwrap();
    header.strip_prefix("Bearer ").unwrap().to_owned()
}

/// The status of a delivery that shows this secret.
fn deliver(scene: &Scene, secret: &str) -> i32 {
    let file = scene.place.write("shown.secret", secret);
    let reference = format!("file:{}", file.display());
    let url = scene.url();
    let words = [
        "send",
        "--event",
        "annotation.created",
        "--to",
        &url,
        "--secret",
        &reference,
    ];
    scene.place.run(&words).code
}

#[test]
fn every_webhook_of_ours_gets_the_new_secret_and_the_old_one_is_refused() {
    let scene = Scene::new();
    let before = scene.label_studio.webhooks();
    scene.connect(&[]).good();
    scene.label_studio.changes();
    let planned = scene.connect(&["--rotate", "--plan"]);
    let said = "project 2: webhook 8 would be given the new secret";
    assert!(planned.good().contains(said), "{planned:?}");
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    assert_eq!(scene.place.read("label-studio.secret"), SECRET);

    let ran = scene.connect(&["--rotate"]);
    for said in [
        "the relay takes the old secret and a new one",
        "project 1: webhook 7 given the new secret",
        "project 2: webhook 8 given the new secret",
        "the old secret is refused",
    ] {
        assert!(ran.good().contains(said), "no {said:?} in {ran:?}");
    }
    let patches = ["PATCH /api/webhooks/7/", "PATCH /api/webhooks/8/"];
    assert_eq!(scene.label_studio.changes(), patches);
    let new = scene.place.read("label-studio.secret");
    assert!(new != SECRET && !format!("{ran:?}").contains(&new));
    let webhooks = scene.label_studio.webhooks();
    assert_eq!(webhooks[..1], before, "somebody else's stays as it is");
    for webhook in &webhooks[1..] {
        assert_eq!(secret_of(webhook), new);
    }
    assert_eq!(mode(&scene.place.path("label-studio.secret")) & 0o007, 0);
    assert!(!scene.place.path("label-studio.secret.rotating").exists());
    assert_eq!((deliver(&scene, SECRET), deliver(&scene, &new)), (1, 0));
    let again = scene.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");
}

#[test]
fn one_that_breaks_off_leaves_both_good_and_the_next_goes_on() {
    let scene = Scene::new();
    scene.connect(&[]).good();
    let refuses = AtomicBool::new(true);
    scene.label_studio.fails(move |asked: &Asked| {
        let is_second = asked.is("PATCH", "/api/webhooks/8/") && refuses.swap(false, Relaxed);
        let refusal = || Fault::Answer(403, r#"{"detail":"No."}"#.to_owned());
        is_second.then(refusal)
    });
    let broken = scene.connect(&["--rotate"]);
    assert_eq!(broken.code, 1, "{broken:?}");
    let said = "both are good until all have it; run this again";
    assert!(broken.stdout.contains(said), "{broken:?}");
    let new = secret_of(&scene.label_studio.webhooks()[1]);
    assert_eq!((deliver(&scene, SECRET), deliver(&scene, &new)), (0, 0));
    let connected = scene.connect(&[]);
    assert!(connected.stdout.contains("--rotate"), "{connected:?}");
    assert_eq!(connected.code, 1);

    let ended = scene.connect(&["--rotate"]);
    for said in [
        "goes on",
        "webhook 7 is there already",
        "webhook 8 given the new secret",
        "the old secret is refused",
    ] {
        assert!(ended.good().contains(said), "no {said:?} in {ended:?}");
    }
    assert_eq!(scene.place.read("label-studio.secret"), new);
    assert_eq!((deliver(&scene, SECRET), deliver(&scene, &new)), (1, 0));
}

#[test]
fn a_rotation_that_cannot_be_is_refused_with_the_cure() {
    let scene = Scene::new();
    let none = scene.connect(&["--rotate"]);
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.stdout.contains("leave out --rotate"), "{none:?}");
    scene.connect(&[]).good();
    scene
        .place
        .write("labelrelay.toml", format!("{CONFIG}ml_backend = true\n"));
    let with_back_end = scene.connect(&["--rotate"]);
    let said = "the URL of an ML back end";
    assert!(with_back_end.stdout.contains(said), "{with_back_end:?}");
    let elsewhere = CONFIG.replace("file:label-studio.secret", "env:LS_SECRET");
    scene.place.write("labelrelay.toml", elsewhere);
    let place = scene.place.with("LS_SECRET", SECRET);
    let relay = scene.serving.url("label-studio");
    let url = scene.label_studio.url.as_str();
    let words = [
        "connect",
        "label-studio",
        url,
        "--rotate",
        "--relay",
        &relay,
    ];
    let ran = place.run(&words);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["in the variable LS_SECRET", "LS_SECRET_PREVIOUS"] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
}

#[test]
fn one_that_comes_up_meanwhile_gets_the_new_secret_before_the_old_one_is_refused() {
    let scene = Scene::new();
    scene.connect(&[]).good();
    let ran = std::thread::scope(|scope| {
        let rotation = scope.spawn(|| scene.connect(&["--rotate"]));
        until("the last webhook has the new secret", || {
            secret_of(&scene.label_studio.webhooks()[2]) != SECRET
        });
        let late = webhook(20, 2, &scene.url(), SECRET);
        scene.label_studio.state().webhooks.push(late);
        rotation.join().unwrap()
    });
    let said = "project 2: webhook 20 given the new secret";
    assert!(ran.good().contains(said), "{ran:?}");
    let new = scene.place.read("label-studio.secret");
    assert!(
        scene.label_studio.webhooks()[1..]
            .iter()
            .all(|hook| secret_of(hook) == new)
    );
}
