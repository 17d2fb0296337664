//! `consume --exec`.

use super::{
    Consuming, assert_one_is_dead, figures, thousand_with_a_poisoned_one, with_bodies, with_labels,
};
use crate::support::until;
use labelrelay_tests::sender;
use std::collections::HashSet;
use std::process::Command;

#[test]
fn a_poisoned_event_takes_no_other_along() {
    let (place, _serving) = thousand_with_a_poisoned_one();
    let command = r#"case "$CE_SUBJECT" in
label/cklapoison) echo "begin" >&2; echo "no use for this one" >&2; exit 65 ;;
esac
echo "$CE_ID" >> done"#;
    let words = [
        "--exec",
        command,
        "--concurrency",
        "8",
        "--until-idle",
        "0s",
    ];
    let ran = place.run(&[&["consume"], &words[..]].concat());
    assert_one_is_dead(&place, &ran, "no use for this one");
    let done = place.read("done");
    assert_eq!(done.lines().count(), 999);
    assert_eq!(done.lines().collect::<HashSet<_>>().len(), 999);
    // A command's words pass through.
    assert!(ran.stderr.lines().any(|line| line == "begin"));
}

#[test]
fn a_command_gets_the_event_and_what_it_is_about() {
    let (place, _serving) = with_labels(["a"]);
    let command = r#"read -r line; printf '%s|%s|%s|%s\n%s\n' "$CE_ID" "$CE_TYPE" "$CE_SOURCE" "$CE_SUBJECT" "$line""#;
    let ran = place.run(&["consume", "--exec", command, "--until-idle", "0s"]);
    let stored = place.run(&["events", "show", "1", "--envelope"]);
    let envelope = stored.good().trim_end();
    let id = serde_json::from_str::<serde_json::Value>(envelope).unwrap()["id"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(
        ran.good(),
        format!("{id}|com.labelbox.label.created|/labelbox|label/cklaa\n{envelope}\n")
    );
}

#[test]
fn the_exit_code_decides() {
    for (command, figures_after, told) in [
        ("exit 0", [0, 0, 1, 0], "done=1"),
        ("exit 65", [0, 0, 0, 1], "the command ended with 65"),
        (
            "echo x >&2; exit 1",
            [0, 0, 0, 1],
            "the command ended with 1: x",
        ),
        // Somebody who mistyped it must not find all events among the dead letters.
        ("no-such-program", [0, 1, 0, 0], "ended with 127"),
        ("kill -9 $$", [0, 0, 0, 1], "ended by signal 9"),
        // Not the event's fault: it comes again, however often it was received.
        ("exit 75", [0, 1, 0, 0], "the command ended with 75"),
    ] {
        let (place, _serving) = with_labels(["a"]);
        let words = ["consume", "--exec", command, "--max-receives", "1"];
        let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
        ran.failed(0, &[told]);
        assert_eq!(figures(&place), figures_after, "{command}: {ran:?}");
    }
}

#[test]
fn an_event_that_fails_comes_again_later() {
    let (place, _serving) = with_labels(["a", "b"]);
    let command = r#"[ "$CE_SUBJECT" = label/cklab ]"#;
    let ran = place.run(&["consume", "--exec", command, "--until-idle", "0s"]);
    ran.failed(0, &["the command ended with 1", "comes again"]);
    assert_eq!(figures(&place), [0, 1, 1, 0]);
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let (place, _serving) = with_labels(["a"]);
    let command = "/bin/sleep 1000 & echo $! > child; wait";
    let words = ["consume", "--exec", command, "--timeout", "5s"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(0, &["had not ended after 5 s"]);
    wait_until_gone(place.read("child").trim());
    assert_eq!(figures(&place), [0, 1, 0, 0]);
}

/// The shell dies at once, and what it started neither ends nor closes anything. Red if the shell alone is waited for.
#[test]
fn a_command_that_does_not_want_to_end_is_ended() {
    let (place, _serving) = with_labels(["a"]);
    let child = "trap '' TERM; echo $$ > child; echo begun >&2; while :; do /bin/sleep 0.05; done";
    let command = format!("/bin/sh -c \"{}\" & wait", child.replace('$', "\\$"));
    let words = ["consume", "--exec", &command, "--timeout", "5s"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(0, &["had not ended after 5 s: begun"]);
    wait_until_gone(place.read("child").trim());
    assert_eq!(figures(&place), [0, 1, 0, 0]);
}

/// At its end a command says more than a pipe holds, and waits for the end of its input. Red if nobody reads then.
#[test]
fn a_command_can_say_why_it_ends() {
    let (place, _serving) = with_labels(["a"]);
    let command = r#"trap 'head -c 200000 /dev/zero | tr "\0" x >&2; echo >&2; cat > rest; echo cleaned up >&2; exit 1' TERM
while :; do /bin/sleep 0.02; done"#;
    let words = ["consume", "--exec", command, "--timeout", "5s"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    ran.failed(0, &["had not ended after 5 s: cleaned up"]);
}

/// A command need not read an envelope that a pipe does not hold, and may say more than one holds.
#[test]
fn nobody_waits_for_a_pipe() {
    let mut body = sender::label("a");
    body.pop();
    body.extend_from_slice(format!(",\"more\":\"{}\"}}", "x".repeat(300_000)).as_bytes());
    let (place, _serving) = with_bodies([("a", body)]);
    let command = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
    let ran = place.run(&["consume", "--exec", command, "--until-idle", "0s"]);
    assert!(ran.good().len() >= 300_000);
    assert_eq!(figures(&place), [0, 0, 1, 0]);
}

/// Tells whether a process is there, and is no zombie.
fn runs(pid: &str) -> bool {
    let shown = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let stat = String::from_utf8(shown.stdout).unwrap();
    !stat.trim().is_empty() && !stat.starts_with('Z')
}

/// Waits until a process that got its signal is gone. It ends only once the system lets it run.
fn wait_until_gone(pid: &str) {
    until("it is gone", || !runs(pid));
}

/// Begins, and ends when it may.
const HELD: &str = "echo $$ > begun; while [ ! -e go ]; do /bin/sleep 0.02; done";

#[test]
fn a_stop_finishes_what_was_begun_and_leaves_the_rest() {
    let (place, _serving) = with_labels(["a", "b", "c"]);
    let mut consuming = Consuming::start(&place, &["--exec", HELD]);
    until("the first is begun", || place.path("begun").exists());
    consuming.signal("-TERM");
    consuming.says("stopping");
    assert!(consuming.child.try_wait().unwrap().is_none());
    place.write("go", "");
    assert_eq!(consuming.ended(), Some(0));
    assert_eq!(figures(&place), [2, 0, 1, 0]);
}

#[test]
fn a_second_signal_ends_at_once_and_the_command_too() {
    let (place, _serving) = with_labels(["a"]);
    // A process that it started does not want to end.
    let child = "trap '' TERM; echo $$ > child; while [ ! -e go ]; do /bin/sleep 0.05; done";
    let command = format!("/bin/sh -c \"{}\" & {HELD}", child.replace('$', "\\$"));
    let words = ["--exec", &command, "--visibility", "1s"];
    let mut consuming = Consuming::start(&place, &words);
    let is_written = |name| place.path(name).exists() && !place.read(name).is_empty();
    until("it is begun", || is_written("begun") && is_written("child"));
    consuming.signal("-TERM");
    consuming.says("stopping");
    until("it ends", || {
        if consuming.child.try_wait().unwrap().is_some() {
            return true;
        }
        consuming.signal("-TERM");
        false
    });
    assert_eq!(consuming.ended(), Some(130));
    for name in ["begun", "child"] {
        wait_until_gone(place.read(name).trim());
    }
    assert_eq!(figures(&place)[2], 0, "nothing is acknowledged");
    // It comes again, and is done with then.
    place.write("go", "");
    let mut consuming = Consuming::start(&place, &words);
    until("it came again", || figures(&place)[2] == 1);
    consuming.signal("-TERM");
    assert_eq!(consuming.ended(), Some(0));
}

#[test]
fn events_of_a_killed_process_come_again() {
    let (place, _serving) = with_labels(["a"]);
    let words = ["--exec", HELD, "--visibility", "1s"];
    let consuming = Consuming::start(&place, &words);
    until("it is begun", || place.path("begun").exists());
    consuming.signal("-KILL");
    drop(consuming);
    std::fs::remove_file(place.path("begun")).unwrap();
    assert_eq!(figures(&place)[2], 0);
    let mut consuming = Consuming::start(&place, &words);
    until("it came again", || place.path("begun").exists());
    place.write("go", "");
    until("it is done with", || figures(&place) == [0, 0, 1, 0]);
    consuming.signal("-TERM");
    assert_eq!(consuming.ended(), Some(0));
}
