//! `send` finds the `serve` that runs here, wherever it listens.

use crate::support::{Place, configured};
use std::os::unix::fs::PermissionsExt as _;

fn url_of(ran: &crate::support::Ran) -> String {
    let sent = ran.json().pop().unwrap();
    sent.get("url").unwrap().as_str().unwrap().to_owned()
}

#[test]
fn send_finds_the_address_on_which_serve_listens() {
    for place in [
        Place::new(),
        configured(),
        Place::new().with("LABELBOX_WEBHOOK_SECRET", "a secret of 26 bytes or so"),
    ] {
        let serving = place.serve(&[]);
        let sent = place.run(&["send", "--json"]);
        sent.good();
        assert_eq!(url_of(&sent), serving.url("labelbox"));
        place.run(&["send"]).good();
        assert_eq!(serving.stop(), 0);
    }
}

#[test]
fn the_address_file_of_a_killed_serve_is_not_believed() {
    let place = configured();
    let mut serving = place.serve(&[]);
    let gone = serving.url("labelbox");
    serving.signal("-KILL");
    serving.wait();
    // The next one's shall be waited for.
    std::fs::remove_file(place.path("ready")).unwrap();
    // Port 9 has no listener.
    let configured = "127.0.0.1:9";
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        format!("{config}\n[serve]\nlisten = \"{configured}\"\n"),
    );
    let ran = place.run(&["send"]);
    ran.failed(1, &[configured]);
    assert!(!ran.stderr.contains(&gone), "{ran:?}");
    // The next one is found again.
    let serving = place.serve(&[]);
    let sent = place.run(&["send", "--json"]);
    sent.good();
    assert_eq!(url_of(&sent), serving.url("labelbox"));
}

#[test]
fn an_address_that_somebody_else_wrote_is_not_believed() {
    let place = configured();
    let serving = place.serve(&[]);
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = elsewhere.local_addr().unwrap().to_string();
    assert_eq!(serving.stop(), 0);
    let beside: Vec<_> = std::fs::read_dir(place.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("queue.db"))
        .collect();
    for path in beside
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".address"))
    {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(path, format!("{elsewhere}\n")).unwrap();
    }
    let ran = place.run(&["send"]);
    assert!(!ran.stderr.contains(&elsewhere), "{ran:?}");
}

#[test]
fn the_first_event_that_is_sent_can_be_read() {
    // No answer is late because a machine is busy.
    let place = Place::new().with("LABELRELAY_DEADLINE_MS", "10000");
    let _serving = place.serve(&[]);
    // The event that was sent, without those that are derived from it.
    let receive = || {
        // None of them comes again meanwhile.
        let words = ["queue", "receive", "--max", "10", "--visibility", "1h"];
        let all = place.run(&[&words[..], &["--json"]].concat());
        let mut all = all.json();
        all.retain(|message| message["envelope"]["origin"].is_null());
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)["envelope"].take()
    };
    place.run(&["send", "--json"]).good();
    let envelope = receive();
    assert!(envelope["data"].is_object(), "{envelope}");
    // So can every other one, but the one that is there to show what becomes of half a surrogate pair:
    // parsers disagree about that, so it goes as base64.
    let listed = place.run(&["send", "--list", "--json"]).json();
    for sample in &listed {
        let words = ["event", "provider"].map(|name| sample[name].as_str().unwrap());
        place
            .run(&["send", "--event", words[0], "--provider", words[1]])
            .good();
        let envelope = receive();
        if words[0] == "task_surrogate.created" {
            assert!(envelope["data_base64"].is_string(), "{envelope}");
        } else {
            assert!(envelope["data"].is_object(), "{words:?}: {envelope}");
        }
    }
}
