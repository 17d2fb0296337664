//! The stack that keeps an archive, deployed to the stand-in beside what the first one would have made. Its function runs
//! there; no task does, because there is no container engine.

use crate::tool::root;
use labelrelay_tests::servers::{Ministack, REGION};
use serde_json::{Value, json};

const TEMPLATE: &str = "infra/aws/archive.yaml";

/// Envelopes whose bytes a parser would change.
const BODIES: [&str; 3] = [
    "{\"id\": \"1\",\"data\":{\"n\": 9.5810, \"big\":12345678901234567890}}",
    "{\"id\":\"2\",\"data\":{\"text\":\"\u{e9}\u{2028}\u{1f600} \\u00e9 \\/\"}}",
    "{\"id\":\"3\",\"data\":{\"twice\":1,\"twice\":2}}\n",
];

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn both_queues_have_each_event_to_the_byte_and_what_one_lacks_comes_again() {
    let template = std::fs::read_to_string(root().join(TEMPLATE)).unwrap();
    let bodies = json!(BODIES).to_string();
    let script = include_str!("archive_stack.py");
    let printed = Ministack::start().boto3(script, &[&template, &bodies, REGION]);
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["fifo"]["held_back"], json!(["broken", "behind"]));
    // A run that puts files together and hangs is stopped, and is no success, by which its alarm goes.
    let hung = json!(["FAILED", "TookTooLong", []]);
    assert_eq!(found["plain"]["hung"], hung);
    for (kind, group) in [("plain", Value::Null), ("fifo", json!("group"))] {
        let found = &found[kind];
        let is_fifo = kind == "fifo";
        assert_eq!(found["is_fifo"], json!([is_fifo, is_fifo]), "{kind}");
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

/// A stack that cannot be made is rolled back, and its queues go with it: what was moved there by then would be lost. Red
/// if the function that copies is called before everything else is there.
#[test]
fn nothing_is_copied_before_the_stack_that_archives_is_made() {
    let template = std::fs::read_to_string(root().join(TEMPLATE)).unwrap();
    let (_, resources) = template.split_once("\nResources:\n").unwrap();
    let (resources, _) = resources.split_once("\nOutputs:\n").unwrap();
    let all = resources.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        name.chars().all(char::is_alphanumeric).then_some(name)
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() > 20, "{all:?}");

    // What another one names is there before that one.
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '!' | '$' | '{');
    let words = resources.split(|c: char| !is_part(c));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let named = words.windows(2).filter_map(|pair| match pair[0] {
        "!Ref" | "!GetAtt" => Some(pair[1]),
        _ => pair[1].strip_prefix("${"),
    });
    let named: Vec<_> = named.collect();
    let (_, calls) = resources.split_once("\n  Calls:\n").unwrap();
    let (calls, _) = calls.split_once("\n    Properties:\n").unwrap();
    let waits: Vec<_> = calls
        .lines()
        .filter_map(|line| line.strip_prefix("      - "))
        .collect();
    // Without the rights to a key, a queue that has one gives nothing and takes nothing.
    let itself = ["Calls", "CopierKeyPolicy", "RelayKeysPolicy", "KeyPolicy"];
    let others = all.into_iter();
    let others = others.filter(|name| !itself.contains(name) && !named.contains(name));
    let mut others: Vec<_> = others.collect();
    others.sort_unstable();
    assert_eq!(waits, others);
}

/// Red if it may do what a consumer may besides, such as reading large bodies or sending to dead letters.
#[test]
fn the_function_that_copies_may_take_send_and_log_alone() {
    let template = std::fs::read_to_string(root().join(TEMPLATE)).unwrap();
    let (_, role) = template.split_once("\n  CopierRole:\n").unwrap();
    let (role, _) = role.split_once("\n  Logs:\n").unwrap();
    assert!(!role.contains("ManagedPolicyArns"), "{role}");
    let lines = role.lines().map(str::trim);
    let actions: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("Action: "))
        .collect();
    let allowed = [
        "sts:AssumeRole",
        "[logs:CreateLogStream, logs:PutLogEvents]",
        "[sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]",
        "sqs:SendMessage",
    ];
    assert_eq!(actions, allowed);
    assert!(!role.contains("Resource: \"*\""), "{role}");
    // What else is attached to it.
    let attached = template
        .split("\n  ")
        .filter(|part| part.contains("Roles: [!Ref CopierRole"));
    assert_eq!(attached.count(), 2);
    for policy in ["CopierKeyPolicy", "RelayKeysPolicy"] {
        let (_, policy) = template.split_once(&format!("\n  {policy}:\n")).unwrap();
        let (policy, _) = policy.split_once("\n  KeyPolicy:\n").unwrap();
        let services = policy
            .lines()
            .filter(|line| line.contains("kms:ViaService"));
        for line in services {
            assert!(line.contains("\"sqs.") && !line.contains("s3."), "{line}");
        }
    }
}
