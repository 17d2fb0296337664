//! Messages that are almost like one that was sent.

use super::value_places::Places;
use labelrelay_tests::random::Random;

/// Values that somebody once sent, or that a reader could stumble over.
const ODD: [&str; 52] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1.5",
    "-0.0",
    "5",
    "1e400",
    "1e-400",
    "-1e15",
    "0e5",
    "1.0",
    "9007199254740991",
    "9007199254740993",
    "18446744073709551616",
    "1e2",
    "\"\"",
    "\"a\"",
    "\"7\"",
    r#""\ud83d""#,
    r#""\ude00\ud83d""#,
    r#""\ud83d\ude00""#,
    r#""\\ud83d""#,
    r#""\u0000\n\"\/""#,
    "\"\u{1f600}\u{e9}\"",
    "[]",
    "[[]]",
    "{}",
    "[null]",
    "[5]",
    "[\"a\",\"b\"]",
    "[\"a\",7]",
    "[[\"a\",\"b\"],[\"c\"]]",
    "[1,2,3]",
    "[256]",
    r#"{"id":null}"#,
    r#"{"id":5}"#,
    r#"{"id":{"id":5}}"#,
    r#"[{"id":5},{"id":5}]"#,
    r#"{"\u0069d":"5","id":"6"}"#,
    "\"2026-11-20T08:00:00.5Z\"",
    "\"9999-12-31T23:59:59-23:59\"",
    "\"0001-01-01T00:00:00+23:59\"",
    "\"2024-02-29T23:59:59.123456789-00:30\"",
    r#"{"x":1,"y":2}"#,
    "[[1,2]]",
    "\"{\"",
    r#""{\"objects\":[7],\"classifications\":\"x\"}""#,
    "\"rectanglelabels\"",
    "\"relation\"",
];

const NAMES: [&str; 24] = [
    "id",
    "type",
    "value",
    "labels",
    "task",
    "project",
    "annotation",
    "annotations",
    "result",
    "text",
    "start",
    "end",
    "x",
    "points",
    "answer",
    "answers",
    "content",
    "classifications",
    "objects",
    "frames",
    "name",
    "data",
    "from_name",
    "rotation",
];

/// Members that hold what people marked: most of a body is not theirs, and most of a reader is.
const MARKS: [&str; 6] = [
    "result",
    "value",
    "annotations",
    "objects",
    "classifications",
    "frames",
];

/// A message that is one of these, changed in one to four places.
pub(super) fn mutated(originals: &[Vec<u8>], dice: &mut Random) -> Vec<u8> {
    let mut message = one(originals, dice).clone();
    let times = 1 + dice.below(3);
    for _ in 0..times {
        message = match dice.below(20) {
            0 => bytes(message, dice),
            1..=4 => within_a_string(&message, originals, dice),
            _ => values(message, originals, dice),
        };
    }
    message
}

fn one<'t, T>(of: &'t [T], dice: &mut Random) -> &'t T {
    &of[place(of.len(), dice)]
}

fn place(below: usize, dice: &mut Random) -> usize {
    usize::try_from(dice.below(below.max(1) as u64)).unwrap()
}

fn bytes(mut message: Vec<u8>, dice: &mut Random) -> Vec<u8> {
    let at = place(message.len(), dice);
    let sign = *one(b"\"{}[],:0123456789eE.-\\u \ntfnNI\x00\x80\xff", dice);
    match dice.below(4) {
        0 if at < message.len() => message[at] = sign,
        1 => drop(message.drain(at..(at + 1 + place(9, dice)).min(message.len()))),
        2 => message.insert(at, sign),
        _ => {
            let end = (at + 1 + place(40, dice)).min(message.len());
            let again = message[at..end].to_vec();
            message.splice(at..at, again);
        }
    }
    message
}

/// Another value in the place of one, a member less, or one twice or under another name.
fn values(mut message: Vec<u8>, originals: &[Vec<u8>], dice: &mut Random) -> Vec<u8> {
    let mut places = Places::of(&message);
    if dice.below(10) > 0 {
        // An attribute that is odd is an error, and says nothing of the body.
        let mark = b",\"data\":";
        let body = message.windows(mark.len()).position(|part| part == mark);
        let body = body.map_or(0, |at| at + mark.len());
        places.values.retain(|place| place.start >= body);
        places.members.retain(|place| place.start >= body);
    }
    if dice.below(2) > 0 {
        let name = *one(MARKS.as_slice(), dice);
        places.stay_within(&message, name);
    }
    if places.values.is_empty() || places.members.is_empty() {
        return message;
    }
    let value = one(&places.values, dice).clone();
    let member = one(&places.members, dice).clone();
    match dice.below(12) {
        0 | 1 => {
            // With the comma before it, or else behind it.
            let before = message[..member.start].trim_ascii_end();
            let start = before.strip_suffix(b",").map_or(member.start, <[u8]>::len);
            let follows = start == member.start && message.get(member.end) == Some(&b',');
            drop(message.drain(start..member.end + usize::from(follows)));
        }
        2 => {
            let name = one(&NAMES, dice);
            let odd = one(&ODD, dice);
            message.splice(
                member.start..member.start,
                format!("\"{name}\":{odd},").into_bytes(),
            );
        }
        3 => {
            let mut again = message[member.clone()].to_vec();
            again.push(b',');
            let there = one(&places.members, dice).start;
            message.splice(there..there, again);
        }
        4 => {
            // An array of the value, or an array's first element.
            let held = message[value.clone()].to_vec();
            message.splice(value, [b"[".as_slice(), &held, b"]"].concat());
        }
        5 => {
            let mut twice = message[value.clone()].to_vec();
            twice.insert(0, b',');
            message.splice(value.end..value.end, twice);
        }
        6 | 7 => {
            let other = one(originals, dice);
            let places = Places::of(other);
            if !places.values.is_empty() {
                let value_there = one(&places.values, dice).clone();
                if value_there.len() < 4_000 {
                    message.splice(value, other[value_there].iter().copied());
                }
            }
        }
        8 => {
            let own = one(&places.values, dice).clone();
            let own = message[own].to_vec();
            message.splice(value, own);
        }
        _ => drop(message.splice(value, one(&ODD, dice).bytes())),
    }
    message
}

/// A change of the JSON that stands in a string: the annotations of a flat label.
fn within_a_string(message: &[u8], originals: &[Vec<u8>], dice: &mut Random) -> Vec<u8> {
    let places = Places::of(message).values;
    let strings = places
        .into_iter()
        .filter(|place| message[place.clone()].starts_with(b"\"{"));
    let strings: Vec<_> = strings.collect();
    if strings.is_empty() {
        return values(message.to_vec(), originals, dice);
    }
    let place = one(&strings, dice).clone();
    let Ok(inner) = serde_json::from_slice::<String>(&message[place.clone()]) else {
        return message.to_vec();
    };
    let inner = values(inner.into_bytes(), originals, dice);
    let written = serde_json::to_vec(&String::from_utf8_lossy(&inner)).unwrap();
    let mut message = message.to_vec();
    message.splice(place, written);
    message
}
