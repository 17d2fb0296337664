//! An archive that cannot be written, or shall not be: no delivery waits for it, and nothing is lost to it.

use crate::archive::{acknowledge_all, admin, archived, archiving, queued, send};
use crate::support::{CONFIG, get, until};
use std::fs;

/// Somebody made another archive of it.
#[test]
fn what_cannot_be_archived_stays_in_the_queue_and_is_archived_later() {
    let place = archiving();
    fs::create_dir(place.path("archive")).unwrap();
    let version = place.write("archive/labelrelay-archive.json", "{\"layout\":99}");
    let serving = place.serve(&[]);
    place.logged(&["layout 99", "deliveries go on"]);
    send(&place, &serving);
    let all = queued(&place);
    acknowledge_all(&place);
    let pruned = place.run(&["queue", "prune"]);
    for words in ["removed 0", "2 wait to be archived"] {
        assert!(pruned.good().contains(words), "{pruned:?}");
    }
    assert_eq!(queued(&place), all);
    assert_eq!(fs::read_to_string(&version).unwrap(), "{\"layout\":99}");
    fs::remove_file(&version).unwrap();
    until("the events are in the archive", || archived(&place) == all);
    place.logged(&["is written again"]);
    until("what is archived is pruned", || {
        place.run(&["queue", "prune"]).good();
        queued(&place).is_empty()
    });
    assert_eq!(serving.stop(), 0);
    assert_eq!(archived(&place), all);
}

/// A directory of another machine may not be there yet.
#[test]
fn a_directory_that_cannot_be_opened_keeps_no_delivery() {
    let place = archiving();
    let in_the_way = place.write("archive", "no directory");
    let serving = place.serve(&[]);
    place.logged(&["deliveries go on"]);
    send(&place, &serving);
    let all = queued(&place);
    let admin = admin(&place);
    let figure = format!("archive_behind {}", all.len());
    until("the figures say how many wait", || {
        get(&admin, "/ready").1.contains(&figure)
    });
    fs::remove_file(in_the_way).unwrap();
    until("the events are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
}

/// Its disk is another one than the queue's.
#[cfg(target_os = "linux")]
#[test]
fn an_archive_without_room_keeps_no_delivery() {
    use std::io::Write as _;
    if !crate::full_disk::in_a_namespace_of_its_own(
        "archive_outages::an_archive_without_room_keeps_no_delivery",
    ) {
        return;
    }
    let place = archiving();
    let disk = place.path("archive");
    fs::create_dir(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "none"])
        .arg(&disk)
        .status();
    assert!(mounted.unwrap().success());
    let filling = place.path("archive/filling");
    let mut file = fs::File::create(&filling).unwrap();
    while file.write_all(&[b'x'; 4096]).is_ok() {}
    let serving = place.serve(&[]);
    place.logged(&["deliveries go on"]);
    send(&place, &serving);
    let all = queued(&place);
    assert_eq!(all.len(), 2);
    drop(file);
    fs::remove_file(&filling).unwrap();
    until("the events are in the archive", || archived(&place) == all);
    place.logged(&["is written again"]);
    assert_eq!(serving.stop(), 0);
}

/// Opening a pipe waits for whoever writes into it, as a request waits on a connection that is dead.
#[cfg(unix)]
#[test]
fn a_store_that_never_answers_keeps_neither_a_delivery_nor_a_stop() {
    let place = archiving();
    fs::create_dir(place.path("archive")).unwrap();
    let pipe = place.path("archive/labelrelay-archive.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    assert_eq!(serving.stop(), 0);
    fs::remove_file(&pipe).unwrap();
    let serving = place.serve(&[]);
    until("the events are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn without_an_archive_nothing_is_kept_for_one() {
    let place = archiving();
    fs::create_dir(place.path("archive")).unwrap();
    place.write("archive/labelrelay-archive.json", "{\"layout\":99}");
    let serving = place.serve(&[]);
    send(&place, &serving);
    place.logged(&["layout 99"]);
    assert_eq!(serving.stop(), 0);
    acknowledge_all(&place);
    let queue = "[embedded_queue]\nrepeat_window_s = 0\nretain_acknowledged_s = 86400\n";
    place.write("labelrelay.toml", format!("{CONFIG}{queue}"));
    assert!(place.run(&["queue", "prune"]).good().contains("removed 0"));
    assert_eq!(place.serve(&[]).stop(), 0);
    place.run(&["queue", "prune"]).good();
    assert!(queued(&place).is_empty());
}

#[test]
fn only_a_file_can_be_followed() {
    let place = archiving();
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        config.replace("sqlite:queue.db", "stdout:"),
    );
    let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.failed(78, &["archive.url", "not the embedded one"]);
    let looked = place.run(&["status"]);
    looked.failed(78, &["archive.url", "not the embedded one"]);
}
