//! The queue's files are taken away under a running `serve`: it says so at once, stores nothing, and tells why.

use crate::support::{CONFIG, Place, Serving, configured, deriving_nothing, get, patient};
use std::fs;
use std::time::{Duration, Instant};

/// Far more than anything here takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn admin(place: &Place) -> String {
    let log = place.read("serve.log");
    let addresses = log.split("http://");
    let mut admin = addresses.filter_map(|rest| rest.split_once("/metrics"));
    admin.next().unwrap().0.to_owned()
}

pub(crate) fn is_ready(serving: &Serving) -> bool {
    get(&serving.address, "/-/ready").0 == "HTTP/1.1 200 OK"
}

fn deliver(place: &Place, serving: &Serving, event: &str) -> crate::support::Ran {
    place.run(&[
        "send",
        "--event",
        event,
        "--to",
        &serving.url("label-studio"),
    ])
}

#[track_caller]
fn refused(ran: &crate::support::Ran) {
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.starts_with("503"), "{ran:?}");
}

type Mishap = (fn(&Place), &'static str);

#[test]
fn an_event_that_is_not_stored_gets_no_200_and_the_log_says_why() {
    let mishaps: [Mishap; 5] = [
        (
            |place| fs::remove_file(place.path("queue.db")).unwrap(),
            "removed or moved away",
        ),
        (
            |place| {
                fs::copy(place.path("queue.db"), place.path("copy")).unwrap();
                fs::rename(place.path("copy"), place.path("queue.db")).unwrap();
            },
            "is another file now",
        ),
        (
            |place| fs::write(place.path("queue.db"), b"").unwrap(),
            "was cut off",
        ),
        (
            |place| fs::remove_file(place.path("queue.db-wal")).unwrap(),
            "queue.db-wal",
        ),
        (
            |place| fs::remove_file(place.path("queue.db.lock")).unwrap(),
            "another `serve`",
        ),
    ];
    for (mishap, words) in mishaps {
        let place = configured();
        let serving = place.serve(&[]);
        // With the usual deadline, or each refusal would take long: on a busy machine the first answer may be late.
        until("none is taken", || {
            deliver(&place, &serving, "task.created").code == 0
        });
        until("it is not ready", || is_ready(&serving));
        mishap(&place);
        // Nobody delivers anything: it notices by itself.
        until("it is still ready", || !is_ready(&serving));
        place.logged(&["files are not what they were", words]);
        let (status, reason) = get(&admin(&place), "/ready");
        assert!(status.contains("503"), "{status}");
        assert!(reason.contains(words), "{reason}");
        refused(&deliver(&place, &serving, "annotation.created"));
        // A killed process shows what is really there.
        drop(serving);
    }
}

#[test]
fn a_file_that_is_put_back_is_used_again_and_a_removed_journal_loses_nothing() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    deliver(&place, &serving, "task.created").good();
    fs::rename(place.path("queue.db"), place.path("elsewhere")).unwrap();
    refused(&deliver(&place, &serving, "annotation.created"));
    until("the log says nothing", || {
        place
            .read("serve.log")
            .contains("files are not what they were")
    });
    fs::rename(place.path("elsewhere"), place.path("queue.db")).unwrap();
    until("it is not ready again", || is_ready(&serving));
    deliver(&place, &serving, "annotation.created").good();
    until("the log says nothing", || {
        place.read("serve.log").contains("are back")
    });
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 2);

    fs::remove_file(place.path("queue.db-wal")).unwrap();
    until("it is still ready", || !is_ready(&serving));
    drop(serving);
    // Left by a killed process.
    fs::remove_file(place.path("ready")).unwrap();
    let again = place.serve(&[]);
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 2);
    deliver(&place, &again, "task.deleted").good();
}

#[test]
fn a_fallback_takes_what_the_queue_cannot() {
    let place = patient();
    place.write(
        "labelrelay.toml",
        format!("fallback = \"file:fallback\"\n{CONFIG}"),
    );
    let serving = place.serve(&[]);
    fs::rename(place.path("queue.db"), place.path("elsewhere")).unwrap();
    deliver(&place, &serving, "task.created").good();
    let waiting = || fs::read_dir(place.path("fallback")).unwrap().count();
    assert!(waiting() > 0);
    fs::rename(place.path("elsewhere"), place.path("queue.db")).unwrap();
    until("it stays in the fallback", || {
        place.run(&["events", "list", "--json"]).json().len() == 1
    });
    assert_eq!(serving.stop(), 0);
}
