//! Random JSON that few people write, and every sender may.

use labelrelay_tests::random::Random;

/// Pieces of strings, as they stand in the body: legal, and of the kind that something on the way changes.
const PIECES: [&str; 16] = [
    "plain",
    "é",
    "\u{1f333}",
    "\\u00e9",
    "\\ud83c\\udf33",
    "\\ud800",
    "\\u0000",
    "\\\"}],\\\"data\\\":",
    "\\/",
    "\\\\",
    "\u{202e}right to left",
    "\u{ffff}",
    "\u{2028}",
    "<script>",
    "a\u{301}",
    "\\u007f",
];

/// Numbers that a parser and a printer rarely give back as they came.
const NUMBERS: [&str; 12] = [
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1e0",
    "1E+2",
    "0.1000000000000000055511151231257827",
    "9007199254740993",
    "18446744073709551616",
    "1e999",
    "-1e-999",
    "3.141592653589793238462643383279",
];

const SPACES: [&str; 6] = ["", "", "", " ", "  ", "\n\t"];

/// An object with `tag` in it.
pub(crate) fn object(random: &mut Random, tag: &str) -> String {
    let mut text = String::from("{");
    for _ in 0..random.below(6) {
        member(random, &mut text, 3);
        text.push(',');
    }
    text.push_str("\"tag\":\"");
    text.push_str(tag);
    text.push_str("\"}");
    text
}

fn member(random: &mut Random, text: &mut String, depth: u32) {
    string(random, text);
    text.push_str(pick(random, &SPACES));
    text.push(':');
    text.push_str(pick(random, &SPACES));
    value(random, text, depth);
}

fn value(random: &mut Random, text: &mut String, depth: u32) {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 | 1 => string(random, text),
        2 | 3 => text.push_str(pick(random, &NUMBERS)),
        4 => text.push_str(pick(random, &["true", "false", "null"])),
        5 => list(random, text, '[', ']', |random, text| {
            value(random, text, depth - 1);
        }),
        _ => list(random, text, '{', '}', |random, text| {
            member(random, text, depth - 1);
        }),
    }
}

fn list(
    random: &mut Random,
    text: &mut String,
    open: char,
    close: char,
    mut item: impl FnMut(&mut Random, &mut String),
) {
    text.push(open);
    for number in 0..random.below(4) {
        if number > 0 {
            text.push(',');
        }
        text.push_str(pick(random, &SPACES));
        item(random, text);
    }
    text.push(close);
}

fn string(random: &mut Random, text: &mut String) {
    text.push('"');
    for _ in 0..random.below(4) {
        text.push_str(pick(random, &PIECES));
    }
    text.push('"');
}

fn pick<'a>(random: &mut Random, choices: &[&'a str]) -> &'a str {
    choices[usize::try_from(random.below(choices.len() as u64)).unwrap()]
}
