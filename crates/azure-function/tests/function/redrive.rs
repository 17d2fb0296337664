//! The timer, and that nobody outside is one.

use crate::in_process::behind_the_host;
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::{FallbackStore as _, Parts, QueueErrorKind, QueueLimits, Relay};
use labelrelay_startup::{OsEntropy, SystemClock};
use labelrelay_testkit::in_memory::{Fault, MemoryFallback, MemoryQueue, RecordingObserver};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::client::once;
use std::path::PathBuf;
use std::sync::Arc;

const CONFIG: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"
"#;

struct RedriveSetup {
    relay: Arc<Relay>,
    queue: Arc<MemoryQueue>,
    fallback: Arc<MemoryFallback>,
}

/// A relay whose fallback holds two events.
async fn redrive_setup() -> RedriveSetup {
    let lookup = |name: &str| (name == "SECRET").then(|| "0123456789abcdef".to_owned());
    let config = Config::from_toml(CONFIG, "test.toml", PathBuf::new(), &lookup).unwrap();
    let queue = Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 20)));
    let fallback = Arc::new(MemoryFallback::default());
    for id in ["a", "b"] {
        let key = format!("20261124T031415.123456789Z-{id}");
        fallback.put(&key, message(id, b"{}").body).await.unwrap();
    }
    let parts = Parts::new(
        queue.clone(),
        Arc::new(SystemClock::new()),
        Arc::new(OsEntropy),
        Arc::new(RecordingObserver::default()),
    )
    .with_fallback(Some(fallback.clone()));
    let open = |reference: &SecretRef, end| {
        Ok(reference
            .open(end, &lookup, "test.toml", "secret")?
            .unwrap())
    };
    let relay = Arc::new(Relay::new(&config, parts, &open).unwrap());
    RedriveSetup {
        relay,
        queue,
        fallback,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_empties_the_fallback() {
    let setup = redrive_setup().await;
    let answer = behind_the_host(setup.relay, |host, _| host.timer("redrive")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // The host waits for ever for a result that it cannot read.
    let result: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(
        result["Outputs"].is_object() && result["Logs"].is_array(),
        "{result}"
    );
    assert!(result.as_object().unwrap().contains_key("ReturnValue"));
    assert_eq!(setup.queue.messages().len(), 2);
    assert!(setup.fallback.envelopes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_stays_makes_the_invocation_fail() {
    let setup = redrive_setup().await;
    setup
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied)]);
    let answer = behind_the_host(setup.relay, |host, _| host.timer("redrive")).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_eq!(setup.queue.messages().len(), 1);
    assert_eq!(setup.fallback.envelopes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_is_the_timer() {
    let setup = redrive_setup().await;
    let statuses = behind_the_host(setup.relay, |host, _| {
        let targets = [
            ("/redrive", 404),
            ("/api/../redrive", 404),
            ("/api/%2e%2e/redrive", 404),
            ("//redrive", 404),
            ("/api/redrive", 401),
            ("/api//redrive", 401),
            ("/api/..%2fredrive", 401),
        ];
        targets.map(|(target, status)| {
            let body = r#"{"Data":{"timer":{}},"Metadata":{"sys":{"MethodName":"redrive"}}}"#;
            let request = format!(
                "POST {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Azure-Functions-Host/4\r\nX-Azure-Functions-InvocationId: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            (target, once(host.address, request.as_bytes()).status, status)
        })
    })
    .await;
    for (target, got, expected) in statuses {
        assert_eq!(got, expected, "{target}");
    }
    assert!(setup.queue.messages().is_empty());
    assert_eq!(setup.fallback.envelopes().len(), 2);
}
