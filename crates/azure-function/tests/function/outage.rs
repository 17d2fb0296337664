//! The queue goes away in the middle of a load, or hangs. Every request is answered, and a 2xx is said of
//! nothing but what is in the queue afterwards.

use crate::setup::{SECRET, assert_clean, azurite, queued, start, under_the_prefix, variables};
use labelrelay_tests::client::Client;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Azurite;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time that the sender waits for its answer, told to the program.
const DEADLINE_MS: &str = "800";

/// An answer that takes longer was not bounded by the deadline but by something else: the work itself ends
/// after 10 s, and the SDK's own retries after 81 s. The slack is for machines that do much else.
const BOUND: Duration = Duration::from_secs(8);

#[derive(Default)]
struct Load {
    accepted: Mutex<Vec<String>>,
    unavailable: AtomicUsize,
    stop: AtomicBool,
}

impl Load {
    fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Delivers one event after the other until it is told to stop.
    fn run(&self, worker: usize, address: SocketAddr) {
        let mut client = None;
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let body = sender::label(&format!("w{worker}n{n}"));
            let request = under_the_prefix(&sender::labelbox(SECRET, "LABEL_CREATED", "d", &body));
            let mut connection = client
                .take()
                .unwrap_or_else(|| Client::connect(address).unwrap());
            let begun = Instant::now();
            let answer = connection
                .exchange(&request)
                .expect("an answer, whatever happens");
            let taken = begun.elapsed();
            assert!(taken < BOUND, "{taken:?}");
            match answer.status {
                200 => self
                    .accepted
                    .lock()
                    .unwrap()
                    .push(answer.member("id").unwrap()),
                503 => {
                    self.unavailable.fetch_add(1, Ordering::SeqCst);
                }
                status => panic!("{status}: {}", answer.text()),
            }
            client = Some(connection);
        }
    }
}

/// What becomes of messages that Azurite takes while the trouble begins.
#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Kept,
    /// On a connection that is there already it goes on taking messages, and has written down by then what it has.
    Forgotten,
}

/// Runs a load; `trouble` comes after some events, and `end` of it after some answers of 503.
fn under_load(trouble: impl FnOnce(&mut Azurite), taken: Taken, end: impl FnOnce(&mut Azurite)) {
    let mut azurite = azurite();
    let mut variables = variables(&azurite);
    variables.push(("LABELRELAY_DEADLINE_MS", DEADLINE_MS.to_owned()));
    let handler = start(&variables);
    let load = Arc::new(Load::default());
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let (load, address) = (Arc::clone(&load), handler.address);
            std::thread::spawn(move || load.run(worker, address))
        })
        .collect();
    eventually("events are accepted", || {
        (load.accepted() >= 100).then_some(())
    });
    let first = load.accepted();
    trouble(&mut azurite);
    eventually("others are not", || {
        (load.unavailable.load(Ordering::SeqCst) >= 16).then_some(())
    });
    let before = load.accepted();
    end(&mut azurite);
    eventually("events are accepted again", || {
        (load.accepted() >= before + 100).then_some(())
    });
    load.stop.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.join().unwrap();
    }
    let mut accepted = std::mem::take(&mut *load.accepted.lock().unwrap());
    if taken == Taken::Forgotten {
        accepted.drain(first..before);
    }
    let accepted: HashSet<_> = accepted.into_iter().collect();
    let queued: HashSet<_> = queued(&azurite).into_keys().collect();
    let lost: Vec<_> = accepted.difference(&queued).collect();
    assert!(
        lost.is_empty(),
        "{} of {} accepted events are lost",
        lost.len(),
        accepted.len()
    );
    assert_clean(&handler.log(), &["featureId"]);
}

/// Azurite writes what it has when it is asked to end; killed at once it would forget all that it had promised.
#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_queue_that_goes_away_and_comes_back() {
    under_load(Azurite::stop, Taken::Forgotten, Azurite::start_again);
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_queue_that_hangs() {
    under_load(
        |azurite| azurite.hang(),
        Taken::Kept,
        |azurite| azurite.go_on(),
    );
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_queue_that_is_killed_and_never_comes_back() {
    let mut azurite = azurite();
    let mut variables = variables(&azurite);
    variables.push(("LABELRELAY_DEADLINE_MS", DEADLINE_MS.to_owned()));
    let handler = start(&variables);
    let deliver = |tag: &str| {
        let body = sender::label(tag);
        let request = under_the_prefix(&sender::labelbox(SECRET, "LABEL_CREATED", "d", &body));
        labelrelay_tests::client::once(handler.address, &request)
    };
    // Its first message may take a cold server longer than the deadline.
    eventually("the first one is accepted", || {
        (deliver("before").status == 200).then_some(())
    });
    azurite.kill();
    for n in 0..4 {
        let answer = deliver(&format!("after{n}"));
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    eventually("the log names the queue", || {
        let log = handler.log();
        (log.contains("queue_unavailable") && log.contains("`events`")).then_some(())
    });
}
