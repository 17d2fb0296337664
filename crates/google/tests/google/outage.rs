//! An emulator that is killed, and one that accepts connections and never answers.

use crate::setup::google;
use labelrelay_core::clock::within;
use labelrelay_core::{EventQueue, QueueErrorKind};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::PubSub;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);

/// While it hangs no send succeeds. Afterwards the next send does, although the connection that everybody used
/// still waits for its first answer: giving up on a send retires its connection.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_hung_connection_is_not_used_again() {
    let server = PubSub::start();
    for (name, query) in [("hung", ""), ("hung-ordered", "?ordering=partition")] {
        let url = server.topic(name);
        let queue = google(&server.environment())
            .queue(&format!("{url}{query}"))
            .unwrap();
        queue.check().await.expect("ready");
        let clock = SystemClock::new();
        server.freeze();
        for n in 0..3 {
            let lost = message(&format!("lost {n}"), b"1");
            let sent = within(&clock, SHORT, queue.send(&lost)).await;
            assert!(sent.is_err(), "nobody can have answered");
        }
        server.thaw();
        let next = message("next", b"2");
        queue.send(&next).await.expect("on a connection of its own");
        // A message that was given up may have been stored all the same.
        let bodies: Vec<_> = server.drain(name).into_iter().map(|got| got.data).collect();
        assert!(bodies.contains(&next.body.to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_dead_emulator_is_unavailable() {
    let mut server = PubSub::start();
    let url = server.topic("killed");
    let queue = google(&server.environment()).queue(&url).unwrap();
    queue.send(&message("before", b"1")).await.expect("taken");
    server.kill();
    for _ in 0..3 {
        let error = queue
            .send(&message("after", b"1"))
            .await
            .expect_err("nobody is there");
        assert_eq!(
            (error.kind, error.retryable),
            (QueueErrorKind::Unavailable, true),
            "{error}"
        );
        assert!(error.message.contains("topics/killed"), "{error}");
    }
}
