//! The record of deliveries beside the queue, which replicas share.

use crate::setup::{postgres, queue, weak_url, with_weak_user};
use labelrelay_core::{Clock, EventQueue as _};
use labelrelay_postgres::{PostgresRecord, RecordRuntime};
use labelrelay_record::{Filter, Options, Record, Recorder, Row, SharedRecord as _};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::record_suite::{self as suite, Fresh, accepted, refused};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::Postgres as Server;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

fn record_at(server: &Server, url: &str, replica: &str) -> PostgresRecord {
    let opened = postgres(&server.environment()).record(
        url,
        Path::new("/"),
        RecordRuntime::Own(runtime()),
        replica,
    );
    opened.expect("a URL")
}

fn record(server: &Server, schema: &str) -> PostgresRecord {
    record_at(server, &server.url(schema), "somebody")
}

/// A replica, with a place for its journal.
struct Replica<'s> {
    server: &'s Server,
    schema: &'s str,
    name: &'s str,
    folder: TempDir,
}

impl<'s> Replica<'s> {
    fn new(server: &'s Server, schema: &'s str, name: &'s str) -> Self {
        Self {
            server,
            schema,
            name,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn with_disk(self, folder: TempDir) -> Self {
        Self { folder, ..self }
    }

    fn begin(&self, options: Options) -> Recorder {
        self.begin_at(&self.server.url(self.schema), options)
    }

    fn begin_at(&self, url: &str, options: Options) -> Recorder {
        let record = Arc::new(record_at(self.server, url, self.name));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let path = self.folder.path().join("record");
        let recorder = Recorder::into_shared(record, path, options, clock);
        recorder.begin().expect("threads");
        recorder
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    eventually(what, || holds().then_some(()));
}

/// Ids of the events of all that is found.
fn ids(record: &PostgresRecord) -> Vec<String> {
    let all = record.list(&Filter::default(), usize::MAX).expect("read");
    all.into_iter().filter_map(|it| it.row.event_id).collect()
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn tables_are_a_record_as_every_other_is() {
    let server = Server::start();
    for (schema, conforms) in [
        ("found", suite::finds_what_it_was_given as fn(&Fresh<'_>)),
        ("bounded", suite::holds_its_bounds),
        ("bytes", suite::keeps_no_more_bytes_and_nothing_old),
        ("forgotten", suite::forgets_an_address),
    ] {
        let replica = Replica::new(&server, schema, "one");
        conforms(&Fresh {
            begin: &|options| replica.begin(options),
            open: &|| Some(Box::new(record(&server, schema))),
        });
    }
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_look_makes_no_tables() {
    let server = Server::start();
    let record = record(&server, "looked_at");
    assert!(!record.exists().expect("read"));
    assert!(ids(&record).is_empty());
    assert_eq!(
        record
            .search("something", &Filter::default(), 9)
            .expect("read"),
        []
    );
    assert_eq!(record.forget("ann@example.org").expect("read"), 0);
    record.prune(&Options::default(), 0).expect("nothing to do");
    let there = server.sql("SELECT to_regnamespace('looked_at') IS NULL");
    assert_eq!(there, "t");
}

/// Red if two replicas give one number twice, if a row is there twice or not at all, or if somebody who goes on reading
/// behind the last row that it saw misses one.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn deliveries_of_replicas_come_in_the_order_of_their_numbers() {
    const EACH: usize = 3000;
    let server = Server::start();
    let replicas = ["one", "two", "three"].map(|name| Replica::new(&server, "events", name));
    let record = record(&server, "events");
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        for replica in &replicas {
            scope.spawn(move || {
                let recorder = replica.begin(Options::default());
                for n in 0..EACH {
                    recorder.note(accepted(&format!("{}-{n}", replica.name)));
                    if n % 100 == 0 {
                        std::thread::yield_now();
                    }
                }
                let looked = self::record(replica.server, replica.schema);
                until("the last one is recorded", || {
                    let last = format!("{}-{}", replica.name, EACH - 1);
                    !looked.find(&last).expect("read").is_empty()
                });
                recorder.close();
            });
        }
        while seen.len() < 3 * EACH {
            let after = seen
                .last()
                .map(|last: &labelrelay_record::Recorded| last.number);
            let filter = Filter {
                after,
                ..Filter::default()
            };
            seen.extend(record.list(&filter, 500).expect("read"));
        }
    });
    let names: BTreeSet<_> = seen.iter().map(|it| it.row.event_id.clone()).collect();
    assert_eq!(names.len(), 3 * EACH);
    for found in &seen {
        let replica = found.replica.as_deref().expect("a replica");
        let id = found.row.event_id.as_deref().expect("an id");
        assert!(id.starts_with(replica), "{id} is of {replica}");
    }
    assert_eq!(record.count().expect("read"), 3 * EACH as u64);
    assert_eq!(record.lost().expect("read"), 0);
}

/// Red if what waits while the server is down is lost, or comes twice after a kill.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn deliveries_wait_for_a_server_that_is_down() {
    let mut server = Server::start();
    let folder = {
        let replica = Replica::new(&server, "events", "one");
        let recorder = replica.begin(Options::default());
        recorder.note(accepted("before"));
        let record = record(&server, "events");
        until("it is recorded", || ids(&record) == ["before"]);
        recorder.close();
        replica.folder
    };
    server.crash();
    let folder = {
        let replica = Replica::new(&server, "events", "one").with_disk(folder);
        let recorder = replica.begin(Options::default());
        recorder.note(accepted("meanwhile"));
        let journal = replica.folder.path().join("record.journal");
        until("it waits", || {
            let files = std::fs::read_dir(&journal).into_iter().flatten();
            files.flatten().any(|file| file.file_name().len() == 16)
        });
        recorder.close();
        replica.folder
    };
    server.start_again();
    let replica = Replica::new(&server, "events", "one").with_disk(folder);
    let recorder = replica.begin(Options::default());
    recorder.note(accepted("after"));
    let record = record(&server, "events");
    until("all of them are recorded", || {
        ids(&record) == ["before", "meanwhile", "after"]
    });
    recorder.close();
    assert_eq!(record.lost().expect("read"), 0);
}

/// Red if a text that no table takes keeps all others out.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn texts_that_a_table_does_not_take_are_changed() {
    let server = Server::start();
    let replica = Replica::new(&server, "odd", "one");
    let long = "é".repeat(8000);
    let odd = Row {
        head: Some(format!("x: {long}\0\n")),
        reason: Some("a\0b".to_owned()),
        delivery_id: Some(long.clone()),
        subject: Some(long),
        ..refused(&[0, 255, 7])
    };
    let recorder = replica.begin(Options::default());
    recorder.note(odd);
    recorder.note(accepted("next"));
    let record = record(&server, "odd");
    until("both are recorded", || record.count().expect("read") == 2);
    recorder.close();
    let all = record.list(&Filter::default(), 10).expect("read");
    assert_eq!(all[0].row.reason.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(all[0].row.delivery_id.as_ref().map(String::len), Some(1024));
    let body = record.body(&all[0]).expect("read").expect("kept");
    assert_eq!(body.start, [0, 255, 7]);
}

/// Red if new rows are counted together with others that somebody has removed.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_record_that_was_emptied_by_hand_begins_anew() {
    let server = Server::start();
    let replica = Replica::new(&server, "emptied", "one");
    let mut options = Options::default();
    options.verified.deliveries = 15;
    let recorder = replica.begin(options);
    let record = record(&server, "emptied");
    for n in 0..10 {
        recorder.note(accepted(&format!("old-{n}")));
    }
    until("they are recorded", || record.count().expect("read") == 10);
    server.sql("TRUNCATE emptied.deliveries, emptied.delivery_bodies");
    for n in 0..4 {
        recorder.note(accepted(&format!("new-{n}")));
    }
    until("they are recorded", || ids(&record).len() == 4);
    recorder.close();
    assert_eq!(ids(&record).len(), 4);
    assert_eq!(record.count().expect("read"), 4);
}

/// Red if an old delivery stays because one with a later time was moved before it: replicas have clocks and journals of
/// their own.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn whatever_is_too_old_goes_wherever_it_stands() {
    let server = Server::start();
    let replica = Replica::new(&server, "aged", "one");
    let record = record(&server, "aged");
    let recorder = replica.begin(Options::default());
    let of_year_2100 = Row {
        arrived_ms: 4_102_444_800_000,
        ..accepted("of a wrong clock")
    };
    let new = accepted("new");
    let ten_days_old = Row {
        arrived_ms: new.arrived_ms - 10 * 86_400_000,
        ..accepted("old")
    };
    recorder.note(of_year_2100);
    recorder.note(ten_days_old);
    until("both are recorded", || record.count().expect("read") == 2);
    recorder.close();
    let mut options = Options::default();
    options.max_age = Duration::from_secs(86_400);
    let recorder = replica.begin(options);
    recorder.note(new);
    until("the new one is recorded", || {
        ids(&record).contains(&"new".to_owned())
    });
    recorder.close();
    assert_eq!(ids(&record), ["of a wrong clock", "new"]);
    assert_eq!(record.count().expect("read"), 2);
}

/// Red if a relay whose user may not record says only that it may not.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn whoever_may_not_record_hears_which_rights_are_missing() {
    let runtime = runtime();
    let server = runtime.block_on(with_weak_user("weakly"));
    let weak = record_at(&server, &weak_url(&server, "weakly"), "weak");
    let error = weak.moved("a-journal").unwrap_err().to_string();
    for words in [
        "weak@",
        "SELECT, INSERT, UPDATE, DELETE on deliveries",
        "GRANT SELECT, UPDATE ON weakly.record_last TO \"weak\"",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let (_, grants) = error.split_once("; ").expect("a cure");
    server.sql(grants);
    let replica = Replica::new(&server, "weakly", "weak");
    let recorder = replica.begin_at(&weak_url(&server, "weakly"), Options::default());
    recorder.note(accepted("one"));
    let strong = record(&server, "weakly");
    until("it is recorded", || ids(&strong) == ["one"]);
    recorder.close();
    assert_eq!(weak.forget("ann@example.org").expect("it may"), 0);
}

/// Red if a queue that has no record stops working for want of it, or the other way round.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_record_needs_no_event_in_the_queue() {
    let server = Server::start();
    let replica = Replica::new(&server, "alone", "one");
    let recorder = replica.begin(Options::default());
    recorder.note(refused(b"x"));
    let record = record(&server, "alone");
    until("it is recorded", || record.exists().expect("read"));
    recorder.close();
    let runtime = runtime();
    let checked = runtime.block_on(queue(&server, "alone").check());
    checked.expect("the tables of the queue are there, too");
}

/// Red if a record cannot be used from threads of the runtime that its work is done on: `serve` records and shows so.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_record_works_on_the_runtime_of_a_program() {
    let server = Server::start();
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let url = server.url("shared");
        let here = RecordRuntime::Shared(Handle::current());
        let opened = postgres(&server.environment()).record(&url, Path::new("/"), here, "one");
        let record = Arc::new(opened.expect("a URL"));
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::into_shared(
            Arc::<PostgresRecord>::clone(&record),
            folder.path().join("record"),
            Options::default(),
            Arc::new(SystemClock::new()),
        );
        recorder.begin().expect("threads");
        recorder.note(accepted("one"));
        let blocking = tokio::task::spawn_blocking(move || {
            until("it is recorded", || ids(&record) == ["one"]);
            recorder.close();
        });
        blocking.await.expect("no panic");
        let left = std::fs::read_dir(folder.path()).expect("read");
        let left: Vec<_> = left.flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["record.lock"], "nothing waits");
    });
}
