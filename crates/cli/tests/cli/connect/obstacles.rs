//! Obstacles are named with their cure, and change nothing.

use super::stand_in::{Asked, Fault, StandIn, TOKEN};
use super::{Scene, shows_no_secret};
use crate::support::{CONFIG, Place, configured};
use serde_json::json;

pub(super) fn detail(text: &str) -> String {
    json!({"id": "x", "status_code": 0, "version": "1.23.2", "detail": text, "exc_info": null})
        .to_string()
}

/// Asserts that it fails, says each of these, and changes nothing.
fn stopped(scene: &Scene, words: &[&str], said: &[&str]) {
    let before = scene.label_studio.webhooks();
    let ran = scene.connect(words);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in said {
        assert!(ran.stdout.contains(part), "no {part:?} in {ran:?}");
    }
    assert!(
        ran.stdout.contains("\n  -- ") || ran.stdout.starts_with("  -- "),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("not all is done"), "{ran:?}");
    assert_eq!(scene.label_studio.changes(), [""; 0]);
    assert_eq!(scene.label_studio.webhooks(), before);
    let told = scene.connect(&[words, &["--json"]].concat());
    assert_eq!(told.code, 1, "{told:?}");
    let error = told.json()[0]["error"].as_str().unwrap().to_owned();
    for part in said {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
}

type Case = (fn(&Asked) -> bool, u16, String, &'static [&'static str]);

#[test]
fn each_obstacle_in_label_studio_names_its_cure() {
    let url = |asked: &Asked| asked.is("POST", "/api/webhooks/");
    let cases: [Case; 9] = [
        (
            url,
            403,
            detail("URL resolves to a reserved network address (block: 127.0.0.0/8)"),
            &[
                "reserved network address (block: 127.0.0.0/8)",
                "SSRF_PROTECTION_ENABLED=false",
                "LABEL_STUDIO_SSRF_PROTECTION_ENABLED=false",
                "USE_DEFAULT_BANNED_SUBNETS=false",
                "--relay https://HOST",
                "labelrelay pull label-studio --every 10s",
            ],
        ),
        (
            url,
            400,
            json!({"detail": "Validation error", "validation_errors": {"url": ["Enter a valid URL."], "project": ["x"]}})
                .to_string(),
            &["Enter a valid URL", "a name with a dot", "--relay"],
        ),
        (
            url,
            500,
            detail("Can't resolve hostname relay.test"),
            &["Can't resolve hostname relay.test", "that its machine knows"],
        ),
        (
            url,
            403,
            detail("You do not have permission to perform this action."),
            &["You do not have permission", "an owner, an administrator or a manager"],
        ),
        (
            |asked| asked.is("GET", "/api/webhooks/"),
            403,
            detail("You do not have permission to perform this action."),
            &["answer 403", "that its user has the right"],
        ),
        (
            |asked| asked.path.ends_with("whoami"),
            200,
            "<!doctype html><html></html>".to_owned(),
            &["is a web page", "no login stands before it"],
        ),
        (
            |asked| asked.path.ends_with("whoami"),
            404,
            "Not found".to_owned(),
            &["no such thing", "without the path of one of its pages"],
        ),
        (
            |asked| asked.path.ends_with("whoami"),
            302,
            String::new(),
            &["answered 302", "write the URL to which it redirects"],
        ),
        (
            |asked| asked.path.starts_with("/api/version"),
            200,
            "{}".to_owned(),
            &["is not what Label Studio's API answers", "1.20 to 1.23"],
        ),
    ];
    for (is_it, status, body, said) in cases {
        let scene = Scene::new();
        scene
            .label_studio
            .fails(move |asked| is_it(asked).then(|| Fault::Answer(status, body.clone())));
        // Where it does without webhooks, it says the same: `pull_instead`.
        stopped(&scene, &["--push-only"], said);
    }
}

#[test]
fn tokens_and_projects_that_are_not_there_are_named() {
    let scene = Scene::new();
    stopped(
        &scene,
        &["--project", "9"],
        &["project 9 is not there", "--project 9"],
    );
    scene.label_studio.state().projects.clear();
    stopped(&scene, &[], &["no project to connect", "run this again"]);

    let wrong = "ffffffffffffffffffffffffffffffffffffffff";
    let place = configured().with("LABEL_STUDIO_API_KEY", wrong);
    let relay = "http://127.0.0.1:9";
    let words = [
        "connect",
        "label-studio",
        &scene.label_studio.url,
        "--relay",
        relay,
    ];
    let ran = shows_no_secret(place.run(&words));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("refuses the token"), "{ran:?}");
    assert!(!format!("{ran:?}").contains(wrong), "{ran:?}");
}

#[test]
fn a_label_studio_that_cannot_be_reached_is_named() {
    let place = configured().with("LABEL_STUDIO_API_KEY", TOKEN);
    let url = "http://127.0.0.1:9";
    let relay = "http://127.0.0.1:8090";
    let ran = place.run(&["connect", "label-studio", url, "--relay", relay]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("cannot connect to http://127.0.0.1:9"),
        "{ran:?}"
    );
}

#[test]
fn one_project_that_refuses_does_not_keep_the_others_from_being_connected() {
    let scene = Scene::new();
    scene.label_studio.fails(|asked| {
        let is_first = asked.makes_webhook() && asked.body["project"] == 1;
        is_first.then(|| Fault::Answer(404, detail("Project not found.")))
    });
    let ran = scene.connect(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("  -- project 1 \"Cars\": "), "{ran:?}");
    assert!(
        ran.stdout
            .contains("  ok project 2 \"Boats\": webhook 7 made"),
        "{ran:?}"
    );
}

#[test]
fn doubts_are_said_and_keep_nobody_from_being_connected() {
    let scene = Scene::new();
    scene.label_studio.state().version = "1.31.0";
    let ran = scene.connect(&["--relay", "http://127.0.0.1:9"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("1.31.0 is not a version"), "{ran:?}");
    assert!(
        ran.stdout.contains("  -- the relay does not answer"),
        "{ran:?}"
    );
    let told = scene.connect(&["--relay", "http://127.0.0.1:9", "--json"]);
    assert_eq!(told.json()[0]["warnings"].as_array().unwrap().len(), 2);
    assert_eq!(told.json()[0]["ok"], true);
}

#[test]
fn words_that_cannot_be_meant_are_refused_before_anybody_is_asked() {
    let label_studio = StandIn::start();
    let url = label_studio.url.as_str();
    let place = || configured().with("LABEL_STUDIO_API_KEY", TOKEN);
    let relay = "http://127.0.0.1:8090";
    for (words, code, said) in [
        (&["--relay", relay][..], 2, "LABEL_STUDIO_URL"),
        (
            &["127.0.0.1:8080", "--relay", relay],
            2,
            "begins with http://",
        ),
        (
            &["http://me:hidden@h", "--relay", relay],
            2,
            "give the token by --token",
        ),
        (
            &["http://h/projects?page=1", "--relay", relay],
            2,
            "before any `?`",
        ),
        (&[url], 2, "start `labelrelay serve`, or give --relay"),
        (&[url, "--relay", "relay.test"], 2, "is not a URL"),
        (&[url, "--relay", "http://me:hidden@h"], 2, "takes no user"),
        (
            &[url, "--relay", "http://h/labelbox"],
            2,
            "ends in /labelbox",
        ),
        (
            &[url, "--relay", "http://h/label_studio"],
            2,
            "leave /label_studio away",
        ),
        (
            &[url, "--relay", relay, "--source", "labelbox"],
            2,
            "no such source",
        ),
        (
            &[url, "--relay", relay, "--token", TOKEN],
            2,
            "not the secret",
        ),
        (
            &[url, "--relay", relay, "--project", "Cars"],
            2,
            "--project",
        ),
        (&[url, "--relay", relay, "--plan", "--probe"], 2, "--probe"),
    ] {
        let all = [&["connect", "label-studio"], words].concat();
        let ran = place().run(&all);
        ran.failed(code, &[said]);
        assert!(!format!("{ran:?}").contains("hidden"), "{ran:?}");
    }
    let nowhere = Place::new().with("LABEL_STUDIO_API_KEY", TOKEN);
    nowhere
        .run(&["connect", "label-studio", url, "--relay", relay])
        .failed(78, &["labelrelay serve"]);
    let place = place();
    place.write("label-studio.secret", b"a secret \x01 of bytes");
    place
        .run(&["connect", "label-studio", url, "--relay", relay])
        .failed(78, &["cannot stand in a header"]);
}

#[test]
fn the_configured_url_is_the_relay_s() {
    let scene = Scene::new();
    let public = "[serve]\npublic_url = \"https://relay.example.org/in\"\n";
    scene
        .place
        .write("labelrelay.toml", format!("{CONFIG}{public}"));
    let told = scene.connect(&["--plan", "--json"]);
    let relay = "https://relay.example.org/in/label-studio";
    assert_eq!(told.json()[0]["relay"], relay);
    let mut named = CONFIG.to_owned();
    named.push_str("header = \"X-Token\"\n");
    scene.place.write("labelrelay.toml", named);
    scene.connect(&["--project", "1"]).good();
    let headers = scene.label_studio.webhooks()[1]["headers"].clone();
    assert_eq!(headers, json!({"x-token": super::SECRET}));
}

#[test]
fn the_lines_for_pulling_are_printed_where_no_webhook_can_work() {
    let refuse = |asked: &Asked| {
        asked.is("POST", "/api/webhooks/").then(|| {
            Fault::Answer(
                403,
                detail("URL resolves to a reserved network address (block: 127.0.0.0/8)"),
            )
        })
    };
    let scene = Scene::new();
    scene.label_studio.fails(refuse);
    let ran = scene.connect(&["--push-only"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    // The command that writes them knows Label Studio from the command line alone, and so does the one it prints.
    let repair = format!(
        "`labelrelay connect label-studio {} --repair` does so",
        scene.label_studio.url
    );
    assert!(ran.stdout.contains(&repair), "no {repair:?} in {ran:?}");
    let (_, section) = ran.stdout.split_once("\n[source.pull]\n").unwrap();
    let url = format!("url = \"{}\"\n", scene.label_studio.url);
    assert!(section.contains(&url), "{section}");
    assert!(
        section.contains("token = \"env:LABEL_STUDIO_API_KEY\"\n"),
        "{section}"
    );
    let config = scene.place.read("labelrelay.toml");
    scene.place.write(
        "labelrelay.toml",
        format!("{config}[source.pull]\n{section}"),
    );
    let Scene { place, serving, .. } = scene;
    assert_eq!(serving.stop(), 0);
    let serving = place.serve(&[]);
    place.logged(&["pulls from the platform by itself"]);
    assert_eq!(serving.stop(), 0);
    // A configuration of variables has a cure of variables.
    let place = Place::new()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_WEBHOOK_SECRET", "a-secret-of-label-studio");
    let label_studio = StandIn::start();
    label_studio.fails(refuse);
    let ran = place.run(&[
        "connect",
        "label-studio",
        &label_studio.url,
        "--relay",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for line in [
        "LABEL_STUDIO_PULL_EVERY=10s\n".to_owned(),
        format!("LABEL_STUDIO_URL={}\n", label_studio.url),
    ] {
        assert!(ran.stdout.contains(&line), "{ran:?}");
    }
}
