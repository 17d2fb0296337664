//! No room left: deliveries are told so, and consumers can take out what is there all the same.

use crate::displaced_queue::{is_ready, until};
use crate::support::{CONFIG, Place, Serving, configured};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

const MIB: u64 = 1024 * 1024;

/// The status of a delivery of `bytes` bytes.
fn deliver(serving: &Serving, number: usize, bytes: usize) -> u16 {
    let filling = "x".repeat(bytes);
    let body = format!("{{\"action\":\"TASKS_CREATED\",\"n\":{number},\"x\":\"{filling}\"}}");
    let mut stream = std::net::TcpStream::connect(&serving.address).unwrap();
    write!(
        stream,
        "POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1);
    status.unwrap().parse().unwrap()
}

/// Delivers until there is no room for more, and says how many there was room for.
fn fill(serving: &Serving, bytes: usize) -> usize {
    for number in 0..2000 {
        match deliver(serving, number, bytes) {
            200 => {}
            503 => return number,
            other => panic!("{other}"),
        }
    }
    panic!("there is no end of the room");
}

/// Receives and acknowledges all that is there, as a consumer does; says how many.
fn drain(place: &Place) -> usize {
    let mut drained = 0;
    loop {
        let batch = place.run(&[
            "queue",
            "receive",
            "--max",
            "5",
            "--visibility",
            "1h",
            "--json",
        ]);
        batch.good();
        if batch.stdout.is_empty() {
            return drained;
        }
        let mut words = vec!["queue", "ack"];
        let batch = batch.json();
        words.extend(
            batch
                .iter()
                .map(|message| message["receipt"].as_str().unwrap()),
        );
        place.run(&words).good();
        drained += batch.len();
    }
}

/// Without a window, what is acknowledged can be pruned at once. A busy machine shall not be taken for a full disk: the
/// answer to a late delivery is 503 as well.
fn config(more: &str) -> String {
    format!("deadline_ms = 20000\n{more}{CONFIG}[embedded_queue]\nrepeat_window_s = 0\n")
}

/// Runs this very test again, in a mount namespace of its own, and once only. Says whether this is that run.
pub(crate) fn in_a_namespace_of_its_own(test: &str) -> bool {
    const INSIDE: &str = "LABELRELAY_TEST_IN_NAMESPACE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    // In there, a folder on which something is mounted cannot be removed. Out here, all of its folders can.
    let folders = tempfile::tempdir().unwrap();
    // A server that runs as nobody has its own below.
    fs::set_permissions(folders.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ran = Command::new("unshare")
        .args(if root { "-m" } else { "-Urm" }.split(' '))
        .arg(std::env::current_exe().unwrap())
        // Some of them are ignored where what they need is not installed.
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(INSIDE, "1")
        .env("TMPDIR", folders.path())
        .stdin(Stdio::null())
        .output();
    // `unshare` of util-linux, for a file system of a size of its own.
    let ran = ran.unwrap();
    // Behind a mark: who counts the lines in which programs of tests begin and end shall not count these.
    for line in [ran.stdout, ran.stderr]
        .concat()
        .split(|byte| *byte == b'\n')
    {
        println!("| {}", String::from_utf8_lossy(line));
    }
    let status = ran.status;
    assert!(
        status.success(),
        "in a mount namespace of its own: {status}"
    );
    false
}

/// A place whose queue is on a disk of 64 MiB, `disk`.
#[cfg(target_os = "linux")]
fn on_a_small_disk() -> Place {
    let place = configured();
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64m", "none"])
        .arg(&disk)
        .status()
        .unwrap();
    assert!(mounted.success());
    place.write(
        "labelrelay.toml",
        config("").replace("queue.db", "disk/queue.db"),
    );
    place
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full_and_can_be_drained() {
    if !in_a_namespace_of_its_own("full_disk::a_full_disk_is_said_to_be_full_and_can_be_drained") {
        return;
    }
    let place = on_a_small_disk();
    let serving = place.serve(&[]);
    for round in 0..3 {
        let fitted = fill(&serving, 300_000 + round);
        assert!(fitted > 60, "{fitted} of 300,000 bytes in 64 MiB");
        place.logged(&["no room", "queue receive", "queue ack", "queue prune"]);
        // The record took none of the last of it.
        place.logged(&["deliveries are not recorded", "left to the queue"]);
        if round == 2 {
            // Consumers can drain the queue without a running `serve`.
            assert_eq!(serving.stop(), 0);
            assert_eq!(drain(&place), fitted);
            assert_eq!(
                place.run(&["queue", "prune"]).good(),
                format!("removed {fitted}\n")
            );
            fs::remove_file(place.path("ready")).unwrap_or_default();
            let serving = place.serve(&[]);
            assert_eq!(deliver(&serving, 9999, 300_000), 200);
            // The reserve is smaller by what the journal of a larger one takes, as soon as `serve` has a look at it.
            until("there is room for a larger one", || {
                deliver(&serving, 9998, 2_000_000) == 200
            });
            break;
        }
        assert_eq!(drain(&place), fitted);
        assert_eq!(
            place.run(&["queue", "prune"]).good(),
            format!("removed {fitted}\n")
        );
        until("there is no room again", || {
            deliver(&serving, 5000, 300_000) == 200
        });
        assert_eq!(drain(&place), 1);
        place.run(&["queue", "prune"]).good();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_record_takes_its_share_of_a_disk_and_no_more() {
    use labelrelay_tests::{client::once, sender};
    if !in_a_namespace_of_its_own("full_disk::the_record_takes_its_share_of_a_disk_and_no_more") {
        return;
    }
    let place = on_a_small_disk();
    let filtering = "exclude = [\"io.labelstud.task.*\"]\n[embedded_queue]";
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        config.replace("[embedded_queue]", filtering),
    );
    let serving = place.serve(&[]);
    let filling = "x".repeat(60_000);
    let task = format!(
        r#"{{"action":"TASKS_CREATED","tasks":[{{"id":1}}],"project":{{"id":3}},"x":"{filling}"}}"#
    );
    let request = sender::label_studio("Bearer a-secret-of-label-studio", task.as_bytes());
    let address = serving.address.parse().unwrap();
    for _ in 0..20 {
        assert_eq!(once(address, &request).outcome(), "filtered");
    }
    let body = |name| place.run(&["events", "show", name, "--body"]);
    // A tenth of 64 MiB is the record's, a third of that its file's, and an eighth of that is for bodies of this kind.
    until("the oldest body has made no room", || {
        body("r1").stderr.contains("bounds of [serve.record]")
    });
    until("the newest body is not there", || {
        body("r20").stdout.contains(&filling)
    });
}

/// Fills the disk to its last byte, as another program does.
#[cfg(target_os = "linux")]
fn fill_disk(file: &std::path::Path) {
    let mut file = fs::File::create(file).unwrap();
    for piece in [vec![0; 64 * 1024], vec![0; 1]] {
        while file.write_all(&piece).is_ok() {}
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_reserve_is_the_consumers_whoever_else_fills_the_disk() {
    if !in_a_namespace_of_its_own(
        "full_disk::the_reserve_is_the_consumers_whoever_else_fills_the_disk",
    ) {
        return;
    }
    let place = on_a_small_disk();
    let reserve = place.path("disk/queue.db.reserve");
    let other = place.path("disk/other");
    let serving = place.serve(&[]);
    let fitted = fill(&serving, 300_000);
    assert!(reserve.exists(), "deliveries do not use it");
    fill_disk(&other);
    // Some of the reserve, which has 16 MiB, may have gone back to the journal of deliveries since: more fit then.
    let more = fill(&serving, 300_001);
    assert!(more * 300_000 < 12 << 20, "{more}");
    assert!(reserve.exists(), "nor another program");
    assert_eq!(drain(&place), fitted + more);
    fs::remove_file(&other).unwrap();
    place.run(&["queue", "prune"]).good();
    until("there is no room again", || {
        deliver(&serving, 4000, 300_000) == 200
    });
    until("there is no reserve again", || reserve.exists());
    assert_eq!(serving.stop(), 0);
    // Nor is it lost while nothing runs.
    fill_disk(&other);
    assert!(reserve.exists());
    place.run(&["events", "list"]).good();
    assert!(reserve.exists(), "what a look needed was taken back");
    fs::remove_file(place.path("ready")).unwrap_or_default();
    assert_eq!(drain(&place), 1);
    fs::remove_file(reserve).unwrap();
    fill_disk(&other);
    for words in [["events", "list"], ["queue", "receive"]] {
        place.run(&words).failed(1, &["no room is left"]);
    }
    place.run(&["serve"]).failed(1, &["no room is left"]);
}

#[test]
fn a_queue_has_a_largest_size() {
    let place = configured();
    place.write(
        "labelrelay.toml",
        config(&format!("queue_max_bytes = {}\n", 16 * MIB)),
    );
    let serving = place.serve(&[]);
    for round in 0..3 {
        let fitted = fill(&serving, 100_000 + round);
        assert!(fitted > 70, "{fitted} of 100,000 bytes in 16 MiB");
        let bytes: u64 = ["queue.db", "queue.db-wal"]
            .iter()
            .map(|name| place.path(name).metadata().unwrap().len())
            .sum();
        assert!(bytes <= 16 * MIB, "{bytes}");
        place.logged(&["queue_max_bytes"]);
        assert_eq!(drain(&place), fitted);
        assert_eq!(
            place.run(&["queue", "prune"]).good(),
            format!("removed {fitted}\n")
        );
        assert_eq!(
            deliver(&serving, 5000, 100_000),
            200,
            "what was pruned is used again at once"
        );
        assert_eq!(drain(&place), 1);
        place.run(&["queue", "prune"]).good();
    }
    assert_eq!(serving.stop(), 0);
    place.write("labelrelay.toml", config("queue_max_bytes = 1000\n"));
    place
        .run(&["serve"])
        .failed(78, &["queue_max_bytes", "1048576"]);
}

#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_no_end_of_the_process() {
    let place = configured();
    place.write("labelrelay.toml", config(""));
    let mut limited = place.command(&[]);
    let program = limited.get_program().to_owned();
    // In blocks of 512 bytes: 8 MiB.
    limited = {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "ulimit -f 16384; exec \"$0\" \"$@\""])
            .arg(program)
            .current_dir(place.directory.path());
        shell
    };
    let log = fs::File::create(place.path("serve.log")).unwrap();
    let serving = place.serve_command(limited, &[], Stdio::null(), log.into());
    let fitted = fill(&serving, 100_000);
    assert!(fitted > 20, "{fitted} of 100,000 bytes in 8 MiB");
    assert_eq!(deliver(&serving, 3000, 100_000), 503, "it lives");
    // A thread of its own writes the log.
    until("the limit is named", || {
        place.read("serve.log").contains("ulimit -f")
    });
    for _ in 0..3 {
        assert!(!is_ready(&serving), "it can store nothing");
    }
    assert_eq!(drain(&place), fitted);
    place.run(&["queue", "prune"]).good();
    until("there is no room again", || {
        deliver(&serving, 5000, 100_000) == 200
    });
    assert_eq!(serving.stop(), 0);
}

#[cfg(unix)]
#[test]
fn a_limit_that_no_queue_fits_into_is_named() {
    let place = configured();
    // In blocks of 512 bytes: 8 KiB, and 100 KiB.
    for blocks in [16, 200] {
        let program = place.command(&[]).get_program().to_owned();
        let ran = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "ulimit -f {blocks}; exec \"$0\" serve --listen 127.0.0.1:0"
            ))
            .arg(program)
            .current_dir(place.directory.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains("ulimit -f"), "{said}");
    }
}
