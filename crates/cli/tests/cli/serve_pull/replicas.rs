//! Replicas with one queue: one of them pulls.

use super::{Platform, assert_each_once, figure, place, queued};
use crate::support::until;
use labelrelay_tests::servers::Postgres;

/// The other one stands by, and takes over once the first one is gone.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn postgres_one_of_two_replicas_pulls_and_the_other_takes_over() {
    let server = Postgres::start();
    let platform = Platform::start();
    platform.add_task(1, &[10]);
    let replica = || {
        let place = place(&platform, &server.url("events"));
        let variables = server.environment().into_iter();
        variables.fold(place, |place, (name, value)| place.with(&name, &value))
    };
    let places = [replica(), replica()];
    let first = places[0].serve(&[]);
    until("the first one pulls", || queued(&places[0]).len() == 2);
    let second = places[1].serve(&[]);
    places[1].logged(&["another replica pulls from this source"]);
    platform.add_annotation(1, 11);
    until("it pulls again", || queued(&places[0]).len() == 3);
    assert_eq!(figure(&places[1], "events"), 0, "the second one stands by");
    assert_eq!(first.stop(), 0);
    platform.add_annotation(1, 12);
    until("the second one has taken over", || {
        queued(&places[1]).len() == 4
    });
    assert_each_once(&queued(&places[1]));
    assert_eq!(second.stop(), 0);
    // The ledger is in the database, and there is nothing of it beside the configuration.
    assert_ne!(server.sql("SELECT count(*) FROM events.objects"), "0");
    assert!(!places[0].path(".labelrelay/label-studio.ledger").exists());
}
