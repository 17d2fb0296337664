//! A queue that hangs, one that is cut off, and one that is dead, in the middle of a load.

use crate::proxy::Proxy;
use crate::service::{SECRET, Service, assert_clean, named, queued, variables};
use labelrelay_tests::client::{Client, Response};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::{FakeGcs, PubSub};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Both sources have this long to their answer here.
const DEADLINE: Duration = Duration::from_millis(800);

/// The same where every answer is to be a success. A half is the fallback's, whose stand-in may be slow on a busy machine.
const LONG_DEADLINE: Duration = Duration::from_secs(10);

/// Time that an answer may take longer than the deadline, on a machine that does much else; far less than a client that
/// tries again by itself would take.
const SLACK: Duration = Duration::from_secs(8);

const SENDERS: usize = 16;

#[derive(Default)]
struct Load {
    stop: AtomicBool,
    next: AtomicUsize,
    answers: Mutex<Vec<(Response, Duration)>>,
}

impl Load {
    /// Deliveries one after the other, until told to stop.
    fn send(&self, service: &Service) {
        let mut client = Client::connect(service.address).unwrap();
        while !self.stop.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let body = sender::label(&format!("{number:08}"));
            let begun = Instant::now();
            let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &body);
            let answer = client
                .exchange(&request)
                .expect("an answer to every request");
            self.answers.lock().unwrap().push((answer, begun.elapsed()));
        }
    }

    fn count(&self, status: u16) -> usize {
        let answers = self.answers.lock().unwrap();
        answers
            .iter()
            .filter(|(answer, _)| answer.status == status)
            .count()
    }

    fn wait_for(&self, status: u16, more: usize) {
        let before = self.count(status);
        eventually(&format!("{more} more answers {status}"), || {
            (self.count(status) >= before + more).then_some(())
        });
    }

    /// Every answer came in time and is one of two; ids of what was accepted.
    fn accepted(self, deadline: Duration) -> Vec<String> {
        let answers = self.answers.into_inner().unwrap();
        let slowest = answers.iter().map(|(_, elapsed)| *elapsed).max().unwrap();
        println!(
            "{} answers, the slowest after {slowest:?} (deadline {deadline:?})",
            answers.len()
        );
        assert!(slowest < deadline + SLACK, "{slowest:?}");
        let mut ids = Vec::new();
        for (answer, _) in answers {
            match answer.status {
                200 => ids.push(answer.member("id").unwrap()),
                503 => {}
                other => panic!("{other}: {}", answer.text()),
            }
        }
        ids
    }
}

/// Runs a load while `trouble` does what it does to the queue.
fn under_load(service: &Service, trouble: impl FnOnce(&Load)) -> Load {
    /// Stops the senders, also when the trouble panics: or nobody would ever join them.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let load = Load::default();
    thread::scope(|scope| {
        let stop = Stop(&load.stop);
        for _ in 0..SENDERS {
            scope.spawn(|| load.send(service));
        }
        load.wait_for(200, 100);
        trouble(&load);
        drop(stop);
    });
    load
}

fn with_deadline(
    mut variables: Vec<(String, String)>,
    deadline: Duration,
) -> Vec<(String, String)> {
    let millis = deadline.as_millis().to_string();
    variables.extend(named(&[("LABELRELAY_DEADLINE_MS", &millis)]));
    variables
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn a_queue_that_hangs_costs_answers_in_time_and_no_event() {
    let pubsub = PubSub::start();
    let variables = variables(&pubsub, &pubsub.topic("hangs"));
    let service = Service::start(&with_deadline(variables, DEADLINE));
    let load = under_load(&service, |load| {
        pubsub.freeze();
        load.wait_for(503, 2 * SENDERS);
        pubsub.thaw();
        load.wait_for(200, 100);
    });
    assert!(load.count(503) >= 2 * SENDERS);
    let accepted = load.accepted(DEADLINE);
    let got = queued(&pubsub, "hangs");
    let lost: Vec<_> = accepted
        .iter()
        .filter(|id| !got.contains_key(*id))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} accepted events are not there",
        lost.len(),
        accepted.len()
    );
    assert_clean(&service.log(), &[]);
}

#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn accepted_events_outlive_a_cut_network() {
    let pubsub = PubSub::start();
    let proxy = Proxy::start(pubsub.address);
    let mut variables = with_deadline(variables(&pubsub, &pubsub.topic("cut")), DEADLINE);
    variables.extend(named(&[(
        "PUBSUB_EMULATOR_HOST",
        &proxy.address.to_string(),
    )]));
    let service = Service::start(&variables);
    let load = under_load(&service, |load| {
        proxy.cut();
        load.wait_for(503, 2 * SENDERS);
    });
    let accepted = load.accepted(DEADLINE);
    assert!(accepted.len() >= 100);
    let got = queued(&pubsub, "cut");
    let lost: Vec<_> = accepted
        .iter()
        .filter(|id| !got.contains_key(*id))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} accepted events are not there",
        lost.len(),
        accepted.len()
    );
}

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn with_a_fallback_a_dead_queue_loses_nothing_and_answers_in_time() {
    let (mut pubsub, storage) = (PubSub::start(), FakeGcs::start());
    storage.bucket("fallback");
    let queue = pubsub.topic("dead");
    let mut variables = with_deadline(variables(&pubsub, &queue), LONG_DEADLINE);
    variables.extend(storage.environment());
    variables.extend(named(&[("LABELRELAY_FALLBACK", "gs://fallback/events")]));
    let service = Service::start(&variables);
    let load = under_load(&service, |load| {
        pubsub.kill();
        load.wait_for(200, 4 * SENDERS);
    });
    assert_eq!(
        load.count(503),
        0,
        "the fallback took what the queue did not"
    );
    // A new queue; the job moves everything there.
    let pubsub = PubSub::start();
    pubsub.topic("dead");
    let mut job = pubsub.environment();
    job.extend(storage.environment());
    job.extend(named(&[
        ("LABELRELAY_QUEUE", &queue),
        ("LABELRELAY_FALLBACK", "gs://fallback/events"),
    ]));
    let output = crate::service::command(&job)
        .arg("redrive")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let fell_back = queued(&pubsub, "dead").len();
    assert!(
        fell_back >= 3 * SENDERS,
        "{fell_back} events in the fallback"
    );
    let answered = load.accepted(LONG_DEADLINE).len();
    println!("{answered} accepted, {fell_back} of them by the fallback");
    // A thread of its own writes the log.
    eventually("each that fell back is logged", || {
        (service.lines("delivery_in_fallback").len() == fell_back).then_some(())
    });
    assert!(said.contains(&format!("\"moved\":{fell_back}")), "{said}");
    assert_clean(&said, &[]);
}
