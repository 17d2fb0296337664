//! Bodies: what the platforms send, what they might send, and what nobody should.

use super::labelling::{self, Told};
use crate::plan::{Deployment, Plan};
use crate::random_json;
use crate::sources::Source;
use http::{HeaderMap, Method};
use labelrelay_core::RequestHead;
use labelrelay_core::describe::Description;
use labelrelay_core::identity::Identity;
use labelrelay_core::provider::Provider;
use labelrelay_event::Digest;
use labelrelay_tests::random::Random;
use labelrelay_tests::{fixture, sender};
use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

/// A body, and what of the head belongs to it.
pub(super) struct Made {
    pub(super) body: Vec<u8>,
    /// Value of `X-Labelbox-Event`.
    pub(super) topic: &'static str,
    /// Part of the path below the source.
    pub(super) below: &'static str,
    /// Two deliveries of it are two events, whatever its bytes: nothing in it is a version.
    pub(super) has_no_version: bool,
    /// What it tells, where more is derived from that.
    pub(super) told: Option<Told>,
}

pub(super) fn make(plan: &Plan, number: u32, source: Source, random: &mut Random) -> Made {
    let tag = format!("{:x}x{number:x}", plan.seed);
    let topics = [
        "LABEL_CREATED",
        "LABEL_UPDATED",
        "LABEL_DELETED",
        "REVIEW_CREATED",
        "MOVE",
    ];
    let mut made = Made {
        body: Vec::new(),
        topic: topics[usize::try_from(random.below(5)).unwrap()],
        below: "",
        has_no_version: false,
        told: None,
    };
    let kind = random.below(100);
    // Whole seconds, label links, model runs, what is not understood.
    made.has_no_version = match source {
        Source::Labelbox => matches!(kind, 0..54 | 88..98),
        Source::LabelStudio | Source::Token => matches!(kind, 52..54 | 88..98),
    };
    made.body = match (kind, source) {
        (0..52, Source::LabelStudio | Source::Token) if plan.derives => {
            let (body, told) = labelling::make(&tag, number, random);
            made.has_no_version = told.is_deletion();
            made.told = Some(told);
            body
        }
        (0..45, Source::Labelbox) => sender::label(&tag),
        (0..45, _) => annotation(&tag, number, random),
        (45..52, Source::Labelbox) => workflow(&tag),
        (45..52, _) => task(&tag, number),
        (52..54, Source::Labelbox) => {
            made.below = "/model_run";
            format!(r#"{{"modelId":"m","modelRunId":"{tag}"}}"#).into_bytes()
        }
        (52..54, _) => label_link(number),
        (54..70, _) => fixture_body(plan.derives && source != Source::Labelbox, random),
        (70..88, _) => random_json::object(random, &tag).into_bytes(),
        (88..96, _) => not_json(&tag, random),
        (96..98, _) => shared_body(random),
        _ => large(plan, &tag, random),
    };
    made
}

fn annotation(tag: &str, number: u32, random: &mut Random) -> Vec<u8> {
    let result = random_json::object(random, tag);
    let (minute, second) = (number / 60 % 60, number % 60);
    format!(
        r#"{{"action": "ANNOTATION_UPDATED", "annotation": {{"id": {number}, "result": [{result}], "task": {}, "project": 7, "created_at": "2026-11-20T10:00:00.000000Z", "updated_at": "2026-11-20T11:{minute:02}:{second:02}.{:06}Z"}}, "project": {{"id": 7, "title": "é {tag}"}}}}"#,
        number / 3,
        number % 1_000_000,
    )
    .into_bytes()
}

fn task(tag: &str, number: u32) -> Vec<u8> {
    format!(
        r#"{{"action": "TASKS_CREATED", "tasks": [{{"id": {number}, "data": {{"text": "{tag}"}}, "created_at": "2026-11-20T10:00:00.{:06}Z"}}], "project": {{"id": 7}}}}"#,
        number % 1_000_000
    )
    .into_bytes()
}

/// An update without a version: never taken for a repeat.
fn label_link(number: u32) -> Vec<u8> {
    format!(r#"{{"action": "LABEL_LINK_UPDATED", "label_link": {{"id": {}, "annotations_count": null}}, "project": {{"id": 7}}}}"#, number % 10)
        .into_bytes()
}

fn workflow(tag: &str) -> Vec<u8> {
    format!(r#"{{"action":"APPROVE","dataRowIds":["{tag}"],"projectId":"p","timestamp":"2026-11-20T10:00:00.000Z"}}"#)
        .into_bytes()
}

/// A body recorded of a platform, or an edge case.
struct Fixture {
    body: Vec<u8>,
    /// Label Studio would tell of tasks or annotations by it.
    tells: bool,
}

/// Bodies recorded of the platforms, and the edge cases, as they are. Where more is derived, those alone from which
/// nothing is: what follows from the others, only a second ledger could say.
fn fixture_body(must_not_tell: bool, random: &mut Random) -> Vec<u8> {
    static FIXTURES: OnceLock<Vec<Fixture>> = OnceLock::new();
    let fixtures = FIXTURES.get_or_init(|| {
        let labelbox = fixture::labelbox().into_iter().map(|sample| sample.body);
        let label_studio = fixture::label_studio().into_iter().map(|it| it.body);
        let edge = fixture::files(&fixture::folder().join("edge"), "json");
        let edge = edge.iter().map(|path| std::fs::read(path).unwrap());
        let all = labelbox.chain(label_studio).chain(edge);
        // An empty body is no event; and of a version of one thing, there is one body alone: what else is
        // reported of it is a repeat, whatever its bytes.
        let mut versions = HashSet::new();
        all.filter(|body| !body.is_empty() && versions.insert(version(body)))
            .map(|body| Fixture {
                tells: tells(&body),
                body,
            })
            .collect()
    });
    loop {
        let fixture = &fixtures[usize::try_from(random.below(fixtures.len() as u64)).unwrap()];
        if !(must_not_tell && fixture.tells) {
            return fixture.body.clone();
        }
    }
}

/// Version that Label Studio's body stands for; for anything else, the body itself.
fn version(body: &[u8]) -> String {
    match description(body).identity {
        Identity::Version { kind, id, version } => format!("{kind} {id} {version}"),
        _ => Digest::of(body).to_hex(),
    }
}

/// Tells whether more may be derived from Label Studio's body.
fn tells(body: &[u8]) -> bool {
    let event_type = description(body).event_type;
    match event_type.kind() {
        "annotation" | "task" => true,
        "project" => event_type.is_deletion(),
        _ => false,
    }
}

/// What Label Studio's body is about.
fn description(body: &[u8]) -> Description {
    let head = RequestHead {
        method: Method::POST,
        path: "/label-studio".to_owned(),
        headers: HeaderMap::new(),
        peer: None,
        arrived: Duration::ZERO,
    };
    let mut inspector = Provider::LabelStudio.inspector(&head);
    inspector.update(body);
    inspector.finish().description
}

fn not_json(tag: &str, random: &mut Random) -> Vec<u8> {
    let mut body = random_json::object(random, tag).into_bytes();
    match random.below(6) {
        0 => _ = body.pop(),
        1 => body.extend_from_slice(b"\r\n"),
        2 => body.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        3 => body.extend_from_slice(b",\"data\":{}}"),
        4 => body.insert(1, 0xff),
        _ => {
            let bytes = 0..=random.below(600);
            let bytes = bytes.map(|_| u8::try_from(random.below(256)).unwrap());
            body = bytes.chain(tag.bytes()).collect();
        }
    }
    body
}

/// Bodies that many deliveries share.
fn shared_body(random: &mut Random) -> Vec<u8> {
    let bodies: [&[u8]; 6] = [b"{}", b"[]", b"1", b"null", b"\"\"", b"\0\0"];
    bodies[usize::try_from(random.below(6)).unwrap()].to_vec()
}

/// From 2 KB to 3 MB; few of the large ones, for each costs as much time as hundreds of the others.
fn large(plan: &Plan, tag: &str, random: &mut Random) -> Vec<u8> {
    let bytes = match random.below(100) {
        0..3 => 1_000_000 + random.below(2_000_000),
        3..10 => 50_000 + random.below(300_000),
        // Around what the queue takes.
        10..50 if plan.deployment == Deployment::Laboratory => 30_000 + random.below(80_000),
        _ => 2_000 + random.below(30_000),
    };
    let filler = format!("{:016x}", random.below(u64::MAX));
    let filler = filler.repeat(usize::try_from(bytes / 16).unwrap());
    if random.below(4) == 0 {
        format!("{tag}{filler}").into_bytes()
    } else {
        format!(r#"{{"action":"ANNOTATION_CREATED","tag":"{tag}","filler":"{filler}"}}"#)
            .into_bytes()
    }
}
