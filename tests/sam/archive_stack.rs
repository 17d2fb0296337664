//! The stack that keeps an archive, deployed to the stand-in beside what the first one would have made. Its function runs
//! there; no task does, because there is no container engine.

use crate::tool::root;
use labelrelay_tests::servers::{Ministack, REGION};
use serde_json::{Value, json};

/// Envelopes whose bytes a parser would change.
const BODIES: [&str; 3] = [
    "{\"id\": \"1\",\"data\":{\"n\": 9.5810, \"big\":12345678901234567890}}",
    "{\"id\":\"2\",\"data\":{\"text\":\"\u{e9}\u{2028}\u{1f600} \\u00e9 \\/\"}}",
    "{\"id\":\"3\",\"data\":{\"twice\":1,\"twice\":2}}\n",
];

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn both_queues_have_each_event_to_the_byte_and_what_one_lacks_comes_again() {
    let template = std::fs::read_to_string(root().join("infra/aws/archive.yaml")).unwrap();
    let bodies = json!(BODIES).to_string();
    let script = include_str!("archive_stack.py");
    let printed = Ministack::start().boto3(script, &[&template, &bodies, REGION]);
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["fifo"]["held_back"], json!(["broken", "behind"]));
    for (kind, group) in [("plain", Value::Null), ("fifo", json!("group"))] {
        let found = &found[kind];
        assert_eq!(found["failed"], json!([]), "{kind}");
        for (queue, group) in [("events", &group), ("archive", &Value::Null)] {
            let copies = found[queue].as_array().unwrap();
            let mut bodies = Vec::new();
            for copy in copies {
                assert_eq!(copy[1], "com.labelbox.label.created", "{kind}, {queue}");
                assert_eq!(&copy[2], group, "{kind}, {queue}");
                bodies.push(copy[0].as_str().unwrap());
            }
            // Only one of these queues keeps an order, and that has to be this one.
            if (kind, queue) != ("fifo", "events") {
                bodies.sort_unstable();
            }
            assert_eq!(bodies, BODIES, "{kind}, {queue}");
        }
        assert_eq!(found["all_fail"], true, "{kind}: one queue is gone");
        assert_eq!(found["command"], true, "{kind}");
        assert_eq!(found["every"], "rate(15 minutes)");
        assert_eq!(found["compacts"], true, "{kind}");
    }
}
