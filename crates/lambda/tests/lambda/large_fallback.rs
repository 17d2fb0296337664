//! Large events in the fallback, moved by a function that has 128 MB.

use crate::event_builder::{Form, Front, event};
use crate::setup::{Cloud, Variables, answer, with};
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::servers::{Behaviour, Function, Misbehaving, installed};
use std::path::Path;

/// Copies of an event with 6 MB, which is as large as Lambda takes one.
const EVENTS: usize = 50;

/// Memory of the function in `template.yaml`, of which Lambda's own part of the process needs a little.
const MEMORY_KIB: u64 = 120 * 1024;

#[test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
fn fifty_events_of_six_megabytes_are_moved_within_its_memory() {
    let cloud = Cloud::start();
    let variables = with(
        cloud.variables(),
        "LABELRELAY_FALLBACK",
        "s3://bucket/fallback",
    );
    // Details of each request to S3 are no part of what is measured.
    let variables = with(variables, "LABELRELAY_LOG", "info");
    an_event_in_the_fallback(&variables);
    enlarge_and_copy(&cloud);

    let redrive = with(variables, "LABELRELAY_FUNCTION", "redrive");
    let function = Function::start(&redrive);
    let (mut moved, mut most) = (0, 0);
    // A slow machine needs more than one run, as a schedule gives it.
    for _ in 0..10 {
        let result = function.invoke(br#"{"source":"aws.scheduler"}"#);
        moved += result["moved"].as_u64().unwrap();
        most = most.max(peak_kib(&cloud.ministack.endpoint()));
        if result["left"] == 0 {
            break;
        }
    }
    assert_eq!(moved, EVENTS as u64, "{}", function.log());
    assert!(most < MEMORY_KIB, "{most} KiB\n{}", function.log());
    println!("{EVENTS} events of 6 MB were moved within {most} KiB");
    assert_eq!(cloud.drain().len(), EVENTS);
}

/// Lets the queue refuse a small event.
fn an_event_in_the_fallback(variables: &Variables) {
    let refusing = Misbehaving::start(Behaviour::error(403, "AccessDeniedException", "no policy"));
    let variables = with(
        variables.clone(),
        "AWS_ENDPOINT_URL_SQS",
        &refusing.endpoint(),
    );
    let relay = Function::start(&variables);
    let body = br#"{"id":"l1","label":"{}"}"#;
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", body);
    let now = jiff::Timestamp::now().as_millisecond();
    let event = event(Front::FunctionUrl, Form::Text, &request, now);
    let response = relay.invoke(&serde_json::to_vec(&event).unwrap());
    assert_eq!(answer(&response).0, 200, "{response}\n{}", relay.log());
}

/// Makes of that event many with larger data, each as the relay would have left it.
fn enlarge_and_copy(cloud: &Cloud) {
    let script = "import hashlib, re\n\
        s3, count = client('s3'), int(args[0])\n\
        (found,) = s3.list_objects_v2(Bucket='bucket', Prefix='fallback/')['Contents']\n\
        text = s3.get_object(Bucket='bucket', Key=found['Key'])['Body'].read()\n\
        head, _, _ = text.partition(b',\"data\":')\n\
        body = b'{\"id\":\"l1\",\"label\":\"' + b'a' * 6_000_000 + b'\"}'\n\
        old = re.search(rb'\"datasha256\":\"([0-9a-f]{64})\"', head)[1]\n\
        head = head.replace(old, hashlib.sha256(body).hexdigest().encode())\n\
        key = lambda n: f'fallback/20260115T120000.{n:09}Z-large'\n\
        s3.put_object(Bucket='bucket', Key=key(0), Body=head + b',\"data\":' + body + b'}')\n\
        for n in range(1, count): s3.copy_object(Bucket='bucket', Key=key(n), CopySource=dict(Bucket='bucket', Key=key(0)))\n\
        s3.delete_object(Bucket='bucket', Key=found['Key'])";
    let count = EVENTS.to_string();
    labelrelay_tests::servers::boto3::run(&cloud.ministack.endpoint(), script, &[&count]);
}

/// The most memory that the function which empties the fallback at `endpoint` had so far.
fn peak_kib(endpoint: &str) -> u64 {
    let program = installed("LABELRELAY_TEST_LAMBDA").canonicalize().unwrap();
    let mine = |process: &Path| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let has = |wanted: &str| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        };
        std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program)
            && has("LABELRELAY_FUNCTION=redrive")
            && has(&format!("AWS_ENDPOINT_URL={endpoint}"))
    };
    let processes = std::fs::read_dir("/proc").unwrap();
    let process = processes
        .map(|entry| entry.unwrap().path())
        .find(|process| mine(process))
        .expect("the function runs");
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse().unwrap()
}
