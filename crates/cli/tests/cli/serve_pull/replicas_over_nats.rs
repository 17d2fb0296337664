//! Replicas over NATS: one of them pulls, where they have a bucket for leases and a ledger that all of them share.

use super::{Platform, one_pulls_and_the_other_takes_over, place};
use labelrelay_tests::servers::Nats;
use std::time::Duration;

/// Time for which the server remembers a lease.
const TTL: Duration = Duration::from_secs(30);

/// The other one stands by, and takes over once the first one is gone.
#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn nats_one_of_two_replicas_pulls_and_the_other_takes_over() {
    let server = Nats::start();
    server.add_streams("events");
    server.add_bucket("relays", TTL);
    let folder = tempfile::tempdir().unwrap();
    let ledger = format!("ledger = \"file://{}\"\n", folder.path().display());
    let platform = Platform::start();
    platform.add_task(1, &[10]);
    let replica = || {
        let place = place(&platform, &(server.url("events") + "&leases=relays"));
        let config = place.read("labelrelay.toml");
        place.write("labelrelay.toml", config + &ledger);
        place
    };
    let places = [replica(), replica()];
    one_pulls_and_the_other_takes_over(&platform, &places);
}
