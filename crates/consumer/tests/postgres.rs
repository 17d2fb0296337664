//! The state in Postgres, against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "it/state_suite.rs"]
mod state_suite;

use labelrelay_consumer::{PostgresState, State as _, StateError};
use labelrelay_event::changes::Kind;
use labelrelay_tests::servers::Postgres;
use state_suite::{LEASE, PAUSE, TRIES, key, known};
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

fn config(server: &Postgres) -> Config {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(server.address.port())
        .user("postgres")
        .dbname("postgres");
    for (_, password) in server.environment() {
        config.password(password);
    }
    config
}

async fn open_by(config: Config) -> Result<PostgresState, StateError> {
    let opened = PostgresState::open(move || {
        let config = config.clone();
        async move {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    });
    opened.await
}

async fn open(server: &Postgres) -> PostgresState {
    open_by(config(server)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_thing_is_one_hosts_at_a_time() {
    let server = Postgres::start();
    // Both make the tables.
    let (one, other) = tokio::join!(open(&server), open(&server));
    state_suite::a_thing_is_one_processes_at_a_time(one, &other).await;
}

/// Red, too, if a server that was started again is not used.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn notes_outlive_the_server() {
    let mut server = Postgres::start();
    let state = open(&server).await;
    state_suite::note_things(&state).await;
    // As the consumer in Python writes them: it has the same tables.
    let [a, t, p] = [
        r#"["/label-studio", "annotation", "5"]"#,
        r#"["/label-studio", "task", "7"]"#,
        r#"["/label-studio", "project", "1"]"#,
    ];
    let things = server.sql("select key, parents from labelrelay_things order by key");
    assert_eq!(things, format!("{a}|[{t}]\n{t}|[{p}]"));
    let below = server.sql("select parent, key from labelrelay_below order by parent");
    assert_eq!(below, format!("{p}|{t}\n{t}|{a}"));
    state_suite::note_a_removal(&state).await;
    server.stop();
    assert!(state.was_handled("event").await.is_err(), "nobody is there");
    server.start_again();
    for _ in 0..TRIES {
        if state.was_handled("event").await.is_ok() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    state_suite::notes_are_there(&state).await;
}

/// Red if a lease that could not be ended is kept for as long as its process lives.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_lease_that_could_not_be_ended_runs_out() {
    let mut server = Postgres::start();
    let state = open(&server).await;
    let annotation = key(Kind::Annotation, "5");
    let short = Duration::from_secs(1);
    let entered = state.enter(&annotation, &[], short, true).await.unwrap();
    assert!(entered.is_some());
    server.stop();
    let seen = known("1", &[]);
    let left = state.leave(&annotation, Some(&seen), None);
    assert!(left.await.is_err(), "nobody is there");
    server.start_again();
    let mut is_kept = false;
    for _ in 0..TRIES {
        // All that it holds, for an hour.
        is_kept = state.keep(LEASE * 60).await.is_ok() && state.handled("event").await.is_ok();
        if is_kept {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert!(is_kept);
    let other = open(&server).await;
    let mut free = None;
    for _ in 0..TRIES {
        free = other.enter(&annotation, &[], LEASE, false).await.unwrap();
        if free.is_some() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert!(free.is_some());
}

/// Red if what gives a lease back, and comes late, ends the next one of the same process.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn each_lease_has_an_owner_of_its_own() {
    let server = Postgres::start();
    let (state, other) = (open(&server).await, open(&server).await);
    let annotation = key(Kind::Annotation, "5");
    let owner = || server.sql("select coalesce(owner, '') from labelrelay_things");
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    let first = owner();
    assert!(state.leave(&annotation, None, None).await.unwrap());
    assert_eq!(owner(), "");
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    let second = owner();
    assert_ne!(second, first);
    assert_ne!(second, "");
    // As if the answer to the lease was lost: the process may have its own thing, and nobody else.
    let entered = other.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert_eq!(entered, None);
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    assert_ne!(owner(), second);
    state.keep(LEASE).await.unwrap();
    let (seen, newer) = (known("1", &[]), known("2", &[]));
    let left = state.leave(&annotation, Some(&seen), None);
    assert!(left.await.unwrap());
    let left = state.leave(&annotation, Some(&newer), None);
    assert!(!left.await.unwrap(), "it has no lease any more");
    assert!(state.leave(&annotation, None, None).await.unwrap());
}

/// Red if a user who may not make tables cannot use those that are there, or hears with the first event alone which rights are
/// missing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn tables_that_another_user_made_are_used_with_the_rights_to_use_them() {
    let server = Postgres::start();
    drop(open(&server).await);
    server.sql("create role reader login password 'of this test'");
    server.sql("revoke create on schema public from public");
    let mut reader = config(&server);
    reader.user("reader").password("of this test");
    let told = open_by(reader.clone()).await.unwrap_err().to_string();
    let (_, grants) = told.split_once("GRANT ").unwrap();
    let of_things = "INSERT, SELECT, UPDATE ON public.labelrelay_things TO reader";
    assert!(grants.contains(of_things), "{told}");
    server.sql(&format!("GRANT {grants}"));
    let state = open_by(reader).await.unwrap();
    state_suite::note_things(&state).await;
    state_suite::note_a_removal(&state).await;
    state_suite::notes_are_there(&state).await;
}
