//! `labelrelay archive write`.

use crate::archive::{archived, queued, send};
use crate::support::{patient, until};

/// Of a cloud's queue there is no file to follow.
#[test]
fn a_queue_is_taken_out_into_an_archive() {
    let place = patient();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    let words = [
        "archive",
        "write",
        "file:archive",
        "--queue",
        "sqlite:queue.db",
    ];
    let write = || place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    assert_eq!(write().good(), format!("archived {} events\n", all.len()));
    assert_eq!(archived(&place), all);
    let stats = place.run(&["queue", "stats", "--json"]).json();
    assert_eq!(stats[0]["acknowledged"], all.len());
    assert_eq!(write().good(), "archived 0 events\n");
    assert_eq!(serving.stop(), 0);
}

/// Killed when dropped.
struct Writing(std::process::Child);

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Received events are hidden from others for minutes only.
#[test]
fn what_was_received_is_written_while_more_is_waited_for() {
    let place = patient();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    let mut command = place.command(&["archive", "write", "file:archive"]);
    command.args(["--queue", "sqlite:queue.db", "--every", "1s"]);
    let _writing = Writing(command.args(["--until-idle", "1h"]).spawn().unwrap());
    until("the events are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
}
