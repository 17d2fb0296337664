//! Bytes in, bytes out. Input: platform, topic and limits of the queue, where to cut, a delivery id and a
//! trace context (a line each), the body. What is queued is one envelope that gives the body back.

#![no_main]

use labelrelay_core::Outcome;
use labelrelay_core::signature::sign_sha1;
use labelrelay_event::{Data, Envelope};
use labelrelay_fuzz::{
    Bench, LABEL_STUDIO_SECRET, LABELBOX_SECRET, Limits, TOPICS, assert_attribute, head, line,
    pieces,
};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

thread_local! {
    /// A bench for each choice of limits.
    static BENCHES: Vec<(Limits, Bench)> = (0..8_u8)
        .map(|bits| Limits {
            xml_characters_only: bits & 1 != 0,
            single_line: bits & 2 != 0,
            tiny: bits & 4 != 0,
        })
        .map(|limits| (limits, Bench::new(limits)))
        .collect();
}

fuzz_target!(|data: &[u8]| {
    let &[choice, cut, ref rest @ ..] = data else {
        return;
    };
    let (delivery, rest) = line(rest);
    let (trace, body) = line(rest);
    BENCHES.with(|benches| {
        let (limits, bench) = &benches[usize::from(choice >> 4) % benches.len()];
        one(*limits, bench, choice, cut, delivery, trace, body);
    });
});

fn one(
    limits: Limits,
    bench: &Bench,
    choice: u8,
    cut: u8,
    delivery: &[u8],
    trace: &[u8],
    body: &[u8],
) {
    let topic = TOPICS[usize::from(choice >> 1) % TOPICS.len()].unwrap_or_default();
    let signature = sign_sha1(LABELBOX_SECRET.as_bytes(), body);
    let bearer = format!("Bearer {LABEL_STUDIO_SECRET}");
    let (path, credential) = match choice & 1 {
        0 => ("/labelbox", ("x-hub-signature", signature.as_bytes())),
        _ => ("/label-studio", ("authorization", bearer.as_bytes())),
    };
    let head = head(
        path,
        [
            credential,
            ("x-labelbox-event", topic.as_bytes()),
            ("x-labelbox-id", delivery),
            ("traceparent", trace),
        ],
    );
    let answer = bench.deliver(head, pieces(body, cut));
    let (message, object) = (bench.put.message(), bench.put.object());
    if body.is_empty() {
        assert_eq!(answer.outcome, Outcome::Malformed);
        assert!(message.is_none() && object.is_none());
        return;
    }
    assert_eq!(answer.outcome, Outcome::Accepted);
    let message = message.expect("what is accepted is queued");
    let queued = &*message.body;

    // The envelope, whatever stands in the body, is one object with the members that it should have, once.
    serde_json::from_slice::<IgnoredAny>(queued).expect("an envelope is JSON");
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(queued).expect("an object");
    let text = std::str::from_utf8(queued).expect("UTF-8");
    let envelope = Envelope::decode(queued).expect("an envelope of the contract");
    assert_eq!(envelope.attributes, *message.attributes);
    assert!(envelope.matches_digest(body));
    match envelope.data {
        Data::Json(data) => {
            assert_eq!(data, body);
            assert_eq!(members["data"].get().as_bytes(), body);
            let start = text.find(",\"data\":").expect("data is a member") + ",\"data\":".len();
            assert_eq!(
                &queued[start..queued.len() - 1],
                body,
                "up to the last brace"
            );
            assert_eq!(queued.last(), Some(&b'}'));
        }
        Data::Base64(_) => {
            let data = envelope
                .data
                .bytes()
                .expect("base64")
                .expect("not a reference");
            assert_eq!(&*data, body);
        }
        Data::Reference => {
            let (key, bytes) = object.as_ref().expect("what is referred to was stored");
            assert_eq!(bytes, body);
            assert_eq!(envelope.attributes.dataref, Some(format!("bench:{key}")));
            assert!(key.ends_with(&envelope.attributes.datasha256), "{key}");
        }
    }
    assert_eq!(limits.tiny, envelope.data == Data::Reference);
    assert_eq!(limits.tiny, object.is_some());
    if limits.single_line {
        assert!(!text.contains(['\n', '\r']));
    }
    if limits.xml_characters_only {
        let refused = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
        assert!(!text.contains(refused));
    }

    let attributes = &envelope.attributes;
    for (name, text) in [
        ("id", Some(&attributes.id)),
        ("source", Some(&attributes.source)),
        ("type", Some(&attributes.event_type)),
        ("subject", attributes.subject.as_ref()),
        ("time", attributes.time.as_ref()),
        ("deliveryid", attributes.deliveryid.as_ref()),
        ("project", attributes.project.as_ref()),
        ("partitionkey", attributes.partitionkey.as_ref()),
        ("sequence", attributes.sequence.as_ref()),
        ("traceparent", attributes.traceparent.as_ref()),
        ("datasha256", Some(&attributes.datasha256)),
    ] {
        assert_attribute(name, text.map(String::as_str));
    }
}
