//! The suite of sources of events over Azurite, and what is particular to a Storage Queue.

use crate::setup::{azure, queue};
use labelrelay_azure::StorageQueueSource;
use labelrelay_core::backend::{CommandLineBackEnd, Location};
use labelrelay_core::{BackEndError, BoxFuture, EventSource as _, SourceOptions};
use labelrelay_event::Envelope;
use labelrelay_testkit::source_suite::{self as suite, REASON, Subject, Tells};
use labelrelay_tests::azure::sas::{ACCOUNT, allowing};
use labelrelay_tests::servers::Azurite;
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Lets real time pass: the server goes by no other.
fn pass(by: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(by))
}

async fn open(url: &str, options: &SourceOptions) -> Result<StorageQueueSource, BackEndError> {
    azure(&[]).event_source(url, options).await
}

/// Runs `test` over a fresh queue, with a queue for dead letters beside it.
async fn over_a_queue<T>(
    azurite: &Azurite,
    name: &str,
    test: impl AsyncFnOnce(Subject<'_>) -> T,
) -> T {
    azurite.make_queue(name);
    azurite.make_queue(&format!("{name}-poison"));
    let url = azurite.queue_url(name);
    let source = open(&url, &SourceOptions::default()).await.unwrap();
    let queue = queue(&url);
    test(Subject {
        queue: &*queue,
        source: &source,
        pass: &pass,
        tells: Tells::All,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn it_passes_the_suite() {
    let azurite = Azurite::start();
    let azurite = &azurite;
    tokio::join!(
        over_a_queue(
            azurite,
            "again",
            suite::an_event_comes_back_when_its_visibility_ran_out
        ),
        over_a_queue(azurite, "done", suite::an_acknowledged_event_is_done_with),
        over_a_queue(
            azurite,
            "back",
            suite::an_event_that_was_given_back_comes_when_its_time_has_come
        ),
        over_a_queue(azurite, "kept", suite::an_event_that_is_extended_is_kept),
        over_a_queue(azurite, "wait", suite::a_wait_ends_with_an_event),
        over_a_queue(
            azurite,
            "odd",
            suite::odd_and_large_envelopes_come_as_they_were_sent
        ),
        over_a_queue(azurite, "batch", async |subject| {
            suite::a_long_batch_is_settled_receipt_by_receipt(subject, 40).await;
        }),
        over_a_queue(azurite, "shared", async |subject| {
            let url = azurite.queue_url("shared");
            let other = open(&url, &SourceOptions::default()).await.unwrap();
            suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
        }),
        over_a_queue(
            azurite,
            "late",
            suite::an_event_that_others_may_have_is_not_rejected
        ),
    );
    assert!(azurite.drain("late-poison").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_dead_letter_says_why_and_stays() {
    let azurite = Azurite::start();
    let rejected = over_a_queue(&azurite, "events", suite::a_rejected_event_is_done_with).await;
    let dead = azurite.drain("events-poison");
    assert_eq!(dead.len(), 1);
    assert!(dead[0].expires.contains("9999"), "{}", dead[0].expires);
    let why = Envelope::decode(&dead[0].body).unwrap();
    let was = Envelope::decode(&rejected.envelope).unwrap();
    assert_eq!(why.attributes.id, was.attributes.id);
    let value: serde_json::Value = serde_json::from_slice(&dead[0].body).unwrap();
    assert_eq!(value["deadreason"], REASON);
    assert!(
        dead[0].body.ends_with(&rejected.envelope[1..]),
        "the rest is as it was"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn an_event_received_too_often_is_a_dead_letter() {
    const MOST: u32 = 3;
    let azurite = Azurite::start();
    for queue in ["events", "elsewhere"] {
        azurite.make_queue(queue);
    }
    let url = azurite.queue_url("events");
    let options = SourceOptions::default()
        .max_receives(MOST)
        .dead_letter("elsewhere");
    let source = open(&url, &options).await.unwrap();
    assert!(source.limits_receives(), "as it was told to");
    let untold = SourceOptions::default().dead_letter("elsewhere");
    assert!(!open(&url, &untold).await.unwrap().limits_receives());
    let queue = queue(&url);
    let subject = Subject {
        queue: &*queue,
        source: &source,
        pass: &pass,
        tells: Tells::All,
    };
    suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, MOST).await;
    let dead = azurite.drain("elsewhere");
    assert_eq!(dead.len(), 1);
    let dead: serde_json::Value = serde_json::from_slice(&dead[0].body).unwrap();
    assert_eq!(
        dead["deadreason"],
        "received 3 times and never acknowledged"
    );
}

/// Red if the event is deleted before its dead letter is there: the queue for it is gone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn an_event_without_its_dead_letter_stays() {
    let azurite = Azurite::start();
    for queue in ["events", "events-poison"] {
        azurite.make_queue(queue);
    }
    let url = azurite.queue_url("events");
    let source = open(&url, &SourceOptions::default()).await.unwrap();
    azurite.delete_queue("events-poison");
    let queue = queue(&url);
    let subject = Subject {
        queue: &*queue,
        source: &source,
        pass: &pass,
        tells: Tells::All,
    };
    let error = suite::a_failed_rejection_leaves_the_event(subject).await;
    assert!(
        error.resource.contains("`events-poison`") && !error.retryable,
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_queue_that_cannot_be_consumed_is_refused_with_the_cure() {
    let azurite = Azurite::start();
    azurite.make_queue("events");
    let options = SourceOptions::default();
    let url = azurite.queue_url("events");
    let itself = SourceOptions::default().dead_letter("events");
    let port = url.split(':').nth(2).expect("a port").split('/').next();
    let at = format!("127.0.0.1:{}", port.expect("a port"));
    let by_another_host = url.replace(&at, &at.replace("127.0.0.1", "localhost"));
    assert_ne!(by_another_host, url);
    let by_another_host = SourceOptions::default().dead_letter(by_another_host);
    let odd = SourceOptions::default().dead_letter("No Name");
    let signed = SourceOptions::default().dead_letter("dead?sv=1&sig=x");
    let long = azurite.queue_url(&"x".repeat(57));
    for (url, options, word) in [
        (&*url, &options, "`events-poison`"),
        (&azurite.queue_url("missing"), &options, "`missing`"),
        (&url, &itself, "its own place"),
        (&url, &by_another_host, "its own place"),
        (&url, &odd, "`No Name`, that is no name"),
        (&url, &signed, "`dead`, that is no name"),
        (&long, &options, "x-poison`"),
        ("servicebus://ns/events", &options, "Service Bus"),
    ] {
        let azure = azure(&[]);
        let base_dir = Path::new("/");
        let opened = CommandLineBackEnd::event_source(&azure, Location { url, base_dir }, options);
        let error = opened.await.err().expect(url);
        let text = format!("{error} {error:?}");
        assert!(text.contains(word) && !error.retryable, "{url}: {text}");
        assert!(!text.contains("sig="), "{text}");
    }
    // Whoever may only process and send cannot ask for properties, and is believed.
    let only = format!(
        "http://{}/{ACCOUNT}/events?{}",
        azurite.queues,
        allowing("pa")
    );
    open(&only, &options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_dead_service_may_come_back_and_a_foreign_time_is_refused() {
    let mut azurite = Azurite::start();
    for queue in ["events", "events-poison"] {
        azurite.make_queue(queue);
    }
    let url = azurite.queue_url("events");
    let source = open(&url, &SourceOptions::default()).await.unwrap();
    let week = Duration::from_secs(8 * 86_400);
    let error = source.receive(1, week, Duration::ZERO).await.unwrap_err();
    assert!(error.cure.contains("7 days") && !error.retryable, "{error}");
    azurite.kill();
    let error = source.receive(1, LONG, Duration::ZERO).await.unwrap_err();
    assert!(error.retryable, "{error}");
    let text = format!("{error} {source:?}");
    assert!(
        text.contains("`events`") && !text.contains("sig="),
        "{text}"
    );
}
