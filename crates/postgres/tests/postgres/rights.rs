//! A user who lacks rights hears at the start what is missing, and the statements that give it.

use crate::setup::{ledger_at, postgres, queue, queue_at, weak_url, with_weak_user};
use labelrelay_core::{EventQueue as _, FallbackStore, QueueErrorKind, SourceOptions};
use labelrelay_postgres::PostgresSource;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Postgres as Server;
use std::path::Path;
use std::sync::Arc;

async fn weak_source(server: &Server, schema: &str) -> Result<PostgresSource, String> {
    let opened = postgres(&server.environment())
        .event_source(
            &weak_url(server, schema),
            Path::new("/"),
            &SourceOptions::default(),
        )
        .await;
    opened.map_err(|error| {
        assert!(!error.retryable, "{error}");
        error.to_string()
    })
}

async fn weak_ledger(server: &Server, schema: &str) -> Arc<dyn FallbackStore> {
    ledger_at(server, &weak_url(server, schema), "cars").await
}

/// Red if it is heard only once the first event is rejected.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_consumer_hears_at_its_start_what_it_may_not() {
    let server = with_weak_user("consumed").await;
    let error = weak_source(&server, "consumed").await.unwrap_err();
    for words in [
        "weak@",
        "SELECT, UPDATE, DELETE on events and SELECT, INSERT on dead_letters",
        "GRANT SELECT, UPDATE, DELETE ON consumed.events TO \"weak\"",
    ] {
        assert!(error.contains(words), "{error}");
    }
    server.sql("GRANT SELECT, UPDATE, DELETE ON consumed.events TO weak");
    let error = weak_source(&server, "consumed").await.unwrap_err();
    assert!(!error.contains("consumed.events"), "{error}");
    let (_, grants) = error.split_once("; ").unwrap();
    server.sql(grants);
    weak_source(&server, "consumed").await.expect("it may all");
    // What it changes of an event is two columns.
    server.sql(
        "REVOKE UPDATE ON consumed.events FROM weak; \
         GRANT UPDATE (visible_at, receives) ON consumed.events TO weak",
    );
    let source = weak_source(&server, "consumed").await;
    source.expect("it may all that it does");
}

/// Red if it is heard only once there is something to save.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn whoever_pulls_hears_at_the_start_that_the_ledger_cannot_be_saved() {
    let server = with_weak_user("pulled").await;
    server.sql("GRANT SELECT ON pulled.objects TO weak");
    let ledger = weak_ledger(&server, "pulled").await;
    let listed = ledger.list(None, 10).await;
    assert!(listed.expect("it may read").is_empty());
    let error = ledger.check().await.unwrap_err();
    assert!(!error.retryable, "{error}");
    for words in ["weak@", "INSERT, UPDATE, DELETE on objects"] {
        assert!(error.message.contains(words), "{error}");
    }
    let (_, grants) = error.message.split_once("; ").unwrap();
    server.sql(grants);
    ledger.check().await.expect("it may all");
    ledger.put("one", "{}".into()).await.expect("taken");
}

/// Red if a user hears nothing before the first event, which would find that the tables cannot be changed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn whoever_may_not_change_older_tables_hears_at_the_start_who_may() {
    let server = with_weak_user("older").await;
    server.sql(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON older.ids, older.events TO weak; \
         GRANT USAGE ON SEQUENCE older.events_number TO weak",
    );
    let weak = || queue_at(&server, &weak_url(&server, "older"));
    weak().check().await.expect("ready");
    let versions = "SELECT version FROM older.schema_version ORDER BY version";
    let newest = server.sql(versions);
    let make_older = || {
        server.sql(
            "DROP TABLE older.objects, older.deliveries, older.delivery_bodies, older.record_totals, \
             older.record_last, older.record_journals; \
             DELETE FROM older.schema_version WHERE version > 1",
        )
    };
    make_older();
    // The right to make tables alone is not enough: it is noted that they are changed.
    for grant in ["", "GRANT CREATE ON SCHEMA older TO weak"] {
        if !grant.is_empty() {
            server.sql(grant);
        }
        let error = weak().check().await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Denied, "{error}");
        for words in [
            "from version 1 to version",
            "GRANT CREATE ON SCHEMA older TO \"weak\"",
            "GRANT SELECT, INSERT ON older.schema_version TO \"weak\"",
            "docs/postgres.md",
        ] {
            assert!(error.message.contains(words), "{error}");
        }
    }
    server.sql("GRANT SELECT, INSERT ON older.schema_version TO weak");
    weak().check().await.expect("ready");
    let next = message("second", b"1");
    weak().send(&next).await.expect("taken");
    assert_eq!(server.sql(versions), newest, "it has changed them");

    // Another user changes them, and gives the rights to what is new.
    make_older();
    server.sql(
        "REVOKE CREATE ON SCHEMA older FROM weak; \
         ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA older \
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO weak",
    );
    weak().check().await.unwrap_err();
    let strong = queue(&server, "older");
    strong.send(&message("third", b"1")).await.expect("taken");
    assert_eq!(server.sql(versions), newest, "it has changed them");
    weak().check().await.expect("ready");
    let ledger = weak_ledger(&server, "older").await;
    ledger.check().await.expect("it may all");
}
