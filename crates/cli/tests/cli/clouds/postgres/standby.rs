//! A server with a standby, which may lack what was accepted last.

use super::SCHEMA;
use crate::clouds::queue_server;
use crate::clouds::{LONG, delivered};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Postgres;

/// Red if nobody hears of a standby that may lack accepted events, or if somebody hears of one for which commits wait.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_standby_for_which_commits_do_not_wait_is_told_of() {
    const TOLD: &str = "a standby that commits do not wait for";
    let mut server = Postgres::start();
    let _standby = server.start_standby(&[]);
    server.wait_for_standby();
    queue_server::over(&server, |cloud| {
        let place = cloud.place(LONG);
        let serving = place.serve(&[]);
        place.logged(&[TOLD, "synchronous_standby_names"]);
        assert_eq!(serving.stop(), 0);
    });
    server.stop();
    let waits = format!("synchronous_standby_names={}", Postgres::STANDBY);
    server.start_again_with(&[waits.as_str()]);
    server.wait_for_standby();
    queue_server::over(&server, |cloud| {
        let place = cloud.place(LONG);
        let serving = place.serve(&[]);
        eventually("the standby has it", || {
            let answer = delivered(&serving, &sender::label("waited"));
            (answer.status == 200).then_some(())
        });
        assert_eq!(serving.stop(), 0);
        let log = place.read("serve.log");
        assert!(!log.contains(TOLD), "{log}");
    });
    let stored = format!("SELECT count(*) FROM {SCHEMA}.events");
    assert_eq!(server.sql(&stored), "1");
}
