//! `labelrelay archive write`.

use crate::archive::{archived, queued, send};
use crate::support::{configured, deriving_nothing, patient, until};
use labelrelay_tests::random::Random;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

/// Moments at which a writer is killed.
const KILLS: usize = 20;

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

/// What was received and cannot be written is kept, and written later.
#[test]
fn who_follows_waits_for_an_archive_out_of_reach() {
    let place = configured();
    let serving = place.serve(&[]);
    let words = ["archive", "write", "file:archive"];
    let queue = ["--queue", "sqlite:queue.db"];
    let once = place.run(&[&words[..], &queue, &["--until-idle", "0s"]].concat());
    once.good();
    // Where the folder of a source should be.
    let in_the_way = place.write("archive/source=labelbox", "");
    let said = std::fs::File::create(place.path("said")).unwrap();
    let mut command = place.command(&words);
    command.args(queue).args(["--follow", "--every", "1s"]);
    let mut writing = Writing(command.stderr(said).spawn().unwrap());
    send(&place, &serving);
    until("it waits", || {
        place.read("said").contains("the next try is in")
    });
    let all = queued(&place);
    std::fs::remove_file(in_the_way).unwrap();
    until("the events are in the archive", || archived(&place) == all);
    assert!(writing.0.try_wait().unwrap().is_none(), "it goes on");
    let stats = || place.run(&["queue", "stats", "--json"]).json();
    until("all is acknowledged", || {
        stats()[0]["acknowledged"] == all.len()
    });
    assert_eq!(serving.stop(), 0);
}

/// Red if each run had a name of its own.
#[test]
fn the_files_of_several_runs_become_one() {
    let place = configured();
    let serving = place.serve(&[]);
    let words = ["archive", "write", "file:archive", "--until-idle", "0s"];
    for _ in 0..2 {
        send(&place, &serving);
        place
            .run(&[&words[..], &["--queue", "sqlite:queue.db"]].concat())
            .good();
    }
    let all = archived(&place);
    assert_eq!(all, queued(&place));
    let listed = place.run(&["events", "list", "--from", "file:archive", "--json"]);
    let day = |event: &serde_json::Value| event["received"].as_str().unwrap()[..10].to_owned();
    let days: BTreeSet<String> = listed.json().iter().map(day).collect();
    if days.len() > 1 {
        // It was midnight, and files of two days stay two.
        return;
    }
    let compact = [
        "archive",
        "compact",
        "file:archive",
        "--before",
        "2100-01-01",
    ];
    let told = place.run(&[&compact[..], &["--json"]].concat()).json();
    // One for each of the two sources.
    assert_eq!(told[0]["removed"], 4, "{told:?}");
    assert_eq!(told[0]["written"], 2, "{told:?}");
    assert_eq!(archived(&place), all);
    assert_eq!(serving.stop(), 0);
}

/// An event that was acknowledged too early would be nowhere once its writer is killed.
#[test]
fn what_was_acknowledged_is_in_the_archive_whenever_its_writer_is_killed() {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    let mut random = Random::seeded();
    let mut cut_off = 0;
    for kill in 1..=KILLS {
        send(&place, &serving);
        let mut command = place.command(&["archive", "write", "file:archive"]);
        command.args(["--queue", "sqlite:queue.db", "--until-idle", "0s"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut writing = Writing(command.spawn().unwrap());
        // The random moment itself; nothing is waited for.
        std::thread::sleep(Duration::from_micros(random.below(150_000)));
        cut_off += usize::from(writing.0.try_wait().unwrap().is_none());
        drop(writing);
        let archive: BTreeSet<String> = archived(&place).into_iter().collect();
        for event in place.run(&["events", "list", "--json"]).json() {
            let id = event["id"].as_str().unwrap();
            let is_safe = event["state"] != "acknowledged" || archive.contains(id);
            assert!(
                is_safe,
                "kill {kill}: {id} is acknowledged, and not archived"
            );
        }
    }
    println!("{cut_off} of {KILLS} writers were cut off");
    let all = queued(&place);
    assert_eq!(all.len(), 2 * KILLS);
    assert!(archived(&place).iter().all(|id| all.contains(id)));
    assert_eq!(serving.stop(), 0);
}
