//! Every recorded request and every sample of the documents becomes one event, byte for byte.

use labelrelay_tests::contract::Contract;
use labelrelay_tests::export::Exported;
use labelrelay_tests::relay::{SECRET, Site};
use labelrelay_tests::{client, fixture, sender};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// A line of the snapshot: what consumers rely on. A fresh id is only said to be one.
fn line(name: &str, event: &Exported) -> String {
    let a = &event.attributes;
    let dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let id = if a.id.len() == 64 { &*a.id } else { "(fresh)" };
    format!(
        "{name}\n  {} {} {} {}\n  {id}\n",
        a.event_type,
        dash(&a.subject),
        dash(&a.sequence),
        dash(&a.partitionkey)
    )
}

/// Events in a queue, by id.
struct Queued(HashMap<String, Exported>);

impl Queued {
    /// Everything, which must be as many events as were sent.
    fn of(site: &Site, sent: usize) -> Self {
        let events = site.export().into_iter();
        let by_id: HashMap<_, _> = events
            .map(|event| (event.attributes.id.clone(), event))
            .collect();
        assert_eq!(by_id.len(), sent);
        Self(by_id)
    }

    /// Takes the event `id` out, which must hold `body` and come from `source`.
    fn take(&mut self, id: &str, name: &str, body: &[u8], source: &str) -> Exported {
        let event = self.0.remove(id);
        let event = event.unwrap_or_else(|| panic!("{name}: not queued"));
        assert!(event.body == body, "{name}: other bytes");
        assert_eq!(event.attributes.source, source);
        event
    }
}

#[test]
fn recorded_requests_of_label_studio() {
    let site = Site::new();
    let relay = site.serve();
    let bearer = format!("Bearer {SECRET}");
    let basic = sender::basic("label-studio", SECRET);
    let (mut sent, mut bodies, mut repeats) = (Vec::new(), HashSet::new(), 0);
    for recorded in fixture::label_studio() {
        // Each form that the secret may come in, the ML back end's only one included.
        let authorization = if recorded.name.contains("__ml-") || sent.len() % 2 == 1 {
            &basic
        } else {
            &bearer
        };
        let answer = client::once(relay.address, &recorded.request(authorization));
        assert_eq!(
            answer.status,
            200,
            "{}: {}",
            recorded.name,
            String::from_utf8_lossy(&answer.body)
        );
        if !recorded.is_event() {
            assert!(
                serde_json::from_slice::<serde_json::Value>(&answer.body)
                    .unwrap()
                    .is_object(),
                "{}",
                recorded.name
            );
            continue;
        }
        // Two webhooks reported one change with equal bytes. A body that says nothing but its action
        // is never a repeat, nor is a request to train.
        // Nor is a deletion of tasks or annotations: their ids are given again.
        let never = ["START_TRAINING", "TASKS_DELETED", "ANNOTATIONS_DELETED"];
        let starts_with = |action: &str| {
            let start = format!(r#"{{"action": "{action}""#);
            recorded.body.starts_with(start.as_bytes())
        };
        let says_something =
            recorded.body.len() > 40 && !never.iter().any(|action| starts_with(action));
        let repeat = says_something && !bodies.insert(recorded.body.clone());
        assert_eq!(
            answer.outcome(),
            if repeat { "repeat" } else { "accepted" },
            "{}",
            recorded.name
        );
        if repeat {
            repeats += 1;
        } else {
            sent.push((answer.member("id").unwrap(), recorded));
        }
    }
    let mut queue = Queued::of(&site, sent.len());
    let contract = Contract::read();
    let mut snapshot = String::new();
    for (id, recorded) in sent {
        let event = queue.take(&id, &recorded.name, &recorded.body, "/label-studio");
        contract.check(&recorded.name, &event);
        snapshot.push_str(&line(&recorded.name, &event));
    }
    let _ = writeln!(snapshot, "repeats: {repeats}");
    insta::assert_snapshot!(snapshot);
}

#[test]
fn samples_of_labelbox_signed() {
    let site = Site::new();
    let relay = site.serve();
    let mut sent = Vec::new();
    for sample in fixture::labelbox() {
        let answer = client::once(
            relay.address,
            &sample.request(&sender::signature(SECRET, &sample.body)),
        );
        assert_eq!(
            (answer.status, answer.outcome().as_str()),
            (200, "accepted"),
            "{}",
            sample.name
        );
        sent.push((answer.member("id").unwrap(), sample));
    }
    let mut queue = Queued::of(&site, sent.len());
    let contract = Contract::read();
    let mut snapshot = String::new();
    for (id, sample) in sent {
        let event = queue.take(&id, &sample.name, &sample.body, "/labelbox");
        contract.check(&sample.name, &event);
        assert_eq!(
            event.attributes.deliveryid.as_deref(),
            Some("ckfgcfsjk09jn06624cy7gb26")
        );
        snapshot.push_str(&line(&sample.name, &event));
    }
    insta::assert_snapshot!(snapshot);
}

/// Bodies that no parser likes are verified like any other, and forwarded byte for byte.
#[test]
fn edge_bodies_to_either_source() {
    let bearer = format!("Bearer {SECRET}");
    let mut snapshot = String::new();
    for path in fixture::files(&fixture::folder().join("edge"), "json") {
        // A queue each: several of them are versions of one annotation.
        let site = Site::new();
        let relay = site.serve();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let body = std::fs::read(&path).unwrap();
        let signed = sender::labelbox(SECRET, "LABEL_CREATED", "edge", &body);
        let shown = sender::label_studio(&bearer, &body);
        let expected = if body.is_empty() {
            (400, "malformed")
        } else {
            (200, "accepted")
        };
        for request in [signed, shown] {
            let answer = client::once(relay.address, &request);
            assert_eq!(
                (answer.status, answer.outcome().as_str()),
                expected,
                "{name}"
            );
        }
        let queue = site.export();
        assert_eq!(queue.len(), if body.is_empty() { 0 } else { 2 }, "{name}");
        for event in queue {
            assert!(event.body == body, "{name}: other bytes");
            // The data is the envelope's last member.
            let verbatim = event
                .envelope
                .ends_with(&[b",\"data\":", &*body, b"}"].concat());
            let form = if verbatim { "data" } else { "data_base64" };
            snapshot.push_str(&line(&format!("{name}: {form}"), &event));
        }
    }
    insta::assert_snapshot!(snapshot);
}
