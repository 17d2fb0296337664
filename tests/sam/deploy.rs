//! From `sam build` to the last consumed event, and through an upgrade.

use crate::consumer::{Consumed, consume, consume_as_printed};
use crate::delivery::{Accepted, deliver};
use crate::stack::{Outputs, Stack, build};
use crate::{archive, delivery, outage, permissions};
use labelrelay_tests::recording_proxy::Recorder;
use labelrelay_tests::relay::WRONG_SECRET;
use labelrelay_tests::{fixture, label_studio, program, sender};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

#[test]
#[ignore = "needs SAM, MiniStack, cargo-lambda and Label Studio: cargo xtask test"]
fn everything_delivered_to_a_deployed_relay_is_consumed_and_an_upgrade_keeps_it() {
    let folders = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = folders.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    };
    let stack = Stack::new();
    let built = build(&folder("built"));
    let outputs = stack.deploy_configured(&built, &["LabelStudioMlBackend=true"]);
    let url = outputs.get("LabelStudioUrl");
    assert!(
        url.contains(".lambda-url."),
        "the front door by default: {url}"
    );
    for name in ["LabelboxSecretCommand", "LabelStudioSecretCommand"] {
        assert_eq!(
            stack.secret(&outputs, name).len(),
            40,
            "{name}: one is generated"
        );
    }
    let secret = stack.rotate(&outputs, "LabelboxSecretCommand");
    let label_studio_secret = stack.rotate(&outputs, "LabelStudioSecretCommand");
    assert_eq!(stack.redrive_retries(&outputs), 0, "two never run at once");
    assert_eq!(
        stack.public_actions(&outputs),
        ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"],
        "what a public URL needs since October 2025, each for the URL alone"
    );

    let consumer = permissions::consumer(&stack, outputs.get("ConsumerPolicyArn"));
    permissions::are_no_wider(&stack, &outputs, &consumer);
    first_proof(&stack, &outputs, &secret, &consumer, &folder("proof"));
    let mut accepted = Accepted::new();
    labelbox(&stack, &outputs, &secret, &mut accepted);
    forgeries(&stack, &outputs);
    walk(&stack, &outputs, &label_studio_secret, &mut accepted);
    outage::queue_refuses(&stack, &outputs, &secret, &mut accepted);
    let kept = folder("consumed");
    assert_same(&accepted, &consume(&stack, &outputs, &kept, &consumer));
    assert_eq!(stack.waiting(&outputs), 0, "the consumer empties the queue");

    // An event that waits while a new version is deployed, from a release's archive, by somebody with the
    // documented permissions.
    let sample = fixture::labelbox().remove(0);
    let body = with_line(&sample.body, "before the upgrade");
    deliver(&stack, &outputs, &secret, &body, &mut accepted);
    let rotated = stack.rotate(&outputs, "LabelboxSecretCommand");
    let upgraded = stack.deploy_as(
        &archive::pack(&folder("archive")),
        &["LabelStudioMlBackend=true", "LogRetentionDays=7"],
        &permissions::deployer(&stack),
    );
    assert_eq!(
        upgraded, outputs,
        "URLs, queue, bucket, policy and secrets keep their names"
    );
    assert_eq!(stack.secret(&upgraded, "LabelboxSecretCommand"), rotated);
    assert_eq!(
        stack.secret(&upgraded, "LabelStudioSecretCommand"),
        label_studio_secret
    );
    assert_eq!(stack.waiting(&upgraded), 1, "messages are kept");
    assert_eq!(
        stack.log_retention(&upgraded),
        vec![7, 7],
        "the parameter has changed"
    );
    for (secret, text) in [
        (&rotated, "after the upgrade"),
        (&secret, "with the secret before the rotation"),
    ] {
        let body = with_line(&sample.body, text);
        deliver(&stack, &upgraded, secret, &body, &mut accepted);
    }
    assert_same(&accepted, &consume(&stack, &upgraded, &kept, &consumer));

    // The documented policy is enough for the documented consumer.
    let label = fixture::labelbox()
        .into_iter()
        .find(|sample| sample.name == "v1_label_created")
        .unwrap();
    let body = with_line(&label.body, "for the documented consumer");
    deliver(&stack, &upgraded, &rotated, &body, &mut accepted);
    let printed = consume_as_printed(&stack, &upgraded, &folder("printed"), &consumer);
    assert_eq!(printed, "1 events, 1 annotations and labels\n");
}

/// First step of the documentation, with its own command.
fn first_proof(
    stack: &Stack,
    outputs: &Outputs,
    secret: &str,
    credentials: &[(&str, String)],
    folder: &Path,
) {
    let url = format!("http://{}{}", stack.address(), outputs.path("LabelboxUrl"));
    let sent = program::command()
        .args(["send", "--to", &url, "--provider", "labelbox", "--json"])
        .args(["--secret", "env:LABELBOX_WEBHOOK_SECRET"])
        .env("LABELBOX_WEBHOOK_SECRET", secret)
        .output()
        .unwrap();
    assert!(
        sent.status.success(),
        "labelrelay send: {}{}\n{}",
        String::from_utf8_lossy(&sent.stdout),
        String::from_utf8_lossy(&sent.stderr),
        stack.logs(),
    );
    let sent: serde_json::Value = serde_json::from_slice(&sent.stdout).unwrap();
    let found = consume(stack, outputs, folder, credentials);
    let ids: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(ids, [sent["answer"]["id"].as_str().unwrap()]);
}

pub(crate) fn labelbox(stack: &Stack, outputs: &Outputs, secret: &str, accepted: &mut Accepted) {
    for sample in fixture::labelbox() {
        let request = sample.request(&sender::signature(secret, &sample.body));
        let answer = delivery::send(stack, outputs, &request);
        let what = format!("{}: {}\n{}", sample.name, answer.text(), stack.logs());
        assert_eq!(answer.status, 200, "{what}");
        assert_eq!(answer.outcome(), "accepted", "{what}");
        accepted.insert(answer.member("id").unwrap(), sample.body);
    }
}

pub(crate) fn forgeries(stack: &Stack, outputs: &Outputs) {
    let before = stack.waiting(outputs);
    for sample in fixture::labelbox() {
        for request in [
            sample.request(&sender::signature(WRONG_SECRET, &sample.body)),
            sample.request_with(
                &sender::signature(WRONG_SECRET, &sample.body),
                &with_line(&sample.body, "changed on the way"),
            ),
        ] {
            let answer = delivery::send(stack, outputs, &request);
            assert_eq!(answer.status, 401, "{}: {}", sample.name, answer.text());
        }
    }
    assert_eq!(
        stack.waiting(outputs),
        before,
        "a forgery leaves nothing in the queue"
    );
}

/// A real Label Studio, as webhooks and with the relay as its ML back end. One at a time: each answer of the stand-in
/// takes longer beside another one.
pub(crate) fn walk(stack: &Stack, outputs: &Outputs, secret: &str, accepted: &mut Accepted) {
    static ONE: Mutex<()> = Mutex::new(());
    // A walk that failed is no reason to let the next one fail.
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    stack.answers_late(outputs);
    let recorder = Recorder::start(stack.address());
    let place = format!("{}{}", recorder.address, outputs.path("LabelStudioUrl"));
    label_studio::drive(&place, secret);
    let exchanges = recorder.exchanges();
    for exchange in &exchanges {
        assert!(
            matches!(exchange.status, Some(200..=299)),
            "{} of {} bytes: {:?} {}\n{}",
            exchange.request_line,
            exchange.body.len(),
            exchange.status,
            String::from_utf8_lossy(&exchange.answer),
            stack.logs()
        );
    }
    let events = label_studio::events(&exchanges);
    println!(
        "a real Label Studio delivered {} events, the largest of {} bytes, and asked {} times",
        events.len(),
        events.iter().map(|event| event.body.len()).max().unwrap(),
        exchanges.len() - events.len()
    );
    for event in events {
        let answer: serde_json::Value = serde_json::from_slice(&event.answer).unwrap();
        assert_eq!(
            answer["outcome"], "accepted",
            "a standard queue keeps no repeats out"
        );
        let id = answer["id"].as_str().unwrap().to_owned();
        let before = accepted.insert(id, event.body.clone());
        assert!(
            before.is_none_or(|before| before == event.body),
            "one id for two bodies of {}",
            label_studio::action(&event.body)
        );
    }
}

/// The same object with one more member: another body, hence another event.
fn with_line(body: &[u8], text: &str) -> Vec<u8> {
    let end = body.iter().rposition(|byte| *byte == b'}').unwrap();
    [&body[..end], format!(", \"line\": \"{text}\"}}").as_bytes()].concat()
}

pub(crate) fn assert_same(accepted: &Accepted, consumed: &Consumed) {
    for (id, body) in accepted {
        let found = consumed
            .get(id)
            .unwrap_or_else(|| panic!("{id} was accepted and never came out"));
        assert!(found == body, "{id}: not the bytes that were sent");
    }
    assert_eq!(consumed.len(), accepted.len(), "nothing else came out");
}
