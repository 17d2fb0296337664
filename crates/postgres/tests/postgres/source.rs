//! The suite of sources of events, and where dead letters go.

use crate::setup::{postgres, queue, source};
use labelrelay_core::{
    BoxFuture, DeadLetterCount, EventQueue as _, EventSource as _, SourceOptions,
};
use labelrelay_testkit::source_suite::{self as suite, REASON, Subject, Tells};
use labelrelay_tests::servers::Postgres as Server;
use std::path::Path;
use std::time::{Duration, Instant};

/// Receives after which an event becomes a dead letter.
const RECEIVES: u32 = 3;

/// Lets real time pass: the server goes by no other.
fn pass(by: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(by))
}

async fn over_a_schema<T>(
    server: &Server,
    schema: &str,
    test: impl AsyncFnOnce(Subject<'_>) -> T,
) -> T {
    let options = SourceOptions::default().max_receives(RECEIVES);
    let source = source(server, schema, &options).await;
    let queue = queue(server, schema);
    test(Subject {
        queue: &queue,
        source: &source,
        pass: &pass,
        tells: Tells::All,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn it_passes_the_suite() {
    let server = Server::start();
    let server = &server;
    tokio::join!(
        over_a_schema(
            server,
            "again",
            suite::an_event_comes_back_when_its_visibility_ran_out
        ),
        over_a_schema(server, "done", suite::an_acknowledged_event_is_done_with),
        over_a_schema(
            server,
            "back",
            suite::an_event_that_was_given_back_comes_when_its_time_has_come
        ),
        over_a_schema(server, "kept", suite::an_event_that_is_extended_is_kept),
        over_a_schema(server, "wait", suite::a_wait_ends_with_an_event),
        over_a_schema(
            server,
            "odd",
            suite::odd_and_large_envelopes_come_as_they_were_sent
        ),
        over_a_schema(server, "batch", async |subject| {
            // More than one receive takes.
            suite::a_long_batch_is_settled_receipt_by_receipt(subject, 120).await;
        }),
        over_a_schema(server, "shared", async |subject| {
            let other = source(server, "shared", &SourceOptions::default()).await;
            suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
        }),
        over_a_schema(server, "often", async |subject| {
            suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, RECEIVES)
                .await;
        }),
        over_a_schema(
            server,
            "slow",
            suite::an_event_that_others_may_have_is_not_rejected
        ),
    );
    assert_eq!(server.sql("SELECT count(*) FROM slow.dead_letters"), "0");
    let buried = server.sql("SELECT receives, reason FROM often.dead_letters");
    assert_eq!(buried, "4|received 3 times and never acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_dead_letter_says_why_and_can_be_brought_back() {
    let server = Server::start();
    over_a_schema(&server, "events", suite::a_rejected_event_is_done_with).await;
    let reason = server.sql("SELECT reason FROM events.dead_letters");
    assert_eq!(reason, REASON);
    let queue = queue(&server, "events");
    assert_eq!(
        queue.dead_letters().await.unwrap(),
        DeadLetterCount::About(1)
    );
    // As docs/postgres.md says.
    server.sql(
        "WITH back AS (DELETE FROM events.dead_letters RETURNING id, type, envelope) \
         INSERT INTO events.events (number, id, type, envelope) \
         SELECT nextval('events.events_number'), id, type, envelope FROM back",
    );
    assert_eq!(
        queue.dead_letters().await.unwrap(),
        DeadLetterCount::About(0)
    );
    assert_eq!(server.sql("SELECT receives FROM events.events"), "0");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn an_event_stays_where_nobody_may_make_dead_letters() {
    let server = Server::start();
    let queue = queue(&server, "strict");
    // Makes the tables.
    source(&server, "strict", &SourceOptions::default()).await;
    let password = server.environment().remove(0).1;
    server.sql(&format!(
        "CREATE ROLE consumer LOGIN PASSWORD '{password}'; \
         GRANT USAGE ON SCHEMA strict TO consumer; \
         GRANT SELECT ON strict.schema_version TO consumer; \
         GRANT SELECT, UPDATE, DELETE ON strict.events TO consumer; \
         GRANT SELECT, INSERT ON strict.dead_letters TO consumer"
    ));
    let url = server.url("strict").replace("postgres@", "consumer@");
    let opened = postgres(&server.environment())
        .event_source(&url, Path::new("/"), &SourceOptions::default())
        .await;
    // Later: a consumer that lacks it does not start.
    server.sql("REVOKE INSERT ON strict.dead_letters FROM consumer");
    let error = suite::a_failed_rejection_leaves_the_event(Subject {
        queue: &queue,
        source: &opened.expect("a source"),
        pass: &pass,
        tells: Tells::All,
    })
    .await;
    let error = error.to_string();
    assert!(
        error.contains("dead_letters") && error.contains("grant"),
        "{error}"
    );
}

/// A notification may be lost, and an event that was hidden rings for nobody when its time has come.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn an_event_of_which_nobody_tells_is_found() {
    let server = Server::start();
    let source = source(&server, "quiet", &SourceOptions::default()).await;
    let long = Duration::from_secs(120);
    let waiting = tokio::spawn(async move { source.receive(1, long, long).await });
    let listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    let begun = Instant::now();
    while server.sql(listens) != "1" {
        assert!(begun.elapsed() < Duration::from_secs(60), "it listens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.sql(
        "INSERT INTO quiet.events (number, id, type, envelope) \
         VALUES (nextval('quiet.events_number'), 'one', 'com.labelbox.label.created', '{}')",
    );
    let events = waiting.await.unwrap().expect("read");
    assert_eq!(events.len(), 1, "it is found before the wait ends");
}
