//! What `labelrelay` is held to with a server that is a queue alone, and directories as stores: NATS, and Postgres.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

use super::{Cloud, LONG, delivered, ids, wait};
use crate::support::Place;
use labelrelay_core::QueueLimits;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What somebody has written into a URL, and nobody is shown.
pub(super) const PASSWORD: &str = "hunter2";

/// A server as these tests see it.
pub(super) trait QueueServer {
    /// Bytes of the largest message that it takes.
    const MAX_MESSAGE_BYTES: u64;

    /// URL of its queue, with a parameter.
    fn queue(&self) -> String;

    /// Variables without which nobody may use it.
    fn variables(&self) -> Vec<(String, String)>;

    fn listens_at(&self) -> SocketAddr;

    /// Takes everything from the queue.
    fn take_all(&self) -> Vec<Vec<u8>>;

    /// Why each of its dead letters is one.
    fn reasons(&self) -> Vec<String>;

    /// Makes it take connections and never answer.
    fn freeze(&self);

    fn thaw(&self);
}

pub(super) fn over<T>(server: &impl QueueServer, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
    over_queue(server, server.queue(), test)
}

fn over_queue<S: QueueServer, T>(
    server: &S,
    queue: String,
    test: impl FnOnce(&Cloud<'_>) -> T,
) -> T {
    let stores = tempfile::tempdir().unwrap();
    let store = |name: &str| {
        let folder = stores.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        format!("file://{}", folder.display())
    };
    test(&Cloud {
        variables: server.variables(),
        queue,
        blob_store: store("claims"),
        fallback: store("fallback"),
        limits: QueueLimits::bytes(S::MAX_MESSAGE_BYTES),
        drain: &|| server.take_all(),
        hang: &|| server.freeze(),
        go_on: &|| server.thaw(),
    })
}

/// It passes the adapters' suite.
pub(super) fn conforms(server: &impl QueueServer) {
    // Cases that are alike have one id, and each is to be answered as if it were the first.
    let queue = server.queue() + "&repeat_window_s=0";
    over_queue(server, queue, |cloud| wait(cloud.conforms()));
}

pub(super) fn loses_nothing(server: &impl QueueServer) {
    over(server, |cloud| cloud.loses_nothing());
}

pub(super) fn takes_replays(server: &impl QueueServer) {
    over(server, |cloud| cloud.takes_replays());
}

/// `consume` takes its events. The one of no use is its only dead letter, with the reason.
pub(super) fn is_consumed(server: &impl QueueServer) {
    over(server, |cloud| cloud.is_consumed(&cloud.queue, &[]));
    let reasons = server.reasons();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("no use for this one"), "{reasons:?}");
}

/// A program takes its events through `queue pipe`, and so does a consumer in Python.
pub(super) fn is_piped(server: &impl QueueServer) {
    over(server, |cloud| {
        // First: on NATS, what a killed program has received is hidden for as long as the first consumer of all hid events.
        cloud.is_consumed_by_python(&cloud.queue, "", true);
        cloud.is_piped(&cloud.queue, &[]);
    });
    let reasons = server.reasons();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.contains("for this one")),
        "{reasons:?}"
    );
}

pub(super) fn becomes_a_dataset(server: &impl QueueServer) {
    over(server, |cloud| {
        cloud.becomes_a_dataset(&cloud.queue, &[], true);
    });
}

/// Each of the URLs in `wrong` ends the start, with these words. So does `secret`, which has [`PASSWORD`] in it: that is not
/// shown.
pub(super) fn wrong_urls_end_the_start(
    server: &impl QueueServer,
    wrong: &[(&str, [&str; 2])],
    secret: (&str, [&str; 2]),
) {
    over(server, |cloud| {
        for (url, words) in wrong {
            for verb in ["serve", "status"] {
                let place = cloud.place(LONG).with("LABELRELAY_QUEUE", url);
                place.run(&[verb]).failed(78, words);
            }
        }
        let (url, words) = secret;
        let place = cloud.place(LONG).with("LABELRELAY_QUEUE", url);
        let ran = place.run(&["serve"]);
        ran.failed(78, &words);
        assert!(!ran.stderr.contains(PASSWORD), "{ran:?}");
    });
}

/// While it hangs, the answer is 503 inside the deadline, and the log has its address and `words`. The event is in the queue
/// once afterwards.
pub(super) fn a_hang_is_503(server: &impl QueueServer, words: &[&str]) {
    over(server, |cloud| {
        let place = cloud.place("2000");
        let serving = place.serve(&[]);
        assert_eq!(delivered(&serving, &sender::label("before")).status, 200);
        server.freeze();
        let begun = Instant::now();
        let answer = delivered(&serving, &sender::label("hung"));
        let took = begun.elapsed();
        assert_eq!(answer.status, 503, "{}", answer.text());
        // It does not wait for the server: the deadline, and room for a machine that does much else.
        assert!(took < Duration::from_secs(60), "{took:?}");
        let address = server.listens_at().to_string();
        place.logged(&[&[address.as_str()], words].concat());
        server.thaw();
        let again = || {
            let answer = delivered(&serving, &sender::label("hung"));
            (answer.status == 200).then_some(())
        };
        eventually("the queue takes it", again);
    });
    assert_eq!(ids(&server.take_all()).len(), 2, "no id twice");
}

/// Three events in these states, of labels `one`, `two` and `three`: each is listed, found and shown.
pub(super) fn three_are_looked_at(place: &Place, states: [&str; 3]) {
    let json = |words: &[&str]| place.run(&[words, &["--json"][..]].concat()).json();
    let listed = json(&["events", "list"]);
    let of_all = |name: &str| -> Vec<String> {
        let values = listed.iter().map(|row| row[name].as_str().unwrap());
        values.map(str::to_owned).collect()
    };
    assert_eq!(of_all("state"), states);
    let subjects = ["label/cklaone", "label/cklatwo", "label/cklathree"];
    assert_eq!(of_all("subject"), subjects);
    let newest = place.run(&["events", "list", "--newest", "--limit", "1"]);
    assert!(newest.good().contains(subjects[2]), "{newest:?}");
    assert_eq!(json(&["events", "list", "--subject", subjects[1]]).len(), 1);
    let (number, known) = (listed[1]["seq"].to_string(), of_all("id"));
    let body = place.run(&["events", "show", &number, "--body"]);
    assert_eq!(body.good().as_bytes(), sender::label("two"));
    let shown = place.run(&["events", "show", &known[1]]);
    assert!(shown.good().contains(subjects[1]), "{shown:?}");
    let tail = json(&["events", "tail", "--lines", "2"]);
    let told: Vec<_> = tail
        .iter()
        .map(|row| row["envelope"]["subject"].as_str().unwrap())
        .collect();
    assert_eq!(told, subjects[1..]);
    let missing = place.run(&["events", "show", "99999"]);
    missing.failed(1, &["the queue has no event 99999"]);
}
