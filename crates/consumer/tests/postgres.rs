//! The state in Postgres, against a real server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use labelrelay_consumer::{Known, PostgresState, State as _};
use labelrelay_event::changes::{Key, Kind};
use labelrelay_tests::servers::Postgres;
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

const LEASE: Duration = Duration::from_secs(60);

/// Looks, a hundredth of a second apart, until something is so.
const TRIES: usize = 12_000;

const PAUSE: Duration = Duration::from_millis(10);

async fn open(server: &Postgres) -> PostgresState {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(server.address.port())
        .user("postgres")
        .dbname("postgres");
    for (_, password) in server.environment() {
        config.password(password);
    }
    let opened = PostgresState::open(move || {
        let config = config.clone();
        async move {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    });
    opened.await.unwrap()
}

fn key(kind: Kind, id: &'static str) -> Key<'static> {
    Key::new("/label-studio", kind, id)
}

fn known(version: &str, parents: &[Key<'static>]) -> Known {
    Known {
        version: Some(version.to_owned()),
        is_there: true,
        until: String::new(),
        parents: parents.to_vec(),
    }
}

/// Red if two hosts have one thing, if a lease that ran out keeps it, or if whoever had that still writes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_thing_is_one_hosts_at_a_time() {
    let server = Postgres::start();
    // Both make the tables.
    let (one, other) = tokio::join!(open(&server), open(&server));
    let annotation = key(Kind::Annotation, "5");
    let task = [key(Kind::Task, "7")];
    let found = one.enter(&annotation, &task, LEASE, true).await.unwrap();
    assert_eq!(found.unwrap().len(), 0);
    let found = other.enter(&annotation, &task, LEASE, true).await.unwrap();
    assert_eq!(found, None);
    let after = known("2", &task);
    let left = one.leave(&annotation, Some(&after), Some("event"));
    assert!(left.await.unwrap());
    assert!(other.was_handled("event").await.unwrap());
    let found = other.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert_eq!(found.unwrap()[&annotation], known("2", &task));

    other.keep(Duration::ZERO).await.unwrap();
    let mut taken = None;
    for _ in 0..TRIES {
        taken = one.enter(&annotation, &[], LEASE, false).await.unwrap();
        if taken.is_some() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert!(taken.is_some());
    let after = known("1", &task);
    let late = other.leave(&annotation, Some(&after), Some("late"));
    assert!(!late.await.unwrap());
    assert!(!one.was_handled("late").await.unwrap());

    // Things that a process held when it ended are free.
    drop(one);
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

/// Red if what holds a thing is not found, if a removal is forgotten, or if a server that was started again is not used.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn notes_outlive_the_server() {
    let mut server = Postgres::start();
    let state = open(&server).await;
    let [annotation, task, project] = [
        key(Kind::Annotation, "5"),
        key(Kind::Task, "7"),
        key(Kind::Project, "1"),
    ];
    for (thing, parent) in [(&task, &project), (&annotation, &task)] {
        let parents = std::slice::from_ref(parent);
        state.enter(thing, parents, LEASE, true).await.unwrap();
        let after = known("1", parents);
        let left = state.leave(thing, Some(&after), None);
        assert!(left.await.unwrap());
    }
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
    state.remove(&project, "5").await.unwrap();
    state.remove(&project, "3").await.unwrap();
    state.handled("event").await.unwrap();
    server.stop();
    assert!(state.was_handled("event").await.is_err(), "nobody is there");
    server.start_again();
    let mut handled = None;
    for _ in 0..TRIES {
        handled = state.was_handled("event").await.ok();
        if handled.is_some() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(handled, Some(true));
    let below = state.below(&project).await.unwrap();
    assert_eq!(below, std::slice::from_ref(&task));
    let parents = std::slice::from_ref(&task);
    let found = state
        .enter(&annotation, parents, LEASE, true)
        .await
        .unwrap();
    let found = found.unwrap();
    assert_eq!(found[&annotation].version.as_deref(), Some("1"));
    assert_eq!(found[&project].until, "5");
}
