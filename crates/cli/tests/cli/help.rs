//! Help and completions.

use crate::support::Place;

#[test]
fn every_verb_explains_itself_with_examples() {
    let place = Place::new();
    let verbs: [&[&str]; 41] = [
        &["serve"],
        &["send"],
        &["verify"],
        &["connect"],
        &["connect", "label-studio"],
        &["connect", "labelbox"],
        &["connect", "list"],
        &["connect", "list", "label-studio"],
        &["connect", "list", "labelbox"],
        &["status"],
        &["consume"],
        &["events"],
        &["events", "list"],
        &["events", "show"],
        &["events", "tail"],
        &["events", "retry"],
        &["events", "replay"],
        &["events", "export"],
        &["events", "forget"],
        &["events", "page"],
        &["pull"],
        &["pull", "label-studio"],
        &["pull", "labelbox"],
        &["archive"],
        &["archive", "compact"],
        &["archive", "write"],
        &["dataset"],
        &["dataset", "sync"],
        &["dataset", "verify"],
        &["dataset", "rebuild"],
        &["dataset", "fetch"],
        &["dataset", "forget"],
        &["queue"],
        &["queue", "receive"],
        &["queue", "ack"],
        &["queue", "nack"],
        &["queue", "extend"],
        &["queue", "pipe"],
        &["queue", "stats"],
        &["queue", "prune"],
        &["completions"],
    ];
    for verb in verbs {
        let help = place.run(&[verb, &["--help"]].concat());
        let text = help.good();
        assert!(
            text.contains("Examples:\n  ") && text.contains("Exit codes:"),
            "{verb:?}: {text}"
        );
        let begins = |word: &str| text.find(word).unwrap();
        assert!(begins("Examples:") < begins("Usage:"), "{verb:?}: {text}");
        // A screen of a terminal that somebody has made large enough to work in.
        assert!(text.lines().count() <= 50, "{verb:?}: {text}");
    }
}

#[test]
fn shells_get_their_completions() {
    let place = Place::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef labelrelay"),
        ("fish", "complete -c labelrelay"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = place.run(&["completions", shell]);
        assert!(script.good().contains(word), "{shell}");
        assert!(
            script.stdout.contains("export"),
            "{shell} knows the verbs below `events`"
        );
    }
    place.run(&["completions", "csh"]).failed(2, &["csh"]);
}

#[test]
fn wrong_words_are_wrong_usage() {
    let place = Place::new();
    place
        .run(&[])
        .failed(2, &["Usage", "Begin here", "labelrelay serve --demo"]);
    for gone in ["check", "redrive", "reconcile", "replay", "trigger"] {
        place.run(&[gone]).failed(2, &[gone]);
    }
    place.run(&["serve", "--liste"]).failed(2, &["--listen"]);
    place
        .run(&["serve", "--demo", "--listen", "127.0.0.1:0"])
        .failed(2, &["--demo"]);
    let long = place.run(&["--version"]);
    let lines: Vec<&str> = long.good().lines().collect();
    assert!(lines[0].starts_with("labelrelay 0."), "{lines:?}");
    assert!(lines[1].starts_with("commit   "), "{lines:?}");
    assert!(lines[2].starts_with("features "), "{lines:?}");
    assert_eq!(lines[2].contains("aws"), cfg!(feature = "aws"), "{lines:?}");
    // For scripts that want nothing but the version.
    let short = place.run(&["-V"]);
    assert_eq!(short.good().trim_end(), lines[0]);
}
