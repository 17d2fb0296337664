//! Everything that was recorded of real senders, through the program, into Pub/Sub.

use crate::service::{SECRET, Service, assert_clean, named, queued, variables};
use labelrelay_tests::client::once;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::{FakeGcs, PubSub};
use labelrelay_tests::{fixture, sender};
use std::collections::HashMap;

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn every_recorded_request_and_sample_arrives_byte_for_byte() {
    let pubsub = PubSub::start();
    let mut service = Service::start(&variables(&pubsub, &pubsub.topic("events")));
    let mut sent = HashMap::new();
    for recorded in fixture::label_studio()
        .into_iter()
        .filter(fixture::Recorded::is_event)
    {
        let answer = once(
            service.address,
            &recorded.request(&format!("Bearer {SECRET}")),
        );
        assert_eq!(answer.status, 200, "{}: {}", recorded.name, answer.text());
        sent.insert(answer.member("id").unwrap(), recorded.body);
    }
    for sample in fixture::labelbox()
        .into_iter()
        .filter(|sample| !sample.body.is_empty())
    {
        let signature = sender::signature(SECRET, &sample.body);
        let answer = once(service.address, &sample.request(&signature));
        assert_eq!(answer.status, 200, "{}: {}", sample.name, answer.text());
        sent.insert(answer.member("id").unwrap(), sample.body);
    }
    let forged = sender::labelbox("another secret", "LABEL_CREATED", "d", b"{\"id\":1}");
    assert_eq!(once(service.address, &forged).status, 401);
    let got = queued(&pubsub, "events");
    assert_eq!(got.len(), sent.len());
    for (id, body) in &sent {
        assert!(got.get(id) == Some(body), "{id}");
    }
    service.terminate();
    assert!(service.wait().success(), "{}", service.log());
    assert_clean(
        &service.log(),
        &["ckf4fyd7i0itb0bo5gjgjavwf", "another secret"],
    );
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn a_large_event_is_claim_checked_and_comes_back() {
    let (pubsub, storage) = (PubSub::start(), FakeGcs::start());
    storage.bucket("claims");
    let mut variables = variables(&pubsub, &pubsub.topic("claimed"));
    variables.extend(storage.environment());
    variables.extend(named(&[("LABELRELAY_BLOB_STORE", "gs://claims/bodies")]));
    let service = Service::start(&variables);
    // More than Cloud Run lets through in HTTP/1.
    let large = format!(r#"{{"id":"large","label":"{}"}}"#, "x".repeat(40 << 20)).into_bytes();
    let answer = service.labelbox(&large);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let got = pubsub.drain("claimed");
    assert_eq!(got.len(), 1);
    let envelope = labelrelay_event::Envelope::decode(&got[0].data).unwrap();
    let uri = envelope
        .attributes
        .dataref
        .as_deref()
        .expect("a claim check");
    assert!(uri.starts_with("gs://claims/bodies/"), "{uri}");
    assert!(storage.object(uri).expect("there") == large);
    assert_clean(&service.log(), &["xxxxxxxx"]);
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn without_a_blob_store_the_limit_holds_to_the_byte() {
    let pubsub = PubSub::start();
    let service = Service::start(&variables(&pubsub, &pubsub.topic("limit")));
    let deliver = |bytes: usize| {
        let body = format!(r#"{{"id":"l","label":"{}"}}"#, "x".repeat(bytes));
        service.labelbox(body.as_bytes())
    };
    // The largest that is taken is found from both sides; what stands around a body has always the same size.
    let (mut fits, mut over) = (9_990_000, 10_000_000);
    assert_eq!(deliver(fits).status, 200);
    while over - fits > 1 {
        let middle = usize::midpoint(fits, over);
        match deliver(middle).status {
            200 => fits = middle,
            413 => over = middle,
            other => panic!("{other}"),
        }
    }
    let largest = pubsub
        .drain("limit")
        .into_iter()
        .max_by_key(|got| got.data.len())
        .unwrap();
    // Attributes, topic and lengths count with the data.
    let beside: usize = largest
        .attributes
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let topic = "projects/labelrelay-test/topics/limit".len();
    // Four attributes of three lengths each, the data's and the message's of five bytes, and the topic's.
    let lengths = 4 * (2 + 2 + 2) + 5 + 5 + 2;
    assert_eq!(largest.data.len() + beside + topic + lengths, 10_000_000);
    // A thread of its own writes the log.
    eventually("the log names the limit", || {
        service.log().contains("10000000 bytes").then_some(())
    });
    assert_clean(&service.log(), &["xxxxxxxx"]);
}

#[test]
#[ignore = "needs the Pub/Sub emulator and Label Studio: cargo xtask test"]
fn a_real_label_studio_loses_nothing() {
    let pubsub = PubSub::start();
    let queue = pubsub.topic("real");
    let mut variables = variables(&pubsub, &queue);
    let config = "[[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"env:LABEL_STUDIO_WEBHOOK_SECRET\"\nml_backend = true\n";
    variables.extend(named(&[("LABELRELAY_CONFIG_TOML", config)]));
    let service = Service::start(&variables);
    labelrelay_tests::label_studio::drive(&format!("{}/label-studio", service.address), SECRET);
    let got = queued(&pubsub, "real");
    let accepted = eventually("as many are logged as are queued", || {
        let lines = service.lines("delivery");
        (lines.len() >= got.len()).then_some(lines)
    });
    assert!(accepted.len() >= 13, "{} deliveries", accepted.len());
    let ids: std::collections::HashSet<_> = accepted
        .iter()
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(got.len(), ids.len(), "delivered = queued");
    assert!(ids.iter().all(|id| got.contains_key(id)));
    assert!(service.lines("delivery_failed").is_empty());
    assert_clean(&service.log(), &[]);
}
