//! The template's parameters: each combination deploys, and what it deploys delivers.

use crate::archive;
use crate::delivery::{Accepted, deliver};
use crate::stack::Stack;
use labelrelay_tests::{relay, sender};

#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn a_fifo_queue_keeps_repeats_out() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &["Fifo=true", "Fallback=false", "LabelStudio=false"],
    );
    assert!(outputs.get("QueueUrl").strip_suffix(".fifo").is_some());
    for absent in ["LabelStudioUrl", "RedriveFunction"] {
        assert!(!outputs.has(absent), "{absent} without what it belongs to");
    }
    // Each group has a limit of its own, which FIFO queues have only if repeats are looked for within a group.
    for (name, value) in [
        ("DeduplicationScope", "messageGroup"),
        ("FifoThroughputLimit", "perMessageGroupId"),
    ] {
        assert_eq!(stack.queue_attribute(outputs.get("QueueUrl"), name), value);
    }
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let mut accepted = Accepted::new();
    for _ in 0..2 {
        deliver(
            &stack,
            &outputs,
            &secret,
            &sender::label("fifo"),
            &mut accepted,
        );
    }
    assert_eq!(accepted.len(), 1, "a repeat has the same id");
    assert_eq!(stack.waiting(&outputs), 1);
}

#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn a_fair_queue_gets_groups() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &["FairQueue=true", "Fallback=false", "LabelStudio=false"],
    );
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let mut accepted = Accepted::new();
    let label = sender::label("fair");
    deliver(&stack, &outputs, &secret, &label, &mut accepted);
    let script = "found = client('sqs').receive_message(QueueUrl=args[0], MessageSystemAttributeNames=['All'])\n\
        print('MessageGroupId' in found['Messages'][0]['Attributes'])";
    let grouped = stack.aws.boto3(script, &[outputs.get("QueueUrl")]);
    assert_eq!(grouped, "True");
}

#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn queue_bucket_and_secret_may_be_brought_along() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let script = "sqs, region = client('sqs'), client('sqs').meta.region_name\n\
        url = sqs.create_queue(QueueName='mine')['QueueUrl']\n\
        dead = sqs.create_queue(QueueName='dead')['QueueUrl']\n\
        dead = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
        client('s3').create_bucket(Bucket='mine', CreateBucketConfiguration={'LocationConstraint': region})\n\
        secret = client('secretsmanager').create_secret(Name='mine', SecretString='a secret with blanks of forty characters')['ARN']\n\
        print(queue, 'arn:aws:s3:::mine', secret, url, dead)";
    let made = stack.aws.boto3(script, &[]);
    let [queue, bucket, secret, url, dead] = made.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{made}")
    };
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &[
            &format!("QueueArn={queue}"),
            &format!("DeadLetterQueueArn={dead}"),
            &format!("BucketArn={bucket}"),
            &format!("LabelboxSecretArn={secret}"),
            "LabelStudio=false",
            "LabelboxAllowedAddresses=127.0.0.0/8,192.0.2.7",
        ],
    );
    assert_eq!(outputs.get("BucketName"), "mine");
    assert_eq!(outputs.get("LabelboxSecretArn"), secret);
    let script = "arn = args[0]; iam = client('iam')\n\
        version = iam.get_policy(PolicyArn=arn)['Policy']['DefaultVersionId']\n\
        print(json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)['PolicyVersion']['Document']))";
    let policy = stack.aws.boto3(script, &[outputs.get("ConsumerPolicyArn")]);
    assert!(
        policy.contains(dead),
        "a consumer may reject events: {policy}"
    );
    assert!(
        !outputs.has("DeadLetterQueueUrl"),
        "a queue that is brought has its own"
    );
    let name = |url: &str| url.rsplit('/').next().map(str::to_owned);
    assert_eq!(name(outputs.get("QueueUrl")), name(url));
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let mut accepted = Accepted::new();
    deliver(
        &stack,
        &outputs,
        &secret,
        &sender::label("mine"),
        &mut accepted,
    );
    let large = sender::label(&"x".repeat(1_200_000));
    deliver(&stack, &outputs, &secret, &large, &mut accepted);
    assert_eq!(stack.waiting_at(url), 2);
    assert_eq!(stack.objects(&outputs, "claims/").len(), 1);
}

/// A run of the second stack pulls from Label Studio alone.
#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn events_of_label_studio_leave_traces_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &["Traces=true", "Fallback=false"],
    );
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let label = sender::label("untraced");
    deliver(&stack, &outputs, &secret, &label, &mut Accepted::new());
    let secret = stack.secret(&outputs, "LabelStudioSecretCommand");
    let body = br#"{"action": "PROJECT_CREATED", "project": {"id": 1}}"#;
    let request = sender::label_studio(&format!("Bearer {secret}"), body);
    // Label Studio waits for less than a second, and a trace has less than half of that. Where a machine was too busy,
    // a repeat leaves one.
    let traces = relay::eventually("an event of Label Studio left a trace", || {
        let answer = crate::delivery::send(&stack, &outputs, &request);
        let traces = stack.objects(&outputs, "traces/");
        (answer.status == 200 && !traces.is_empty()).then_some(traces)
    });
    let of_label_studio = |key: &String| key.contains("Z-label-studio.");
    assert!(traces.iter().all(of_label_studio), "{traces:?}");
    assert!(stack.waiting(&outputs) >= 2);
}

#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn an_address_that_is_not_on_the_list_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &["LabelStudio=false", "LabelboxAllowedAddresses=192.0.2.7"],
    );
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let body = sender::label("elsewhere");
    let request = sender::labelbox(&secret, "LABEL_CREATED", "ckfgcfsjk09jn06624cy7gb26", &body);
    let answer = crate::delivery::send(&stack, &outputs, &request);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(stack.waiting(&outputs), 0);
}

#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn uninstalling_keeps_what_was_not_consumed() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(&archive::pack(folder.path()), &["LabelStudio=false"]);
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let mut accepted = Accepted::new();
    let large = sender::label(&"x".repeat(1_200_000));
    deliver(&stack, &outputs, &secret, &large, &mut accepted);
    stack.delete();
    assert_eq!(stack.waiting(&outputs), 1);
    assert_eq!(stack.objects(&outputs, "claims/").len(), 1);
    let request = sender::labelbox(
        &secret,
        "LABEL_CREATED",
        "ckfgcfsjk09jn06624cy7gb26",
        &large,
    );
    let answer = crate::delivery::send(&stack, &outputs, &request);
    assert_eq!(answer.status, 404, "the URL is gone: {}", answer.text());
}
