//! Large envelopes in S3, whole: what AWS's extended client for Python reads of ours, and what ours reads.

use crate::setup::aws_with;
use crate::sqs_client::{Consumer, client, create, receive};
use labelrelay_aws::ExtendedSqsQueue;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobStore as _, EventQueue as _, EventSource as _, OutboundMessage};
use labelrelay_core::{QueueErrorKind, Settled, SourceOptions};
use labelrelay_event::{Digest, S3Pointer};
use labelrelay_testkit::queue_suite::{self as suite, message};
use labelrelay_tests::servers::{Fauxqs, Seaweedfs, boto3};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);
const STORE: &str = "s3://large/claims/a";

/// SQS and S3, each a server of its own, with a bucket.
struct Servers {
    sqs: Fauxqs,
    s3: Seaweedfs,
}

impl Servers {
    fn start() -> Self {
        let servers = Self {
            sqs: Fauxqs::start_with_plain_receipts(),
            s3: Seaweedfs::start(),
        };
        let make = "client('s3').create_bucket(Bucket='large', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})";
        servers.boto3(make, &[]);
        servers
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.sqs.environment();
        environment.push(("AWS_ENDPOINT_URL_S3".to_owned(), self.s3.endpoint()));
        environment
    }

    fn boto3(&self, script: &str, arguments: &[&str]) -> String {
        boto3::run_in(&self.environment(), script, arguments)
    }

    fn aws(&self) -> labelrelay_aws::Aws {
        let s3 = self.s3.endpoint();
        aws_with(&self.sqs.endpoint(), &[("AWS_ENDPOINT_URL_S3", &s3)])
    }

    async fn queue(&self, name: &str) -> String {
        create(&client(&self.sqs.endpoint()), name, &[]).await
    }

    fn open(&self, url: &str) -> ExtendedSqsQueue {
        self.aws().extended_queue(url, STORE).expect("URLs")
    }

    fn objects(&self) -> usize {
        let list = "print(client('s3').list_objects_v2(Bucket='large')['KeyCount'])";
        self.boto3(list, &[]).parse().unwrap()
    }
}

/// An event whose envelope has this many bytes of data.
fn event(id: &str, bytes: usize) -> OutboundMessage {
    let data = json!({ "label": "é".repeat(bytes / 2) }).to_string();
    message(id, data.as_bytes())
}

/// One that is small, one just over SQS's limit, one of 6 MB.
fn events() -> [OutboundMessage; 3] {
    [
        event("small", 1000),
        event("one", 1 << 20),
        event("six", 6_000_000),
    ]
}

#[tokio::test]
#[ignore = "needs fauxqs and SeaweedFS: cargo xtask test"]
async fn large_envelopes_are_what_extended_clients_read() {
    let servers = Servers::start();
    let url = servers.queue("events").await;
    let queue = servers.open(&url);
    queue.check().await.expect("the queue is there");
    for event in &events() {
        queue.send(event).await.expect("sent");
    }
    assert_eq!(servers.objects(), 2);

    let beside = client(&servers.sqs.endpoint());
    let [small, one, six] = events();
    for got in receive(&beside, &url, 10, Duration::ZERO).await {
        let attributes = got.message_attributes().expect("attributes");
        let text = |name: &str| attributes.get(name)?.string_value();
        let sent = match text("id") {
            Some("small") => {
                assert_eq!(got.body().unwrap().as_bytes(), small.body);
                assert_eq!(text("ExtendedPayloadSize"), None);
                continue;
            }
            Some("one") => &one,
            _ => &six,
        };
        let body = got.body().expect("a body");
        let pointer = S3Pointer::parse(body.as_bytes()).expect("a pointer");
        let (day, end) = (
            pointer.key().strip_prefix("claims/a/").expect("the prefix"),
            format!("/labelbox/{}", Digest::of(&sent.body).to_hex()),
        );
        let day = day.strip_suffix(&end).expect("source and digest");
        assert!(day.len() == 10 && day.starts_with("20"), "{day}");
        let written = format!(
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{{"s3BucketName":"large","s3Key":"claims/a/{day}{end}"}}]"#
        );
        assert_eq!(body, written);
        let size = &attributes["ExtendedPayloadSize"];
        assert_eq!(size.data_type(), "Number");
        assert_eq!(size.string_value(), Some(&*sent.body.len().to_string()));
        assert_eq!(attributes.len(), 5);
    }

    let read = "
from sqs_extended_client import SQSExtendedClientSession
import hashlib
sqs, found = SQSExtendedClientSession().client('sqs'), {}
while True:
    some = sqs.receive_message(QueueUrl=args[0], MaxNumberOfMessages=10).get('Messages', [])
    if not some: break
    for one in some:
        found[hashlib.sha256(one['Body'].encode()).hexdigest()] = len(one['Body'].encode())
        sqs.delete_message(QueueUrl=args[0], ReceiptHandle=one['ReceiptHandle'])
print(json.dumps(found))";
    let found: serde_json::Value = serde_json::from_str(&servers.boto3(read, &[&url])).unwrap();
    let sent = events().map(|one| (Digest::of(&one.body).to_hex(), json!(one.body.len())));
    assert_eq!(found, serde_json::Value::Object(sent.into_iter().collect()));
    assert!(receive(&beside, &url, 10, LONG).await.is_empty());
}

/// What is small is sent as it is, by the same rules as to any queue.
#[tokio::test]
#[ignore = "needs fauxqs and SeaweedFS: cargo xtask test"]
async fn small_events_are_as_in_any_queue_of_sqs() {
    let servers = Servers::start();
    let url = servers.queue("distinct").await;
    let (queue, client) = (servers.open(&url), client(&servers.sqs.endpoint()));
    let consumer = Consumer { client, url };
    suite::distinct_ids_are_never_merged(&queue, &consumer).await;
    suite::a_b_a_is_three_messages(&queue, &consumer).await;
    assert_eq!(servers.objects(), 0);
}

/// The lines that the documents print for the official client, run as printed.
#[tokio::test]
#[ignore = "needs fauxqs and SeaweedFS: cargo xtask test"]
async fn the_consumer_of_the_documents_reads_them() {
    let servers = Servers::start();
    let url = servers.queue("events").await;
    let queue = servers.open(&url);
    for event in &events() {
        queue.send(event).await.expect("sent");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = std::fs::read_to_string(root.join("docs/consuming.md")).unwrap();
    let script = &document[document.find("# consumer.py").expect("it prints one")..];
    let script = &script[..script.find("\n```").expect("an end")];
    let output = Command::new(boto3::python())
        .args(["-B", "-c", script, &url])
        .env("PYTHONPATH", root.join("python"))
        .envs(servers.environment())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["one 1048588 bytes", "six 6000012 bytes", "small 1012 bytes"]
    );
    let beside = client(&servers.sqs.endpoint());
    assert!(receive(&beside, &url, 10, LONG).await.is_empty());
}

#[tokio::test]
#[ignore = "needs fauxqs and SeaweedFS: cargo xtask test"]
async fn a_pointer_is_received_read_and_rejected_as_it_is() {
    let servers = Servers::start();
    let (url, dead) = (servers.queue("events").await, servers.queue("dead").await);
    let event = event("six", 6_000_000);
    servers.open(&url).send(&event).await.expect("sent");
    let options = SourceOptions::default().dead_letter("dead");
    let source = servers
        .aws()
        .event_source(&url, &options)
        .await
        .expect("a source");
    let mut received = source
        .receive(10, LONG, Duration::ZERO)
        .await
        .expect("received");
    let [received] = &mut received[..] else {
        panic!("one event is there");
    };
    assert_eq!(received.offloaded_bytes, Some(event.body.len() as u64));
    let pointer = S3Pointer::parse(&received.envelope).expect("a pointer");
    let store = servers.aws().blob_store(STORE).expect("a URL");
    let fetched = store.get(&pointer.uri()).await.expect("read");
    assert!(fetched == Fetched::Body(event.body));
    let other = servers
        .aws()
        .blob_store("s3://large/claims/b")
        .expect("a URL");
    assert_eq!(
        other.get(&pointer.uri()).await.expect("read"),
        Fetched::Elsewhere
    );

    let rejected = source.reject(received, "no use for it").await;
    assert_eq!(rejected, Ok(Settled::Done));
    let [got] = receive(&client(&servers.sqs.endpoint()), &dead, 10, LONG)
        .await
        .try_into()
        .unwrap();
    assert_eq!(got.body().unwrap().as_bytes(), received.envelope);
    let attributes = got.message_attributes().expect("attributes");
    assert!(attributes.contains_key("ExtendedPayloadSize"));
    assert!(attributes.contains_key("labelrelay-reason"));
}

/// Red if the message is sent first, or if an attempt that is tried again makes another object.
#[tokio::test]
#[ignore = "needs fauxqs and SeaweedFS: cargo xtask test"]
async fn the_object_is_there_before_the_message_and_once() {
    let servers = Servers::start();
    let url = servers.queue("events").await;
    let event = event("one", 1 << 20);
    let nowhere = servers
        .aws()
        .extended_queue(&url, "s3://nowhere")
        .expect("URLs");
    let error = nowhere.send(&event).await.expect_err("no bucket");
    assert_eq!(error.kind, QueueErrorKind::Misconfigured);
    assert!(error.message.contains("no such bucket"), "{error}");
    let beside = client(&servers.sqs.endpoint());
    assert!(receive(&beside, &url, 10, LONG).await.is_empty());

    let queue = servers.open(&url);
    for _ in 0..2 {
        queue.send(&event).await.expect("sent");
    }
    assert_eq!(servers.objects(), 1);
    assert_eq!(receive(&beside, &url, 10, LONG).await.len(), 2);
}
