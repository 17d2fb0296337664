//! `kill -9` at random moments under load loses nothing that was promised.

use crate::traffic::{Sent, Traffic};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{Site, eventually};
use std::time::Duration;

const KILLS: usize = 20;

#[test]
fn acknowledged_deliveries_survive_every_kill() {
    let mut random = Random::seeded();
    let site = Site::new();
    let mut sent = Sent::default();
    for kill in 0..KILLS {
        // Each start takes over what the last one left: its lock, and its half-written log.
        let relay = site.serve();
        let traffic = Traffic::start(relay.address, kill);
        eventually("the load has begun", || {
            (traffic.accepted() > 0).then_some(())
        });
        // The random moment itself; nothing is waited for.
        std::thread::sleep(Duration::from_micros(random.below(120_000)));
        relay.kill();
        let round = traffic.join();
        assert!(
            !round.unanswered.is_empty(),
            "kill {kill} met no delivery under way: it proved nothing"
        );
        assert!(
            round.refused.is_empty(),
            "kill {kill}: refused {:?}",
            round.refused
        );
        sent.extend(round);
    }
    let queue = site.export();
    println!(
        "{KILLS} kills: {} deliveries got a 2xx, {} were under way, {} events in the queue",
        sent.accepted.len(),
        sent.unanswered.len(),
        queue.len()
    );
    sent.assert_kept(&queue);
}
