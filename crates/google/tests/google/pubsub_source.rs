//! The suite of sources of events over Google's emulator, and what is particular to Pub/Sub.

use crate::setup::google;
use labelrelay_core::backend::{CommandLineBackEnd, Location};
use labelrelay_core::{
    BackEndError, BoxFuture, EventQueue as _, EventSource, Settled, SourceOptions,
};
use labelrelay_google::PubSubSource;
use labelrelay_testkit::queue_suite::message;
use labelrelay_testkit::source_suite::{self as suite, REASON, Subject, Tells};
use labelrelay_tests::servers::PubSub;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// The fewest that Pub/Sub takes.
const ATTEMPTS: u32 = 5;

/// Lets real time pass: the emulator goes by no other.
fn pass(by: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(by))
}

fn dead(name: &str) -> String {
    format!("{name}-dead")
}

/// Makes a topic and a subscription of this name, whose dead letters go to another topic; their URL.
fn topic(server: &PubSub, name: &str, more: &serde_json::Value) -> String {
    server.topic(&dead(name));
    let topic = format!("projects/labelrelay-test/topics/{}", dead(name));
    let policy = json!({ "deadLetterTopic": topic, "maxDeliveryAttempts": ATTEMPTS });
    let mut settings = json!({ "deadLetterPolicy": policy });
    let more = more.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(more);
    server.topic_with(name, &settings)
}

async fn open(server: &PubSub, url: &str) -> PubSubSource {
    let google = google(&server.environment());
    let opened = google.event_source(url, &SourceOptions::default()).await;
    opened.expect("a subscription")
}

async fn over_a_subscription<T>(
    server: &PubSub,
    name: &str,
    test: impl AsyncFnOnce(Subject<'_>) -> T,
) -> T {
    let url = topic(server, name, &json!({}));
    let source = open(server, &url).await;
    let queue = google(&server.environment()).queue(&url).expect("a topic");
    test(Subject {
        queue: &queue,
        source: &source,
        pass: &pass,
        tells: Tells::Nothing,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn it_passes_the_suite() {
    let server = PubSub::start();
    let server = &server;
    tokio::join!(
        over_a_subscription(
            server,
            "again",
            suite::an_event_comes_back_when_its_visibility_ran_out
        ),
        over_a_subscription(server, "done", suite::an_acknowledged_event_is_done_with),
        over_a_subscription(
            server,
            "back",
            suite::an_event_that_was_given_back_comes_when_its_time_has_come
        ),
        over_a_subscription(server, "kept", suite::an_event_that_is_extended_is_kept),
        over_a_subscription(server, "wait", suite::a_wait_ends_with_an_event),
        over_a_subscription(
            server,
            "odd",
            suite::odd_and_large_envelopes_come_as_they_were_sent
        ),
        over_a_subscription(server, "batch", async |subject| {
            // More than one pull takes.
            suite::a_long_batch_is_settled_receipt_by_receipt(subject, 120).await;
        }),
        over_a_subscription(server, "shared", async |subject| {
            let other = open(server, "pubsub://labelrelay-test/shared").await;
            suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
        }),
        over_a_subscription(server, "often", async |subject| {
            suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, ATTEMPTS)
                .await;
        }),
    );
    assert_eq!(server.drain(&dead("often")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_dead_letter_says_why_and_keeps_what_stood_beside_it() {
    let server = PubSub::start();
    let rejected =
        over_a_subscription(&server, "events", suite::a_rejected_event_is_done_with).await;
    let got = server.drain(&dead("events"));
    assert_eq!(got.len(), 1);
    assert!(got[0].data == rejected.envelope);
    let reason = ("labelrelay-reason".to_owned(), REASON.to_owned());
    assert!(
        got[0].attributes.contains(&reason),
        "{:?}",
        got[0].attributes
    );
    let id = ("id".to_owned(), "poison".to_owned());
    assert!(got[0].attributes.contains(&id), "{:?}", got[0].attributes);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_dead_letter_of_an_order_keeps_its_key_and_may_go_elsewhere() {
    let server = PubSub::start();
    server.topic("elsewhere");
    let url = topic(
        &server,
        "ordered",
        &json!({ "enableMessageOrdering": true }),
    );
    let google = google(&server.environment());
    let queue = google.queue(&format!("{url}?ordering=partition")).unwrap();
    for place in ["elsewhere", "pubsub://labelrelay-test/elsewhere"] {
        let options = SourceOptions::default().dead_letter(place);
        let source = google.event_source(&url, &options).await.unwrap();
        let sent = message(place, b"{}");
        queue.send(&sent).await.unwrap();
        let mut events = source.receive(1, LONG, LONG).await.unwrap();
        assert_eq!(events[0].group.as_deref(), Some(sent.partition_key()));
        let rejected = source.reject(&mut events[0], "why").await.unwrap();
        assert_eq!(rejected, Settled::Done);
        let got = server.drain("elsewhere");
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].ordering_key, sent.partition_key());
    }
    assert!(server.drain(&dead("ordered")).is_empty());
}

/// Red if the event is acknowledged before its dead letter is there: there is no such topic.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn an_event_without_its_dead_letter_stays() {
    let server = PubSub::start();
    let url = topic(&server, "events", &json!({}));
    let google = google(&server.environment());
    let options = SourceOptions::default().dead_letter("nowhere");
    let source = google.event_source(&url, &options).await.unwrap();
    let queue = google.queue(&url).unwrap();
    let subject = Subject {
        queue: &queue,
        source: &source,
        pass: &pass,
        tells: Tells::Nothing,
    };
    let error = suite::a_failed_rejection_leaves_the_event(subject).await;
    assert!(
        error.resource.ends_with("topics/nowhere") && !error.retryable,
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_queue_that_cannot_be_consumed_is_refused_with_the_cure() {
    let server = PubSub::start();
    let without = server.topic("without");
    let pushed = json!({ "pushConfig": { "pushEndpoint": "http://127.0.0.1:9/" } });
    let pushed = topic(&server, "pushed", &pushed);
    let google = google(&server.environment());
    let own = topic(&server, "own", &json!({}));
    let opened = async |url: &str| -> Result<_, BackEndError> {
        let base_dir = Path::new("/");
        let mut options = SourceOptions::default();
        if url == own {
            options = options.dead_letter("own");
        }
        CommandLineBackEnd::event_source(&google, Location { url, base_dir }, &options).await
    };
    for (url, word) in [
        (&*without, "--dead-letter-topic"),
        (&pushed, "pushes"),
        (&own, "come back as a new one"),
        ("pubsub://labelrelay-test/missing", "does not exist"),
        ("pubsub://labelrelay-test", "pubsub://PROJECT/SUBSCRIPTION"),
    ] {
        let error: BackEndError = opened(url).await.err().expect(url);
        assert!(
            error.to_string().contains(word) && !error.retryable,
            "{url}: {error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_dead_emulator_may_come_back_and_a_foreign_time_is_refused() {
    let mut server = PubSub::start();
    let url = topic(&server, "events", &json!({}));
    let source: &dyn EventSource = &open(&server, &url).await;
    let hour = Duration::from_secs(3600);
    let error = source.receive(1, hour, Duration::ZERO).await.unwrap_err();
    assert!(error.cure.contains("600") && !error.retryable, "{error}");
    server.kill();
    let error = source.receive(1, LONG, Duration::ZERO).await.unwrap_err();
    assert!(
        error.retryable && error.resource.ends_with("/events"),
        "{error}"
    );
}
