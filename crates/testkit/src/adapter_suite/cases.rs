//! The cases: requests, each with the status that it must have.

use super::forgeries::forgeries;
use super::label_delivery::{LABEL, label};
use super::{Case, SECRET};
use crate::in_memory::Fault;
use crate::request::{TestRequest, basic};
use http::Method;
use labelrelay_core::QueueErrorKind;
use labelrelay_core::signature::{sign_sha1, sign_sha256};
use labelrelay_tests::fixture;

/// All cases: recorded requests, samples of the documents, edge cases, forgeries, and what an adapter can
/// get wrong by itself.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = recorded().collect();
    cases.extend(samples());
    cases.extend(edges());
    cases.extend(forgeries());
    cases.extend(routes());
    cases.extend(headers());
    cases.extend(outcomes());
    cases.extend(a_b_a());
    cases
}

fn recorded() -> impl Iterator<Item = Case> {
    fixture::label_studio().into_iter().map(|recorded| {
        let bearer = format!("Bearer {SECRET}");
        let request = TestRequest::parse(&recorded.request(&bearer));
        Case::one(recorded.name, request, 200)
    })
}

fn samples() -> impl Iterator<Item = Case> {
    fixture::labelbox().into_iter().map(|sample| {
        let signature = sign_sha1(SECRET.as_bytes(), &sample.body);
        let request = TestRequest::parse(&sample.request(&signature));
        Case::one(sample.name, request, 200)
    })
}

fn edges() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in fixture::files(&fixture::folder().join("edge"), "json") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let body = std::fs::read(&path).unwrap();
        let status = if body.is_empty() { 400 } else { 200 };
        cases.push(Case::one(format!("{name}, signed"), label(&body), status));
        let shown = TestRequest::label_studio(SECRET, &body);
        cases.push(Case::one(format!("{name}, shown"), shown, status));
    }
    cases
}

fn routes() -> Vec<Case> {
    let bare = |method: Method, path: &str| TestRequest::new(method, path, b"");
    let models = bare(Method::GET, "/labelbox/models")
        .header("x-hub-signature", &sign_sha1(SECRET.as_bytes(), b""));
    let request = |name: &str, request, status| Case::one(name, request, status);
    // Not the default source, so that a path that misses it is refused.
    let studio = |path: &str, status| {
        let shown = TestRequest::label_studio(SECRET, br#"{"action": "X"}"#);
        Case::one(format!("the path {path}"), shown.at(path), status)
    };
    vec![
        studio("//label-studio", 200),
        studio("/label%2Dstudio", 200),
        studio("/label%2dstudio/webhook", 200),
        studio("/hooks/label-studio", 200),
        studio("/a/deep/prefix/label-studio/", 200),
        studio("/hooks/label-studios", 401),
        request("the default source", label(LABEL).at("/"), 200),
        request("any other path", label(LABEL).at("/any/other%20path"), 200),
        request("a path with a query", label(LABEL).at("/labelbox?a=b"), 200),
        request("below a source", label(LABEL).at("/labelbox/below"), 200),
        request("the wrong method", bare(Method::GET, "/labelbox"), 405),
        request("another wrong method", bare(Method::DELETE, "/"), 405),
        request("models", models, 200),
        request("ready", bare(Method::GET, "/-/ready"), 200),
        request("a path of our own", bare(Method::GET, "/-/other"), 404),
        request(
            "the wrong method of our own",
            bare(Method::POST, "/-/ready"),
            405,
        ),
    ]
}

fn headers() -> Vec<Case> {
    let token = |value: &str| {
        TestRequest::new(Method::POST, "/named-header", br#"{"action": "X"}"#)
            .header("x-webhook-token", value)
    };
    let shown = |value: &str| {
        TestRequest::new(Method::POST, "/label-studio", br#"{"action": "X"}"#)
            .header("authorization", value)
    };
    let sha256 = |signature: &str| {
        label(LABEL)
            .without("x-hub-signature")
            .header("x-hub-signature-256", signature)
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    vec![
        Case::one("a header of the user's choice", token(SECRET), 200),
        Case::one("Basic", shown(&basic("user", SECRET)), 200),
        Case::one("bearer", shown(&format!("bearer {SECRET}")), 200),
        Case::one(
            "sha256",
            sha256(&sign_sha256(SECRET.as_bytes(), LABEL)),
            200,
        ),
        Case::one("a trace", label(LABEL).header("traceparent", trace), 200),
        Case::one(
            "two traces",
            label(LABEL)
                .header("traceparent", trace)
                .header("traceparent", trace),
            200,
        ),
        Case::one(
            "two delivery ids",
            label(LABEL).header("x-labelbox-id", "other"),
            200,
        ),
        Case::one(
            "two events",
            label(LABEL).header("x-labelbox-event", "LABEL_DELETED"),
            200,
        ),
        Case::one(
            "a claim of gzip",
            label(LABEL).header("content-encoding", "gzip"),
            200,
        ),
        Case::one(
            "another content type",
            label(LABEL)
                .without("content-type")
                .header("content-type", "text/plain"),
            200,
        ),
        Case::one("no content type", label(LABEL).without("content-type"), 200),
        Case::one(
            "a claimed address",
            {
                label(LABEL)
                    .at("/elsewhere-only")
                    .header("x-forwarded-for", "192.0.2.1")
            },
            403,
        ),
        Case::one(
            "the true address",
            {
                label(LABEL)
                    .at("/loopback-only")
                    .header("x-forwarded-for", "192.0.2.1")
            },
            200,
        ),
    ]
}

fn outcomes() -> Vec<Case> {
    let large = [b"\"".as_slice(), &b"a".repeat(3_000_000), b"\""].concat();
    let twice = |status| vec![(label(LABEL), 200), (label(LABEL), status)];
    vec![
        Case {
            name: "a repeat".to_owned(),
            requests: twice(200),
            faults: Vec::new(),
            events: Some(1),
        },
        Case {
            name: "after a failure".to_owned(),
            requests: vec![(label(LABEL), 503), (label(LABEL), 200)],
            faults: vec![Fault::Error(QueueErrorKind::Denied)],
            events: Some(1),
        },
        Case {
            name: "after a failure that passed".to_owned(),
            requests: twice(200),
            faults: vec![Fault::Error(QueueErrorKind::Unavailable)],
            events: Some(1),
        },
        Case::one("a claim check", label(&large), 200),
        Case::one("filtered", label(LABEL).at("/deletions"), 200),
        Case::one("too large", label(&b"0".repeat(101)).at("/small"), 413),
        Case::one("not too large", label(&b"0".repeat(100)).at("/small"), 200),
    ]
}

/// A, B and A again within a second: the last has the bytes of the first, and is an event.
fn a_b_a() -> [Case; 2] {
    let label = |value: &str, delivery: &str| {
        let body = format!(
            r#"{{"id":"l1", "label":"{value}", "createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:09Z"}}"#
        );
        TestRequest::labelbox(SECRET, "LABEL_UPDATED", delivery, body.as_bytes())
    };
    let link = |label: u32| {
        let body = format!(
            r#"{{"action": "LABEL_LINK_UPDATED", "label_link": {{"id": 1, "label": {label}}}}}"#
        );
        TestRequest::label_studio(SECRET, body.as_bytes())
    };
    let case = |name: &str, requests: [TestRequest; 3]| Case {
        name: name.to_owned(),
        requests: requests.map(|request| (request, 200)).to_vec(),
        faults: Vec::new(),
        events: Some(3),
    };
    [
        case(
            "A, B, A, signed",
            [label("A", "d1"), label("B", "d2"), label("A", "d3")],
        ),
        case("A, B, A, shown", [link(1), link(2), link(1)]),
    ]
}
