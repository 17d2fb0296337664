//! Help fits the terminal, and is broken by its width alone.

use crate::support::Place;

/// Every verb: the empty list is the program itself.
const VERBS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["send"],
    &["verify"],
    &["events"],
    &["consume"],
    &["archive"],
    &["archive", "compact"],
    &["archive", "write"],
    &["dataset"],
    &["dataset", "sync"],
    &["dataset", "verify"],
    &["dataset", "rebuild"],
    &["dataset", "status"],
    &["dataset", "fetch"],
    &["dataset", "forget"],
    &["queue"],
    &["pull"],
    &["pull", "label-studio"],
    &["pull", "labelbox"],
    &["dataset"],
    &["dataset", "sync"],
    &["dataset", "verify"],
    &["dataset", "rebuild"],
    &["dataset", "forget"],
    &["connect"],
    &["connect", "label-studio"],
    &["connect", "labelbox"],
    &["connect", "list"],
    &["connect", "list", "label-studio"],
    &["connect", "list", "labelbox"],
    &["status"],
    &["completions"],
];

/// The verbs that `words` has below it.
fn below(place: &Place, words: &[&str]) -> Vec<String> {
    let help = place.run(&[words, &["--help"]].concat());
    let commands = help.good().split("Commands:\n").nth(1).unwrap_or_default();
    commands
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_fits_and_is_wrapped_once() {
    let place = Place::new();
    let queue = below(&place, &["queue"]);
    assert!(queue.len() > 5, "{queue:?}");
    let queue = queue.iter().map(|verb| vec!["queue", verb.as_str()]);
    let events = below(&place, &["events"]);
    assert!(events.len() > 5, "{events:?}");
    let events = events.iter().map(|verb| vec!["events", verb.as_str()]);
    let verbs = VERBS
        .iter()
        .map(|verb| verb.to_vec())
        .chain(queue)
        .chain(events);
    for verb in verbs {
        for (width, flag) in [(80, "--help"), (100, "--help"), (80, "-h")] {
            let mut command = place.command(&[&verb[..], &[flag]].concat());
            let output = command.env("COLUMNS", width.to_string()).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            for line in text.lines() {
                // Lines that cannot be broken: an example is copied whole, a word is not split.
                let is_example = line.starts_with("  ") && text.contains("Examples:");
                assert!(
                    line.chars().count() <= width || is_example,
                    "{verb:?} at {width}: {line:?}"
                );
            }
            assert_wrapped_once(&verb, width, &text);
        }
    }
}

/// Within a paragraph a line ends only where the next word would not have fitted.
fn assert_wrapped_once(verb: &[&str], width: usize, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let [line, next] = pair else { unreachable!() };
        let is_prose =
            |line: &str| line.starts_with(|c: char| c.is_alphanumeric() || c == '`' || c == '(');
        let begins_something =
            next.starts_with("Usage:") || next.ends_with(':') || line.ends_with(':');
        if !is_prose(line) || !is_prose(next) || begins_something {
            continue;
        }
        let word = next.split(' ').next().unwrap();
        let would_be = line.chars().count() + 1 + word.chars().count();
        assert!(
            would_be > width,
            "{verb:?} at {width}: {word:?} had room behind {line:?}\n{text}"
        );
    }
}
