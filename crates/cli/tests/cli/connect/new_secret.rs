//! A secret that is nowhere yet.

use super::labelbox::stand_in::{KEY, StandIn as Labelbox, webhook};
use super::repair::refuses;
use super::stand_in::{StandIn, TOKEN, webhook as project_webhook};
use crate::support::{Place, configured, mode};

/// A place whose `serve` cannot start yet: nobody has made the secrets.
fn place() -> Place {
    let place = configured()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABELBOX_API_KEY", KEY);
    for name in ["label-studio.secret", "labelbox.secret"] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    place
}

#[test]
fn it_is_made_and_put_into_the_file_before_a_webhook_gets_it() {
    let (place, label_studio) = (place(), StandIn::start());
    let words = [
        "connect",
        "label-studio",
        &label_studio.url,
        "--relay",
        "http://relay.test:1",
    ];
    let planned = place.run(&[&words[..], &["--plan"]].concat());
    let would = "a new secret would be put into file:";
    assert!(planned.good().contains(would), "{planned:?}");
    assert!(!place.path("label-studio.secret").exists());
    assert_eq!(label_studio.changes(), [""; 0]);

    let told = place.run(&[&words[..], &["--json"]].concat());
    told.good();
    assert_eq!(told.json()[0]["secret"], "made");
    let secret = place.read("label-studio.secret");
    assert!(!format!("{told:?}").contains(&secret));
    assert_eq!(mode(&place.path("label-studio.secret")), 0o600);
    let made = label_studio.webhooks();
    let header = made[1]["headers"]["Authorization"].as_str();
    assert_eq!(header, Some(format!("Bearer {secret}").as_str()));
    let again = place.run(&words);
    assert!(again.good().contains("nothing to change"), "{again:?}");
    assert_eq!(place.read("label-studio.secret"), secret);
}

/// Without its secret, a source lets no `serve` start, and nobody would pull.
#[test]
fn it_is_made_where_no_webhook_can_work_and_serve_starts() {
    let (place, label_studio, labelbox) = (place(), StandIn::start(), Labelbox::start());
    label_studio.fails(refuses);
    let of_label_studio = ["label-studio", &label_studio.url];
    let of_labelbox = ["labelbox", "--endpoint", &labelbox.endpoint];
    for (name, of_it) in [
        ("label-studio", &of_label_studio[..]),
        ("labelbox", &of_labelbox[..]),
    ] {
        let words = [&["connect"][..], of_it, &["--relay", "http://127.0.0.1:9"]].concat();
        let secret = format!("{name}.secret");
        let planned = place.run(&[&words[..], &["--plan"]].concat());
        let would = "a new secret would be put into file:";
        assert!(planned.good().contains(would), "{planned:?}");
        assert!(!place.path(&secret).exists());

        let ran = place.run(&[&words[..], &["--json"]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let told = &ran.json()[0];
        assert_eq!(told["secret"], "made");
        assert_eq!(told["pull"], "made");
        let made = place.read(&secret);
        assert!(!made.is_empty() && !format!("{ran:?}").contains(&made));

        // Also where the pull is there already.
        std::fs::remove_file(place.path(&secret)).unwrap();
        let again = place.run(&words);
        for said in [
            "a new secret put into file:",
            "`serve` pulls instead, as [source.pull] says",
        ] {
            assert!(again.good().contains(said), "no {said:?} in {again:?}");
        }
        assert_ne!(place.read(&secret), made);
    }
    assert_eq!(label_studio.changes(), [""; 0]);
    assert_eq!(labelbox.changes(), [""; 0]);
    let serving = place.serve(&[]);
    assert_eq!(serving.stop(), 0);
}

/// A webhook that delivers here has a secret, which the relay may read from somewhere else.
#[test]
fn none_is_made_for_a_pull_beside_webhooks_that_have_another_one() {
    let (place, label_studio, labelbox) = (place(), StandIn::start(), Labelbox::start());
    label_studio.fails(refuses);
    let url = "http://127.0.0.1:9/label-studio";
    let there = project_webhook(3, 1, url, "the-right-secret");
    label_studio.state().webhooks.push(there);
    let there = webhook("w3", None, "http://127.0.0.1:9/labelbox");
    labelbox.state().webhooks.push(there);
    let config = place.read("labelrelay.toml");
    let of_label_studio = ["label-studio", &label_studio.url];
    let of_labelbox = ["labelbox", "--endpoint", &labelbox.endpoint];
    for (name, of_it) in [
        ("label-studio", &of_label_studio[..]),
        ("labelbox", &of_labelbox[..]),
    ] {
        let words = [&["connect"][..], of_it, &["--relay", "http://127.0.0.1:9"]].concat();
        let ran = place.run(&words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in ["there is no secret in file:", "delivers here already"] {
            assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
        }
        for file in ["secret", "token"] {
            assert!(!place.path(&format!("{name}.{file}")).exists(), "{file}");
        }
    }
    assert_eq!(place.read("labelrelay.toml"), config);
}

#[test]
fn none_is_made_where_a_webhook_of_labelbox_has_another_one() {
    let (place, labelbox) = (place(), Labelbox::start());
    labelbox
        .state()
        .webhooks
        .push(webhook("w3", None, "https://relay.invalid/labelbox"));
    let words = [
        "connect",
        "labelbox",
        "--relay",
        "https://relay.invalid",
        "--endpoint",
        &labelbox.endpoint,
    ];
    let ran = place.run(&words);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        "there is no secret in file:",
        "webhook w3 delivers here already",
        "run this with --remove",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    assert!(!place.path("labelbox.secret").exists());
    place.run(&[&words[..], &["--remove"]].concat()).good();
    place.run(&words).good();
    let secret = place.read("labelbox.secret");
    assert_eq!(
        labelbox.webhooks().pop().unwrap()["secret"],
        secret.as_str()
    );
}

/// A reference with a slip in it leads to no secret, and what works goes on.
#[test]
fn none_is_made_where_a_webhook_of_label_studio_has_another_one() {
    let (place, label_studio) = (place(), StandIn::start());
    let url = "http://relay.test:1/label-studio";
    let good = project_webhook(3, 1, url, "the-right-secret");
    label_studio.state().webhooks.push(good);
    let before = label_studio.webhooks();
    let words = [
        "connect",
        "label-studio",
        &label_studio.url,
        "--relay",
        "http://relay.test:1",
    ];
    for words in [&words[..], &[&words[..], &["--plan"]].concat()] {
        let ran = place.run(words);
        assert_eq!(ran.code, 1, "{ran:?}");
        for said in [
            "there is no secret in file:",
            "webhook 3 delivers here already",
            "run this with --remove",
        ] {
            assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
        }
    }
    assert_eq!(label_studio.webhooks(), before);
    assert!(!place.path("label-studio.secret").exists());
    place.run(&[&words[..], &["--remove"]].concat()).good();
    place.run(&words).good();
}

#[test]
fn no_webhook_gets_one_that_the_relay_refuses() {
    let (place, label_studio) = (place(), StandIn::start());
    // It reads its secret elsewhere.
    let elsewhere = configured();
    let serving = elsewhere.serve(&[]);
    let relay = serving.url("label-studio");
    let ran = place.run(&[
        "connect",
        "label-studio",
        &label_studio.url,
        "--relay",
        &relay,
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["answers 401 to the secret", "no webhook was made"] {
        assert!(ran.stdout.contains(said), "no {said:?} in {ran:?}");
    }
    assert_eq!(label_studio.changes(), [""; 0]);
}

#[test]
fn one_of_labelbox_that_sleeps_is_not_woken_with_another_one() {
    let (place, labelbox) = (place(), Labelbox::start());
    let mut asleep = webhook("w3", None, "https://relay.invalid/labelbox");
    asleep["status"] = "INACTIVE".into();
    labelbox.state().webhooks.push(asleep);
    let words = [
        "connect",
        "labelbox",
        "--relay",
        "https://relay.invalid",
        "--endpoint",
        &labelbox.endpoint,
    ];
    let ran = place.run(&words);
    assert!(ran.good().contains("webhook w3 removed"), "{ran:?}");
    let webhooks = labelbox.webhooks();
    let of = |id: &str| webhooks.iter().find(|hook| hook["id"] == id).unwrap();
    assert_eq!(of("w3")["status"], "INACTIVE");
    let secret = place.read("labelbox.secret");
    assert_eq!(of("w7")["secret"], secret.as_str());
}
