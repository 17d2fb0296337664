//! Decisions equal `serde_json`'s, in every way of splitting.

#![expect(
    clippy::unwrap_used,
    reason = "a test that misses something shall fail"
)]

use labelrelay_json::{
    Check, Container, Interest, MAX_DEPTH, MAX_SCALAR_BYTES, Scalar, Scanner, Text, Visitor, check,
};
use proptest::prelude::*;
use serde_json::value::RawValue;

/// Writes down everything that it hears.
#[derive(Default)]
struct Recorder {
    heard: Vec<String>,
    watch_to: u32,
}

impl Visitor for Recorder {
    fn key(&mut self, depth: u32, key: Text<'_>) {
        self.heard.push(format!("{depth} key {:?}", key.decode()));
    }
    fn scalar(&mut self, depth: u32, scalar: Scalar<'_>) {
        self.heard.push(match scalar {
            Scalar::String(text) => format!("{depth} string {:?}", text.decode()),
            other => format!("{depth} {other:?}"),
        });
    }
    fn open(&mut self, depth: u32, container: Container) -> Interest {
        self.heard.push(format!("{depth} {container:?}"));
        if depth < self.watch_to {
            Interest::Watch
        } else {
            Interest::Skip
        }
    }
    fn close(&mut self, depth: u32) {
        self.heard.push(format!("{depth} end"));
    }
}

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, watch_to: u32) -> (Check, Vec<String>) {
    let mut scanner = Scanner::new(Recorder {
        watch_to,
        ..Recorder::default()
    });
    for piece in pieces {
        scanner.update(piece);
    }
    let (check, recorder) = scanner.finish();
    (check, recorder.heard)
}

fn expected(body: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(body).is_ok()
}

/// Whole, in two at every place, and byte by byte: one result, and `serde_json`'s.
fn assert_agrees(body: &[u8]) {
    for watch_to in [0, 1, 9] {
        let (check, heard) = scan([body], watch_to);
        assert_eq!(
            check.is_json,
            expected(body),
            "{:?}",
            String::from_utf8_lossy(body)
        );
        for split in 0..=body.len() {
            let (before, after) = body.split_at(split);
            let (in_two, heard_in_two) = scan([before, after], watch_to);
            assert_eq!(
                in_two.is_json,
                check.is_json,
                "split at {split}: {:?}",
                String::from_utf8_lossy(body)
            );
            if check.is_json {
                assert_eq!(
                    in_two,
                    check,
                    "split at {split}: {:?}",
                    String::from_utf8_lossy(body)
                );
                assert_eq!(
                    heard_in_two,
                    heard,
                    "split at {split}: {:?}",
                    String::from_utf8_lossy(body)
                );
            }
        }
        let (bytewise, heard_bytewise) = scan(body.chunks(1), watch_to);
        assert_eq!(
            bytewise.is_json,
            check.is_json,
            "byte by byte: {:?}",
            String::from_utf8_lossy(body)
        );
        if check.is_json {
            assert_eq!((bytewise, heard_bytewise), (check, heard));
        }
    }
    if expected(body) {
        let text = std::str::from_utf8(body).unwrap();
        let (check, _) = scan([body], 9);
        assert_eq!(
            check.has_line_breaks,
            text.contains(['\n', '\r']),
            "{text:?}"
        );
        assert_eq!(
            check.has_noncharacters,
            text.contains(['\u{fffe}', '\u{ffff}']),
            "{text:?}"
        );
        assert_eq!(
            check.has_line_separators,
            text.contains(['\u{85}', '\u{2028}', '\u{2029}']),
            "{text:?}"
        );
        // Not half of a pair, and nothing too large to be a double, are what serde_json's own values take.
        if check.depth < 100 && serde_json::from_str::<serde_json::Value>(text).is_err() {
            assert!(
                check.has_lone_surrogates || check.has_immodest_numbers,
                "{text:?}"
            );
        } else if check.depth < 100 {
            assert!(!check.has_lone_surrogates, "{text:?}");
        }
        let raw: &RawValue = serde_json::from_slice(body).unwrap();
        assert_eq!(
            check.has_outer_whitespace,
            raw.get().len() != text.len(),
            "{text:?}"
        );
    }
}

/// Every string of up to five characters out of those that grammar turns on.
#[test]
fn agrees_on_all_short_texts() {
    let alphabet = b"{}[]:,\"\\0-1.eu \n";
    let mut body = Vec::new();
    for length in 0..=5_u32 {
        for mut number in 0..alphabet.len().pow(length) {
            body.clear();
            for _ in 0..length {
                body.push(alphabet[number % alphabet.len()]);
                number /= alphabet.len();
            }
            assert_eq!(
                check(&body).is_json,
                expected(&body),
                "{:?}",
                String::from_utf8_lossy(&body)
            );
            assert_eq!(
                scan(body.chunks(1), 9).0.is_json,
                expected(&body),
                "{:?}",
                String::from_utf8_lossy(&body)
            );
        }
    }
}

#[test]
fn agrees_on_tokens() {
    for body in [
        "true",
        "false",
        "null",
        "tru",
        "truee",
        "nul",
        "True",
        "-",
        "-0",
        "-01",
        "01",
        "1.",
        ".5",
        "1.5e",
        "1e+",
        "1E-05",
        "1e400",
        "-0.0e-0",
        "12345678",
        "123456789.123456789",
        "12345678x",
        r#""\u12"#,
        r#""\u12g4""#,
        r#""\x""#,
        r#""a"b"#,
        "\"\t\"",
        "\"\u{7f}\"",
        r#"{"a":1,}"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        "{a:1}",
        r#"{"a":1 "b":2}"#,
        "[1,]",
        "[,1]",
        "[1 2]",
        "[]]",
        "[}",
        "{]",
        "{} {}",
        " \t\r\n[ 1 , 2 ] \n",
        "\u{feff}{}",
        r#"{"action": "A", "annotation": {"id": 12, "result": [{"x": [1, {"y": null}]}], "task": 3}, "é😀": "\ud83d\u0000"}"#,
        "[\"\u{ffff}\", \"\u{fffe}\", \"\u{fdd0}\"]",
        "{\"long enough for blocks of thirty-two bytes, twice over, I hope\": \"and \\\"this\\\" too, with enough plain text behind it to get there\"}",
    ] {
        assert_agrees(body.as_bytes());
    }
    for body in [
        &b"\"\xff\""[..],
        b"\"\xed\xa0\x80\"",
        b"\"\xe2\x82\"",
        b"[\"a\x80\"]",
        b"\xe2\x82\xac",
    ] {
        assert_agrees(body);
    }
}

#[test]
fn nesting_is_followed_to_its_limit_and_no_further() {
    let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    for levels in [1, 63, 64, 65, 128, 200, 501, 100_000, MAX_DEPTH as usize] {
        for watch_to in [0, 70] {
            let (check, _) = scan([&*nested(levels)], watch_to);
            assert!(check.is_json, "{levels}");
            assert_eq!(check.depth as usize, levels);
        }
    }
    assert!(!check(&nested(MAX_DEPTH as usize + 1)).is_json);
    assert!(!check(&[b"[".repeat(70), b"]".repeat(69)].concat()).is_json);
}

#[test]
fn long_scalars_are_heard_of_but_not_kept() {
    for (length, kept) in [
        (MAX_SCALAR_BYTES, true),
        (MAX_SCALAR_BYTES + 1, false),
        (3 * MAX_SCALAR_BYTES, false),
    ] {
        let body = format!("[\"{}\"]", "x".repeat(length));
        for pieces in [1, 7, 4096, body.len()] {
            let (check, heard) = scan(body.as_bytes().chunks(pieces), 9);
            assert!(check.is_json);
            assert_eq!(
                heard.contains(&"1 string None".to_owned()),
                !kept,
                "{length} in {pieces}"
            );
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", "", " ", "\n  ", "\t"]);
    let string = prop_oneof![
        "\"[a-z _]{0,40}\"",
        "\"([a-zé€😀\u{ffff}]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,20}\"",
        Just("\"id\"".to_owned()),
    ];
    let scalar = prop_oneof![
        string.clone(),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?",
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("null".to_owned()),
    ];
    let value = scalar.prop_recursive(6, 60, 6, move |inner| {
        let member = (string.clone(), space(), space(), inner.clone())
            .prop_map(|(key, a, b, value)| format!("{key}{a}:{b}{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..6), space())
                .prop_map(|(items, s)| format!("[{s}{}{s}]", items.join(&format!(",{s}")))),
            (prop::collection::vec(member, 0..6), space())
                .prop_map(|(items, s)| format!("{{{s}{}{s}}}", items.join(&format!("{s},")))),
        ]
    });
    (space(), value, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_on_json(body in json()) {
        prop_assert!(expected(body.as_bytes()));
        assert_agrees(body.as_bytes());
    }

    #[test]
    fn agrees_on_damaged_json(body in json(), at: prop::sample::Index, byte: u8, how in 0..3) {
        let mut body = body.into_bytes();
        let at = at.index(body.len());
        match how {
            0 => body[at] = byte,
            1 => body.insert(at, byte),
            _ => { body.remove(at); }
        }
        assert_agrees(&body);
    }

    #[test]
    fn never_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
        assert_agrees(&body);
    }

    #[test]
    fn any_pieces_make_one_result(body in json(), sizes in prop::collection::vec(1..20_usize, 1..20)) {
        let body = body.as_bytes();
        let (mut pieces, mut rest) = (Vec::new(), body);
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break; }
            let (head, tail) = rest.split_at((*size).min(rest.len()));
            pieces.push(head);
            rest = tail;
        }
        prop_assert_eq!(scan(pieces, 3), scan([body], 3));
    }
}
