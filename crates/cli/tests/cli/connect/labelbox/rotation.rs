//! Another secret for Labelbox: a second webhook, and the end of the first one.

use super::{RELAY, SECRET, Scene, URL};
use crate::support::{Serving, until};
use labelrelay_core::signature::sign_sha1;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The status of a delivery that this secret signed.
fn deliver(serving: &Serving, secret: &str, delivery: &str) -> u16 {
    let body = format!(r#"{{"id":"{delivery}","createdAt":"2026-11-01T00:00:00Z"}}"#);
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    write!(
        stream,
        "POST /labelbox HTTP/1.1\r\nHost: x\r\nX-Hub-Signature: {}\r\nX-Labelbox-Id: {delivery}\r\nX-Labelbox-Event: LABEL_CREATED\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        sign_sha1(secret.as_bytes(), body.as_bytes()),
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn secret_of(webhook: &Value) -> String {
    webhook["secret"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_webhook_is_ended_at_the_first_delivery_with_the_new_secret() {
    let scene = Scene::new();
    let serving = scene.place.serve(&[]);
    scene.connect(&[]).good();
    assert_eq!(deliver(&serving, SECRET, "before"), 200);
    let rotated = std::thread::scope(|scope| {
        let rotation = scope.spawn(|| scene.connect(&["--rotate", "--v1"]));
        until("a second webhook is made", || {
            scene.labelbox.webhooks().len() == 3
        });
        let new = secret_of(&scene.one("w8"));
        assert_ne!(new, SECRET);
        assert_eq!(deliver(&serving, SECRET, "between, old"), 200);
        assert_eq!(scene.one("w7")["status"], "ACTIVE", "nothing came yet");
        assert_eq!(deliver(&serving, &new, "between, new"), 200);
        until("the first webhook is ended", || {
            scene.one("w7")["status"] == "INACTIVE"
        });
        // Deliveries that were under way are still taken.
        assert_eq!(deliver(&serving, SECRET, "under way"), 200);
        rotation.join().unwrap()
    });
    for said in [
        "the relay takes the old secret and a new one",
        "the organization: webhook w8 made",
        "a delivery with the new secret came",
        "the organization's webhook w7 removed",
        "the old secret is refused",
    ] {
        assert!(rotated.good().contains(said), "no {said:?} in {rotated:?}");
    }
    let new = scene.place.read("labelbox.secret");
    assert!(!format!("{rotated:?}").contains(&new), "{rotated:?}");
    assert_eq!(secret_of(&scene.one("w8")), new);
    assert_eq!(deliver(&serving, SECRET, "after, old"), 401);
    assert_eq!(deliver(&serving, &new, "after, new"), 200);
    let second = scene.one("w8");
    assert_eq!(
        (&second["url"], &second["status"]),
        (&URL.into(), &"ACTIVE".into())
    );
    let again = scene.connect(&[]);
    assert!(again.good().contains("nothing to change"), "{again:?}");

    let removed = scene.connect(&["--remove"]);
    let said = "the organization's webhook w8 removed";
    assert!(removed.good().contains(said), "{removed:?}");
    let left = scene.labelbox.webhooks();
    let is_ended = |hook: &Value| hook["status"] == "INACTIVE";
    assert!(left[1..].iter().all(is_ended), "{left:?}");
    assert_eq!(deliver(&serving, SECRET, "at the end"), 401);
}

#[test]
fn one_that_breaks_off_leaves_both_good_and_the_next_goes_on() {
    let scene = Scene::new();
    let serving = scene.place.serve(&[]);
    scene.connect(&[]).good();
    let late = scene.connect(&["--rotate", "--v1", "--wait", "1ms"]);
    assert_eq!(late.code, 1, "{late:?}");
    for said in [
        "no delivery with the new secret came",
        "set the webhook w7 to inactive",
        "labelbox.secret.rotating",
    ] {
        assert!(late.stdout.contains(said), "no {said:?} in {late:?}");
    }
    let new = secret_of(&scene.one("w8"));
    assert_eq!(deliver(&serving, SECRET, "old"), 200);
    assert_eq!(scene.place.read("labelbox.secret"), SECRET);

    let connected = scene.connect(&[]);
    assert_eq!(connected.code, 1, "{connected:?}");
    let said = "has not ended: run this with --rotate";
    assert!(connected.stdout.contains(said), "{connected:?}");
    let status = scene.place.run(&["status"]);
    assert!(status.stderr.contains("--rotate again"), "{status:?}");

    assert_eq!(deliver(&serving, &new, "new"), 200);
    let set = |status: &str| {
        let mut state = scene.labelbox.state();
        let mut hooks = state.webhooks.iter_mut();
        hooks.find(|hook| hook["id"] == "w8").unwrap()["status"] = status.into();
    };
    set("REVOKED");
    let silent = scene.connect(&["--rotate"]);
    assert_eq!(silent.code, 1, "{silent:?}");
    let said = "webhook w8 has the new secret and is REVOKED, so it delivers nothing";
    assert!(silent.stdout.contains(said), "{silent:?}");
    assert_eq!(scene.one("w7")["status"], "ACTIVE", "it alone delivers");
    set("ACTIVE");
    let ended = scene.connect(&["--rotate"]);
    for said in ["goes on", "webhook w7 removed", "the old secret is refused"] {
        assert!(ended.good().contains(said), "no {said:?} in {ended:?}");
    }
    assert_eq!(scene.labelbox.webhooks().len(), 3, "no third was made");
    assert_eq!(scene.place.read("labelbox.secret"), new);
    assert_eq!(deliver(&serving, SECRET, "old, after"), 401);
}

#[test]
fn a_plan_makes_no_secret_and_a_relay_elsewhere_is_not_rotated() {
    let scene = Scene::new();
    scene.connect(&[]).good();
    let stopped = scene.connect(&["--rotate"]);
    assert_eq!(stopped.code, 1, "{stopped:?}");
    assert!(
        stopped.stdout.contains("no `serve` runs here"),
        "{stopped:?}"
    );
    let _serving = scene.place.serve(&[]);
    let planned = scene.connect(&["--rotate", "--v1", "--plan"]);
    let said = "webhook w7 would be given the new secret";
    assert!(planned.good().contains(said), "{planned:?}");
    assert!(!scene.place.path("labelbox.secret.rotating").exists());
    scene.labelbox.state().webhooks.truncate(1);
    let none = scene.connect(&["--rotate"]);
    assert!(none.stdout.contains("leave out --rotate"), "{none:?}");
    assert_eq!(scene.place.read("labelbox.secret"), SECRET);

    let config = scene.place.read("labelrelay.toml");
    let elsewhere = config.replace("file:labelbox.secret", "env:LB_SECRET");
    scene.place.write("labelrelay.toml", elsewhere);
    let place = scene.place.with("LB_SECRET", SECRET);
    let words = [
        "connect",
        "labelbox",
        "--rotate",
        "--relay",
        RELAY,
        "--endpoint",
    ];
    let ran = place.run(&[&words[..], &[&scene.labelbox.endpoint]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        "in the variable LB_SECRET",
        "LB_SECRET_PREVIOUS",
        "--remove",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
}
