//! Equal bytes are one event only where they tell any two changes apart: the table of `core::identity`, row by row.

use crate::test_bench::{Bench, SECRET};
use labelrelay_core::Outcome;
use labelrelay_core::identity::Identity;
use labelrelay_core::provider::Provider;
use labelrelay_testkit::fixtures::fixtures;
use labelrelay_testkit::request::TestRequest;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// One row of the table, and bodies that show it.
#[derive(Deserialize)]
struct Row {
    what: String,
    identity: String,
    bodies: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    #[serde(default)]
    event: String,
    body: Option<Box<RawValue>>,
    #[serde(default)]
    text: String,
}

impl Example {
    fn bytes(&self) -> &[u8] {
        let body = self.body.as_ref().map(|body| body.get());
        body.unwrap_or(&self.text).as_bytes()
    }

    fn request(&self, platform: Provider, delivery: &str) -> TestRequest {
        match platform {
            Provider::Labelbox => {
                TestRequest::labelbox(SECRET, &self.event, delivery, self.bytes())
            }
            _ => TestRequest::label_studio(SECRET, self.bytes()),
        }
    }
}

const PLATFORMS: [(Provider, &str, &str); 2] = [
    (Provider::LabelStudio, "Label Studio", "label_studio"),
    (Provider::Labelbox, "Labelbox", "labelbox"),
];

fn rows(file: &str) -> Vec<Row> {
    let path = fixtures().join("identity").join(format!("{file}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Each row with each of its bodies.
fn each(mut check: impl FnMut(Provider, &Row, &Example)) {
    for (platform, _, file) in PLATFORMS {
        for row in rows(file) {
            assert!(!row.bodies.is_empty(), "{}", row.what);
            for example in &row.bodies {
                check(platform, &row, example);
            }
        }
    }
}

fn identity(platform: Provider, example: &Example, bench: &Bench) -> &'static str {
    let request = example.request(platform, "d");
    let mut inspector = platform.inspector(&request.head(&bench.clock));
    inspector.update(example.bytes());
    match inspector.finish().description.identity {
        Identity::Content => "content",
        Identity::Version { .. } => "version",
        Identity::Delivery => "delivery",
    }
}

#[test]
fn the_table_of_the_documentation_is_that_of_the_fixtures() {
    let source = include_str!("../../src/identity.rs");
    let mut documented = BTreeMap::new();
    for line in source.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let ["//!", platform, what, identity, ..] = cells[..]
            && PLATFORMS.iter().any(|known| known.1 == platform)
        {
            documented.insert((platform, what.to_owned()), identity.to_owned());
        }
    }
    let shown: BTreeMap<_, _> = PLATFORMS
        .iter()
        .flat_map(|(_, platform, file)| {
            let rows = rows(file).into_iter();
            rows.map(move |row| ((*platform, row.what), row.identity))
        })
        .collect();
    assert_eq!(documented, shown);
}

#[test]
fn each_body_has_the_identity_of_its_row() {
    let bench = Bench::new();
    each(|platform, row, example| {
        let shown = String::from_utf8_lossy(example.bytes());
        let found = identity(platform, example, &bench);
        assert_eq!(found, row.identity, "{}: {shown}", row.what);
    });
}

/// A, B, A by three deliveries of the platform.
#[test]
fn the_third_of_a_b_a_is_an_event_unless_its_bytes_say_that_it_is_the_first_again() {
    each(|platform, row, example| {
        let bench = Bench::new();
        let what = &row.what;
        let first = example.request(platform, "d1");
        assert_eq!(bench.deliver(&first).outcome, Outcome::Accepted, "{what}");
        let between = TestRequest::labelbox(SECRET, "", "d2", b"[\"between\"]");
        assert_eq!(bench.deliver(&between).outcome, Outcome::Accepted, "{what}");
        let third = bench.deliver(&example.request(platform, "d3")).outcome;
        let (expected, events) = match &*row.identity {
            "delivery" => (Outcome::Accepted, 3),
            _ => (Outcome::Repeat, 2),
        };
        let shown = String::from_utf8_lossy(example.bytes());
        assert_eq!(third, expected, "{what}: {shown}");
        let messages = bench.queue.messages();
        assert_eq!(messages.len(), events, "{what}: {shown}");
        if platform == Provider::Labelbox {
            // The platform sent one delivery again: its id says so.
            let again = bench.deliver(&first).outcome;
            assert_eq!(again, Outcome::Repeat, "{what}: {shown}");
        }
    });
}

#[test]
fn three_changes_within_one_second_are_three_events() {
    #[derive(Deserialize)]
    struct Delivery {
        headers: BTreeMap<String, String>,
        body: Box<RawValue>,
    }
    let file = std::fs::read(fixtures().join("identity/same_second.json")).unwrap();
    let deliveries: Vec<Delivery> = serde_json::from_slice(&file).unwrap();
    let bodies: Vec<_> = deliveries.iter().map(|it| it.body.get()).collect();
    assert!(bodies.len() == 3 && bodies[0] == bodies[2]);
    let bench = Bench::new();
    for Delivery { headers, body } in &deliveries {
        let (event, id) = (&headers["X-Labelbox-Event"], &headers["X-Labelbox-Id"]);
        let request = TestRequest::labelbox(SECRET, event, id, body.get().as_bytes());
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    }
    let data = "A B A".split(' ');
    for (message, value) in bench.queue.messages().iter().zip(data) {
        let envelope = String::from_utf8_lossy(&message.body);
        assert!(envelope.contains(&format!(r#""value":"{value}""#)));
    }
}

/// Changes that their bytes do not tell apart are not told apart by a version either, if that says no more than the
/// second.
#[test]
fn the_same_whole_second_with_other_bytes_is_no_repeat() {
    let version = |id: u32, updated_at: &str, result: &str| {
        let body = format!(
            r#"{{"action":"ANNOTATION_UPDATED","annotation":{{"id":{id},"updated_at":"{updated_at}","result":["{result}"]}}}}"#
        );
        TestRequest::label_studio(SECRET, body.as_bytes())
    };
    let bench = Bench::new();
    for (id, time, of_the_other_bytes) in [
        (1, "2026-11-20T08:00:00Z", Outcome::Accepted),
        (2, "2026-11-20T08:00:00.0Z", Outcome::Accepted),
        (3, "2026-11-20T08:00:00.000000+01:00", Outcome::Accepted),
        (4, "2026-11-20T08:00:00.000001Z", Outcome::Repeat),
        (5, "2026-11-20T08:00:00.5Z", Outcome::Repeat),
    ] {
        assert_eq!(
            bench.deliver(&version(id, time, "A")).outcome,
            Outcome::Accepted,
            "{time}"
        );
        let other = bench.deliver(&version(id, time, "B")).outcome;
        assert_eq!(other, of_the_other_bytes, "{time}");
    }
}

/// More ids than are compared with each other.
#[test]
fn a_long_list_of_ids_is_told_by_its_content() {
    let created = |ids: &mut dyn Iterator<Item = u32>| {
        let ids: Vec<_> = ids.map(|id| format!(r#"{{"id": {id}}}"#)).collect();
        let body = format!(
            r#"{{"action": "TASKS_CREATED", "tasks": [{}]}}"#,
            ids.join(", ")
        );
        TestRequest::label_studio(SECRET, body.as_bytes())
    };
    let bench = Bench::new();
    for (request, second) in [
        (created(&mut (1..=50_000)), Outcome::Repeat),
        (created(&mut (1..=900).rev()), Outcome::Repeat),
        (created(&mut (1..=900).chain([450])), Outcome::Accepted),
    ] {
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
        assert_eq!(bench.deliver(&request).outcome, second);
    }
}
