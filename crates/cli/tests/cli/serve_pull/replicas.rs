//! Replicas with one queue: one of them pulls.

use super::{Platform, assert_each_once, one_pulls_and_the_other_takes_over, place, queued};
use crate::support::{Place, until};
use labelrelay_tests::servers::Postgres;

fn over(server: &Postgres, platform: &Platform, queue: &str) -> Place {
    let place = place(platform, queue);
    let variables = server.environment().into_iter();
    variables.fold(place, |place, (name, value)| place.with(&name, &value))
}

/// The other one stands by, and takes over once the first one is gone.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn postgres_one_of_two_replicas_pulls_and_the_other_takes_over() {
    let server = Postgres::start();
    let platform = Platform::start();
    platform.add_task(1, &[10]);
    let replica = || over(&server, &platform, &server.url("events"));
    let places = [replica(), replica()];
    one_pulls_and_the_other_takes_over(&platform, &places);
    // The ledger is in the database, and there is nothing of it beside the configuration.
    assert_ne!(server.sql("SELECT count(*) FROM events.objects"), "0");
    assert!(!places[0].path(".labelrelay/label-studio.ledger").exists());
}

/// Red if a replica finds out only once it has something to save.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn postgres_that_lets_nobody_save_a_ledger_is_told_of_before_that() {
    let server = Postgres::start();
    let platform = Platform::start();
    platform.add_task(1, &[10]);
    let strong = over(&server, &platform, &server.url("events"));
    let serving = strong.serve(&[]);
    until("the tables are there", || queued(&strong).len() == 2);
    assert_eq!(serving.stop(), 0);
    let password = server.environment().remove(0).1;
    server.sql(&format!(
        "CREATE ROLE weak LOGIN PASSWORD '{password}'; \
         GRANT USAGE ON SCHEMA events TO weak; \
         GRANT USAGE ON SEQUENCE events.events_number TO weak; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON events.ids TO weak; \
         GRANT INSERT ON events.events TO weak; \
         GRANT SELECT ON events.schema_version, events.dead_letters, events.objects TO weak"
    ));
    let url = server.url("events").replace("postgres@", "weak@");
    let weak = over(&server, &platform, &url);
    let grant = "GRANT INSERT, UPDATE, DELETE ON events.objects TO";
    weak.run(&["status"])
        .failed(1, &["fault: `serve` cannot save the ledgers", grant]);
    let serving = weak.serve(&[]);
    weak.logged(&["pulling failed", grant]);
    server.sql(&format!("{grant} weak"));
    platform.add_annotation(1, 11);
    until("it pulls once it may", || queued(&strong).len() == 3);
    assert_each_once(&queued(&strong));
    assert_eq!(serving.stop(), 0);
}
