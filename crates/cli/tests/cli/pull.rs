//! `labelrelay pull`: what it says before it asks anybody. What it does is tried with a real Label
//! Studio, in `tests/e2e`.

use crate::connect::stand_in::{StandIn, TOKEN};
use crate::support::Place;

const URL: &str = "http://127.0.0.1:9";

const SECRET: &str = "secret0of0more0than0sixteen0bytes";

fn place() -> Place {
    Place::new()
        .with("LABEL_STUDIO_URL", URL)
        .with("LABEL_STUDIO_API_KEY", "0123456789abcdef")
        .with("LABEL_STUDIO_WEBHOOK_SECRET", SECRET)
}

fn run(place: &Place, words: &[&str], code: i32, said: &[&str]) {
    let words = [&["pull", "label-studio"], words].concat();
    place.run(&words).failed(code, said);
}

#[test]
fn missing_settings_are_asked_for() {
    run(
        &place().with("LABEL_STUDIO_URL", ""),
        &[],
        2,
        &["--url http://HOST:PORT", "LABEL_STUDIO_URL"],
    );
    run(
        &Place::new()
            .with("LABEL_STUDIO_URL", URL)
            .with("LABEL_STUDIO_WEBHOOK_SECRET", SECRET),
        &[],
        2,
        &["LABEL_STUDIO_API_KEY is not set", "--token file:/path"],
    );
    let nowhere = Place::new()
        .with("LABEL_STUDIO_URL", URL)
        .with("LABEL_STUDIO_API_KEY", "0123456789abcdef");
    run(&nowhere, &[], 78, &["--config FILE"]);
    place().run(&["pull"]).failed(2, &["label-studio"]);
}

#[test]
fn urls_and_tokens_are_what_they_should_be() {
    let place = place();
    for (url, said) in [
        ("127.0.0.1:8080", "begins with http://"),
        ("ftp://127.0.0.1", "begins with http://"),
        ("http://me:secret@127.0.0.1", "give the token by --token"),
    ] {
        run(&place, &["--url", url], 2, &[said]);
    }
    run(
        &place,
        &["--token", "0123456789abcdef"],
        2,
        &["not the secret"],
    );
    run(&place, &["--token", "file:nowhere"], 78, &["nowhere"]);
    run(&place, &["--rate", "0"], 2, &["a number above 0"]);
    run(
        &place,
        &["--since", "yesterday"],
        2,
        &["2026-11-01T00:00:00Z"],
    );
}

#[test]
fn the_source_is_the_one_of_the_platform() {
    let place = place();
    let source = |name: &str, provider: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nprovider = \"{provider}\"\nsecret = \"env:LABEL_STUDIO_WEBHOOK_SECRET\"\n"
        )
    };
    place.write("labelrelay.toml", source("box", "labelbox"));
    run(&place, &[], 78, &["no source is of label-studio"]);
    let both = [source("one", "label-studio"), source("two", "label-studio")].concat();
    place.write("labelrelay.toml", both);
    run(&place, &[], 2, &["--source NAME", "one, two"]);
    run(
        &place,
        &["--source", "three"],
        2,
        &["no such source", "one, two"],
    );
    let pipe = format!("queue = \"stdout:\"\n{}", source("one", "label-studio"));
    place.write("labelrelay.toml", pipe);
    run(&place, &[], 2, &["--ledger URL", "a blob store"]);
    run(&place, &["--ledger", "ledger"], 78, &["--ledger"]);
    place.write("labelrelay.toml", source("one", "label-studio"));
    run(
        &place,
        &["--ledger", "file:ledger"],
        2,
        &["--ledger is for queues elsewhere", "queue.db.ledger"],
    );
}

/// `status` prints this command without a URL where the configuration has one.
#[test]
fn what_the_command_line_leaves_out_stands_in_the_sections() {
    let label_studio = StandIn::start();
    let place = Place::new();
    place.write("hook.secret", SECRET);
    place.write("ls.token", TOKEN);
    let there = format!(
        "url = \"{}\"\ntoken = \"file:ls.token\"\n",
        label_studio.url
    );
    let pull = format!("[source.pull]\nevery = \"10s\"\n{there}");
    let webhook = format!("[source.webhook]\n{there}");
    for (sections, said) in [
        (webhook.clone(), "2 projects, "),
        (format!("{webhook}projects = [1]\n"), "1 projects, "),
        (format!("{pull}projects = [2]\n"), "1 projects, "),
        // What is pulled besides may be more than what is delivered.
        (
            format!("{pull}[source.webhook]\nprojects = [1]\n"),
            "2 projects, ",
        ),
    ] {
        place.write(
            "labelrelay.toml",
            format!(
                "queue = \"sqlite:queue.db\"\n[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"file:hook.secret\"\n{sections}"
            ),
        );
        let ran = place.run(&["pull", "label-studio"]);
        assert!(ran.good().starts_with(said), "{sections}: {ran:?}");
    }
    // The flag counts more.
    run(&place, &["--project", "9"], 1, &["project 9 is gone"]);
}
