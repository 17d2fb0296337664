//! Settings of `serve` that are wrong: `status` finds what `serve` would end with.

use crate::support::{CONFIG, Place, configured};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The mistake, the table `[serve]` or a line instead of the queue, and the words of the message.
const WRONG: &[(&str, &str, &str, &[&str])] = &[
    (
        "an address without a port",
        "sqlite:queue.db",
        "listen = '127.0.0.1'",
        &["listen", "is not an address", "ADDRESS:PORT"],
    ),
    (
        "metrics for everybody",
        "sqlite:queue.db",
        "admin_listen = '0.0.0.0:9000'",
        &["admin_listen", "is not a loopback address"],
    ),
    (
        "a URL without a scheme",
        "sqlite:queue.db",
        "public_url = 'relay.example'",
        &["public_url", "is not a URL", "https://HOST"],
    ),
    (
        "a queue in a directory that does not exist",
        "sqlite:gone/queue.db",
        "",
        &["gone/queue.db", "the directory must exist"],
    ),
    (
        "a queue below a file",
        "sqlite:labelbox.secret/queue.db",
        "",
        &["labelbox.secret/queue.db", "the directory must exist"],
    ),
];

fn place(queue: &str, serve: &str) -> Place {
    let place = configured();
    let text = CONFIG.replace("sqlite:queue.db", queue);
    place.write("labelrelay.toml", format!("{text}[serve]\n{serve}\n"));
    place
}

#[test]
fn check_finds_what_serve_would_end_with() {
    for (what, queue, serve, words) in WRONG {
        let place = place(queue, serve);
        let serve = place.run(&["serve"]);
        assert_eq!(serve.code, 78, "{what}: {serve:?}");
        serve.failed(78, words);
        let check = place.run(&["status"]);
        assert_eq!(check.code, 78, "{what}: {check:?}");
        check.failed(78, words);
        assert_eq!(check.stdout, "", "{what}");
        let json = place.run(&["status", "--json"]);
        assert_eq!((json.code, &json.json()[0]["ok"]), (78, &false.into()));
    }
}

#[test]
fn a_level_that_is_none_is_found_too() {
    let place = configured().with("LABELRELAY_LOG", "loud");
    for verb in ["serve", "status"] {
        place
            .run(&[verb])
            .failed(78, &["LABELRELAY_LOG", "write off, error"]);
    }
}

#[test]
fn a_queue_that_can_be_made_is_good_and_is_not_made() {
    let place = place("sqlite:there/queue.db", "listen = '127.0.0.1:0'");
    std::fs::create_dir(place.path("there")).unwrap();
    place.run(&["status"]).good();
    let left = std::fs::read_dir(place.path("there")).unwrap().count();
    assert_eq!(left, 0);
}

/// The port of the metrics, held by this test; `None` if somebody else has it and keeps it. Other tests have it for
/// a moment.
fn default_port() -> Option<TcpListener> {
    let begun = Instant::now();
    loop {
        match TcpListener::bind("127.0.0.1:9090") {
            Ok(listener) => return Some(listener),
            Err(_) if begun.elapsed() < Duration::from_secs(120) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return None,
        }
    }
}

#[test]
fn a_metrics_port_that_nobody_asked_for_and_is_taken_stops_no_start() {
    let _taken = default_port();
    let place = configured();
    let serving = place.serve(&[]);
    let log = place.logged(&["metrics are on another port", "/metrics"]);
    let admin = log
        .split("metrics http://")
        .find_map(|rest| rest.split_once("/metrics"))
        .map(|(address, _)| address.to_owned())
        .unwrap();
    assert_ne!(admin, "127.0.0.1:9090");
    let (status, _) = crate::support::get(&admin, "/metrics");
    assert!(status.contains("200"), "{status}");
    assert_eq!(serving.stop(), 0);
    // A configured port that is taken ends the start.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place
        .run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            &address,
        ])
        .failed(1, &["is taken by another program", "--admin-listen"]);
}
