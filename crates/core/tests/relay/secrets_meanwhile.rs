//! Secrets that other deliveries read while a body is on its way.

use crate::secrets::Staged;
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{Stream, stream};
use http::Method;
use labelrelay_core::config::{Config, ConfigError, SecretRef};
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{BodyError, Intake, Parts, QueueLimits, Relay, RequestHead, SecretSource};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::{MemoryQueue, RecordingObserver};
use labelrelay_testkit::request::TestRequest;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"
"#;

const BODY: &[u8] = br#"{"id":"a"}"#;

fn signed(secret: &str) -> TestRequest {
    let signature = sign_sha1(secret.as_bytes(), BODY);
    TestRequest::new(Method::POST, "/labelbox", BODY).header("x-hub-signature", &signature)
}

/// The status of the answer.
async fn deliver<S>(relay: &Relay, head: RequestHead, body: S) -> u16
where
    S: Stream<Item = Result<Bytes, BodyError>> + Send,
{
    let answer = match relay.receive(head, body).await {
        Intake::Deliver(received) => relay.complete(received).await,
        Intake::Answer(answer) => answer,
    };
    answer.outcome.status().as_u16()
}

/// Red if a delivery is refused by the newest secret, which another one brought, without asking for the one before.
#[test]
fn an_older_secret_is_asked_for_although_another_delivery_brought_the_newest() {
    let (store, clock) = (
        Staged::new(&["first"]),
        FakeClock::at("2026-01-01T00:00:00Z"),
    );
    let nothing = |_: &str| None::<String>;
    let config = Config::from_toml(CONFIG, "test.toml", PathBuf::from("."), &nothing).unwrap();
    let parts = Parts::new(
        Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 20))),
        Arc::new(clock.clone()),
        Arc::new(CountingEntropy::default()),
        Arc::new(RecordingObserver::default()),
    );
    let open = |_: &SecretRef, _| -> Result<Box<dyn SecretSource>, ConfigError> {
        Ok(Box::new(store.clone()))
    };
    let relay = Relay::new(&config, parts, &open).unwrap();

    let first = signed("first");
    let answered = block_on(deliver(&relay, first.head(&clock), first.stream(1000)));
    assert_eq!(answered, 200);
    clock.advance(Duration::from_secs(299));
    let (second, third) = (signed("second"), signed("third"));
    // Its secrets are known before its body comes. Meanwhile there are two rotations, and what was known is too old.
    let body = stream::once(async {
        store.all.set(Ok(vec!["third", "second"]));
        clock.advance(Duration::from_secs(2));
        let other = deliver(&relay, third.head(&clock), third.stream(1000)).await;
        assert_eq!(other, 200);
        Ok::<_, BodyError>(Bytes::from_static(BODY))
    });
    let answered = block_on(deliver(&relay, second.head(&clock), body));
    assert_eq!(answered, 200);
    assert_eq!(store.asked(), (2, 1), "the newest twice, then both");
}
