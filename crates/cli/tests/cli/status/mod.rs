//! `status`.

mod faults;
mod record;

use crate::support::{CONFIG, configured};
#[cfg(unix)]
use crate::support::{get, patient, until};

#[test]
fn a_good_configuration_is_good_and_nothing_is_made() {
    let place = configured();
    assert!(
        place
            .run(&["status"])
            .good()
            .starts_with("ok: labelrelay.toml")
    );
    let ran = place.run(&["status", "--json"]);
    assert_eq!(ran.json()[0]["ok"], true);
    assert_eq!(
        ran.json()[0]["sources"],
        serde_json::json!(["labelbox", "label-studio"])
    );
    assert!(!place.path("queue.db").exists());
}

#[test]
fn a_short_secret_is_a_warning() {
    let place = configured();
    place.write("labelbox.secret", "example_secret");
    let ran = place.run(&["status"]);
    ran.good();
    assert!(ran.stderr.contains("has 14 bytes"), "{ran:?}");
    assert!(!ran.stderr.contains("example_secret"));
}

/// A body that goes to the blob store needs less memory than the queue would.
#[test]
fn a_directory_that_the_next_serve_makes_counts_as_there() {
    let place = configured();
    let stores = "blob_store = \"file:claims\"\nfallback = \"file:fallback\"\nmax_body_bytes = 536870912\nmax_bytes_in_flight = 67108864\n";
    place.write(
        "labelrelay.toml",
        format!("{stores}{CONFIG}[spool]\ndir = \"spool\"\n"),
    );
    place.run(&["status"]).good();
    for store in ["claims", "fallback"] {
        assert!(!place.path(store).exists(), "{store}");
    }
    let serving = place.serve(&[]);
    place.run(&["status"]).good();
    assert_eq!(serving.stop(), 0);
}

#[test]
fn it_works_beside_a_running_serve() {
    let place = configured();
    let serving = place.serve(&[]);
    place.run(&["status"]).good();
    assert_eq!(serving.stop(), 0);
}

/// The file is good, and whoever owns it has lost it: nobody but `serve` can tell.
#[cfg(unix)]
#[test]
fn a_serve_that_takes_no_delivery_is_a_fault() {
    let place = configured();
    let serving = place.serve(&[]);
    place.run(&["status"]).good();
    std::fs::remove_file(place.path("queue.db.lock")).unwrap();
    until("it is still ready", || {
        get(&serving.address, "/-/ready").0 != "HTTP/1.1 200 OK"
    });
    let ran = place.run(&["status"]);
    ran.failed(
        1,
        &[
            "fault: `serve` takes no delivery: ",
            "/-/ready answers 503",
            "its log says why",
        ],
    );
    assert!(ran.stdout.starts_with("not ok: "), "{ran:?}");
    let told = place.run(&["status", "--json"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(told.json()[0]["ok"], false);
}

#[cfg(unix)]
#[test]
fn what_serve_refused_since_it_began_is_told() {
    let place = patient();
    let serving = place.serve(&[]);
    assert!(!place.run(&["status"]).good().contains("refused"));
    place.write("foreign.secret", "another-secret-of-label-studio");
    let url = serving.url("label-studio");
    let send = ["send", "--source", "label-studio", "--to", &url];
    for _ in 0..2 {
        let ran = place.run(&[&send[..], &["--secret", "file:foreign.secret"]].concat());
        assert!(ran.stdout.starts_with("401"), "{ran:?}");
    }
    place.run(&send).good();
    // A request is counted after its answer.
    let line = "refused     label-studio: 2 unauthorized since `serve` began";
    until("the refusals are told", || {
        place.run(&["status"]).good().contains(line)
    });
    let told = place.run(&["status", "--json"]);
    let refused = serde_json::json!([
        {"source": "label-studio", "outcome": "unauthorized", "requests": 2}
    ]);
    assert_eq!(told.json()[0]["refused"], refused);
}

#[test]
fn a_health_check_asks_the_serve_that_runs() {
    let place = configured();
    let config = place.read("labelrelay.toml");
    // Port 9 has no listener; the running `serve` is found by its queue.
    let listen = "[serve]\nlisten = \"127.0.0.1:9\"\n";
    place.write("labelrelay.toml", format!("{config}\n{listen}"));
    place
        .run(&["status", "--ready"])
        .failed(1, &["not ready: http://127.0.0.1:9/-/ready"]);
    let serving = place.serve(&[]);
    let ready = place.run(&["status", "--ready"]);
    assert_eq!(
        ready.good().trim_end(),
        format!("ready: {}", serving.url("-/ready"))
    );
    std::fs::rename(place.path("queue.db"), place.path("moved")).unwrap();
    place.run(&["status", "--ready"]).failed(1, &["not ready"]);
    drop(serving);
}

#[test]
fn it_walks_the_way_of_a_delivery() {
    let place = configured();
    let before = place.run(&["status"]);
    for line in [
        "serve       does not run; `labelrelay serve` starts it",
        "sources     labelbox, label-studio",
        "queue.db: made by the next `serve`",
    ] {
        assert!(before.good().contains(line), "{line}: {before:?}");
    }
    let config = format!("{CONFIG}[embedded_queue]\nmax_receives = 1\n");
    place.write("labelrelay.toml", config);
    let serving = place.serve(&[]);
    for _ in 0..2 {
        let url = serving.url("labelbox");
        place.run(&["send", "--to", &url]).good();
    }
    place
        .run(&["queue", "receive", "--visibility", "0s"])
        .good();
    // Whoever looks next finds it dead.
    place.run(&["events", "list", "--dead"]).good();
    let ran = place.run(&["status"]);
    let serve = format!("serve       listens on {}", serving.address);
    let queue = "queue.db: 1 ready, 0 in flight, 1 dead; takes an event and gives it back\n";
    for line in [serve.as_str(), queue] {
        assert!(ran.good().contains(line), "{line}: {ran:?}");
    }
    assert!(
        ran.stderr.contains("1 dead letter:") && ran.stderr.contains("labelrelay events retry"),
        "{ran:?}"
    );
    let json = &place.run(&["status", "--json"]).json()[0];
    assert_eq!(
        json["events"],
        serde_json::json!({"ready": 1, "in_flight": 0, "dead": 1})
    );
    assert_eq!(json["is_written_and_read"], true);
    // Trying that left nothing.
    let listed = place.run(&["events", "list", "--json"]);
    assert_eq!(listed.json().len(), 2, "{listed:?}");
    assert_eq!(json["serve"], serving.address);
    assert!(
        json["warnings"].to_string().contains("1 dead letter:"),
        "{json}"
    );
    assert_eq!(serving.stop(), 0);
}
