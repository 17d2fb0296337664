//! Reading fixtures, and writing down what became of them.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use labelrelay_core::RequestHead;
use labelrelay_core::describe::Inspection;
use labelrelay_core::identity::Identity;
use labelrelay_core::provider::Provider;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name)
}

pub(crate) fn read(path: &str) -> Vec<u8> {
    let path = directory(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the files in a directory that end in `.extension`, sorted. Never none.
pub(crate) fn list(name: &str, extension: &str) -> Vec<String> {
    let entries =
        std::fs::read_dir(directory(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|found| found == extension)
        })
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no .{extension} in {name}");
    names
}

pub(crate) fn head(headers: &[(&str, &str)]) -> RequestHead {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    RequestHead {
        method: Method::POST,
        path: "/".to_owned(),
        headers: map,
        peer: None,
        arrived: Duration::ZERO,
    }
}

/// Whole, and in pieces of several sizes: one result.
pub(crate) fn inspect(provider: Provider, head: &RequestHead, body: &[u8]) -> Inspection {
    let in_pieces = |size: usize| {
        let mut inspector = provider.inspector(head);
        for piece in body.chunks(size) {
            inspector.update(piece);
        }
        inspector.finish()
    };
    let whole = in_pieces(body.len().max(1));
    for size in [1, 7, 1000, 16 * 1024] {
        assert_eq!(
            in_pieces(size).description,
            whole.description,
            "in pieces of {size}"
        );
        assert_eq!(
            in_pieces(size).check.is_json,
            whole.check.is_json,
            "in pieces of {size}"
        );
    }
    whole
}

pub(crate) fn describe(inspection: &Inspection) -> String {
    let (check, it) = (&inspection.check, &inspection.description);
    let mut out = String::new();
    let from = it.type_from.map_or_else(
        || "nothing".to_owned(),
        |from| format!("{from:?}").to_lowercase(),
    );
    let _ = writeln!(out, "  type      {} (from {from})", it.event_type);
    for (name, value) in [
        ("subject", it.subject.as_deref()),
        ("partition", it.partition.as_deref()),
        ("project", it.project.as_deref()),
        ("time", it.time.as_deref()),
        ("sequence", it.sequence.as_deref()),
        ("schema", it.schema),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "  {name:<9} {value}");
        }
    }
    let _ = match &it.identity {
        Identity::Content => writeln!(out, "  identity  content"),
        Identity::Version { kind, id, version } => {
            let id: String = id.escape_debug().take(80).collect();
            writeln!(out, "  identity  {kind} {id} as of {version}")
        }
        Identity::Delivery => writeln!(out, "  identity  delivery"),
    };
    let mut json = vec![if check.is_json {
        format!("depth {}", check.depth)
    } else {
        "not JSON".to_owned()
    }];
    if check.is_json {
        json.extend(
            check
                .has_outer_whitespace
                .then(|| "whitespace around it".to_owned()),
        );
        json.extend(check.has_noncharacters.then(|| "noncharacters".to_owned()));
        json.extend(check.has_line_breaks.then(|| "line breaks".to_owned()));
        for (has, what) in [
            (check.has_line_separators, "line separators"),
            (check.has_lone_surrogates, "lone surrogates"),
            (check.has_immodest_numbers, "immodest numbers"),
        ] {
            json.extend(has.then(|| what.to_owned()));
        }
    }
    let _ = writeln!(out, "  json      {}", json.join(", "));
    out
}
