use super::form::Form;
use super::{Document, Fault, Index, Source, Value};
use std::borrow::Cow;

fn read(text: &str) -> Result<Document<'_>, Fault> {
    Document::read(Source::Borrowed(text))
}

fn ask<T>(text: &str, question: impl Fn(Value<'_, '_>) -> T) -> T {
    question(read(text).unwrap().root())
}

/// Bodies of the fixtures, and whether they are JSON.
pub(super) fn fixtures() -> Vec<(String, Vec<u8>, bool)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/json");
    let files = |kind, is_json| {
        let entries = std::fs::read_dir(format!("{folder}/{kind}")).unwrap();
        entries.map(move |entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap(), is_json)
        })
    };
    files("valid", true)
        .chain(files("invalid", false))
        .collect()
}

#[test]
fn json_is_what_the_fixtures_say() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 50);
    for (name, bytes, is_json) in fixtures {
        let found = match std::str::from_utf8(&bytes) {
            Ok(text) => read(text).map(|document| document.root().written().len()),
            Err(_) => Err(Fault::NotJson("no UTF-8", 0)),
        };
        let is_deep = ["nested_1000", "nested_mixed"].contains(&name.as_str());
        match found {
            Ok(_) => assert!(is_json && !is_deep, "{name}"),
            Err(Fault::TooDeep(500)) => assert!(is_deep || !is_json, "{name}"),
            Err(fault) => assert!(!is_json, "{name}: {fault}"),
        }
    }
}

#[test]
fn every_value_is_the_text_that_it_was_written_as() {
    let text = r#" {"a": [1, -0.50e+2 , "x\"y", {} ,[]], "b":{"c":null, "d": true}} "#;
    let document = read(text).unwrap();
    let root = document.root();
    assert_eq!(root.written(), text.trim());
    let items: Vec<_> = root
        .member("a")
        .unwrap()
        .items()
        .map(Value::written)
        .collect();
    assert_eq!(items, ["1", "-0.50e+2", r#""x\"y""#, "{}", "[]"]);
    let inner = root.member("b").unwrap();
    assert_eq!(inner.raw().get(), r#"{"c":null, "d": true}"#);
    assert!(inner.find("c").is_some() && inner.member("c").is_none() && inner.find("a").is_none());
    assert_eq!(inner.member("d").unwrap().flag(), Some(true));
}

#[test]
fn the_last_of_equal_keys_wins_where_the_first_stands() {
    let text = r#"{"a":1,"b":2,"\u0061":{"c":3},"":4,"b":5}"#;
    let members = ask(text, |root| {
        let members = root.members().into_iter();
        let texts = members
            .map(|(key, value)| (key.text().unwrap().into_owned(), value.written().to_owned()));
        texts.collect::<Vec<_>>()
    });
    let expected = [("a", r#"{"c":3}"#), ("b", "5"), ("", "4")];
    assert_eq!(
        members,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert!(ask(text, |root| root.member("a").unwrap().is_object()));
}

/// An index has places for `x`, `id` and `width`, and for no other of these names.
#[test]
fn an_index_finds_what_a_look_through_all_members_finds() {
    let many: Vec<_> = (0..40).map(|number| format!("\"n{number}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    let empty = read("{}").unwrap();
    for text in [
        r#"{"ab":1,"":2,"x":null,"ab":3}"#,
        r#"{"ac":1,"ab":2,"ad":3,"ac":4,"ae":5}"#,
        r#"{"x":1,"id":2,"y":3,"id":4,"idle":5,"width":null}"#,
        r#"{"\u0069d":1,"x":2,"ab":3}"#,
        r#"{"id":1,"\u0069d":2}"#,
        "{}",
        "[1]",
        many.as_str(),
    ] {
        let document = read(text).unwrap();
        let mut index = Index::new(document.root());
        index.read(empty.root());
        assert!(!index.has("x") && !index.has("n39"), "{text}");
        index.read(document.root());
        for name in [
            "ab", "ac", "ad", "ae", "af", "id", "width", "", "x", "n1", "n39", "y",
        ] {
            let found = index.find(name).map(Value::written);
            assert_eq!(
                found,
                document.root().find(name).map(Value::written),
                "{name} in {text}"
            );
            assert_eq!(index.has(name), found.is_some(), "{name} in {text}");
        }
    }
}

#[test]
fn half_of_a_pair_is_its_escape_and_two_texts_stay_two() {
    for (written, expected) in [
        (r#""\ud83d\ude00""#, "\u{1f600}"),
        (r#""\uD83D""#, "\\ud83d"),
        (r#""\ude00\ud83d""#, "\\ude00\\ud83d"),
        (r#""a\ud83dA""#, "a\\ud83dA"),
        (r#""\ud83d\n\u00e9\"\/\\""#, "\\ud83d\n\u{e9}\"/\\"),
        (r#""\ud83d\ud83d\ude00""#, "\\ud83d\u{1f600}"),
    ] {
        assert_eq!(
            ask(written, |value| value.text().unwrap().into_owned()),
            expected,
            "{written}"
        );
    }
    let [half, escape] =
        [r#""\ud83d""#, r#""\\ud83d""#].map(|text| ask(text, |value| value.exact().into_owned()));
    assert_ne!(half, escape);
    assert_eq!(half.len(), 3);
}

#[test]
fn numbers_are_never_changed_silently() {
    let nines = "9".repeat(308);
    for (written, number, whole) in [
        ("5", Some(5.0), Some(5)),
        ("-0", Some(0.0), Some(0)),
        ("0.1", Some(0.1), None),
        ("5.0", Some(5.0), None),
        (
            "9007199254740991",
            Some(9_007_199_254_740_991.0),
            Some(9_007_199_254_740_991),
        ),
        ("9007199254740992", Some(9_007_199_254_740_992.0), None),
        ("-9007199254740992", Some(-9_007_199_254_740_992.0), None),
        ("1e400", None, None),
        ("1e-400", None, None),
        ("0e-400", Some(0.0), None),
        (nines.as_str(), Some(1e308), None),
        (&format!("9{nines}"), None, None),
    ] {
        assert_eq!(read(written).unwrap().root().number(), number, "{written}");
        assert_eq!(read(written).unwrap().root().whole(), whole, "{written}");
    }
    assert!(
        read("-0")
            .unwrap()
            .root()
            .number()
            .unwrap()
            .is_sign_positive()
    );
    assert!(
        read("-0.0")
            .unwrap()
            .root()
            .number()
            .unwrap()
            .is_sign_negative()
    );
}

#[test]
fn an_id_is_text_or_an_integer_of_up_to_4096_bytes() {
    let id = |written: &str| ask(written, |value| value.identifier().map(Cow::into_owned));
    let digits = "1".repeat(4096);
    assert_eq!(id("-0").as_deref(), Some("0"));
    assert_eq!(id("-17").as_deref(), Some("-17"));
    assert_eq!(id(&digits).as_deref(), Some(digits.as_str()));
    assert_eq!(
        id(&format!("\"{digits}\"")).as_deref(),
        Some(digits.as_str())
    );
    for none in [
        "\"\"",
        "1.0",
        "1e3",
        "true",
        "null",
        "[1]",
        "{}",
        &format!("1{digits}"),
        &format!("\"1{digits}\""),
    ] {
        assert_eq!(id(none), None);
    }
    // Six characters each.
    let halves = |count| format!("\"{}\"", r"\ud83d".repeat(count));
    assert!(id(&halves(682)).is_some() && id(&halves(683)).is_none());
}

#[test]
fn equal_is_what_means_the_same() {
    let pair = |text: &str| {
        ask(text, |pair| {
            let items: Vec<_> = pair.items().collect();
            items[0].is_equal(items[1])
        })
    };
    for same in [
        "[1, 1.0]",
        r#"[{"a": [1e1], "b": null}, {"b": null, "a": [10]}]"#,
        r#"["\u0061", "a"]"#,
        "[1e400, 1e400]",
        r#"[{"a": 1, "a": 2}, {"a": 2}]"#,
    ] {
        assert!(pair(same), "{same}");
    }
    for other in [
        "[1, 2]",
        "[1, true]",
        "[0, false]",
        "[[1], [1, 1]]",
        r#"[{"a": 1}, {"b": 1}]"#,
        r#"[{"a": 1}, {"a": 1, "b": 1}]"#,
        r#"["\ud83d", "\\ud83d"]"#,
        r#"["1", 1]"#,
        "[1e400, 1E400]",
        "[{}, []]",
    ] {
        assert!(!pair(other), "{other}");
    }
}

#[test]
fn deep_values_need_no_stack() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(read(&nested(500)).unwrap().root().form(), Form::Array);
    for levels in [501, 1_000, 1_000_000] {
        assert_eq!(read(&nested(levels)).unwrap_err(), Fault::TooDeep(500));
        assert_eq!(
            read(&"{\"a\":".repeat(levels)).unwrap_err(),
            Fault::TooDeep(500)
        );
    }
    let pair = format!("[{0},{0}]", nested(499));
    assert!(ask(&pair, |pair| {
        let items: Vec<_> = pair.items().collect();
        items[0].is_equal(items[1])
    }));
}
