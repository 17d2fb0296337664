//! The stack that makes an archive: its function, on queues of the stand-in. No task runs there, because there is no
//! container engine.

use crate::tool::root;
use labelrelay_tests::servers::Ministack;
use serde_json::{Value, json};

/// Bodies whose bytes a parser would change.
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
    let printed = Ministack::start().boto3(script, &[&template, &bodies]);
    let found: Value = serde_json::from_str(&printed).unwrap();
    for kind in ["plain", "fifo"] {
        let found = &found[kind];
        assert_eq!(found["answer"], json!({ "batchItemFailures": [] }));
        for queue in ["events", "archive"] {
            let mut there: Vec<&str> = found[queue]
                .as_array()
                .unwrap()
                .iter()
                .map(|message| {
                    assert_eq!(message[1], "com.labelbox.label.created", "{message}");
                    message[0].as_str().unwrap()
                })
                .collect();
            if kind == "plain" {
                there.sort_unstable();
            }
            // Of a queue that keeps an order, this is it.
            if (kind, queue) != ("fifo", "archive") {
                assert_eq!(there, BODIES, "{kind}, {queue}");
            }
            assert_eq!(there.len(), BODIES.len());
        }
        assert_eq!(found["all_fail"], true, "{kind}");
    }
}
