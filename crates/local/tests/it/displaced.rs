//! The queue's files are taken away, replaced or cut off while they are in use: nothing is said to be stored
//! from then on, and the message names what happened and the cure.
#![cfg(unix)]

use crate::support::{Place, ids, message, send, try_send};
use futures_executor::block_on;
use labelrelay_core::{EventQueue as _, QueueErrorKind};
use labelrelay_local::{EmbeddedQueue, QueueFile};
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

fn beside(place: &Place, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", place.path().display()))
}

/// Neither a send nor a check is answered well, and both say `words`.
#[track_caller]
fn refuses(queue: &EmbeddedQueue, id: &str, words: &[&str]) {
    let send = try_send(queue, id).unwrap_err();
    let check = block_on(queue.check()).unwrap_err();
    for error in [send, check] {
        assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
        assert!(!error.retryable, "trying again at once cannot help");
        for word in words {
            assert!(error.message.contains(word), "no {word:?} in {error}");
        }
    }
}

/// A mishap of a queue's files, and the words that its message must have.
type Mishap = (&'static str, fn(&Place), &'static [&'static str]);

const MISHAPS: &[Mishap] = &[
    (
        "the file is removed",
        |place| fs::remove_file(place.path()).unwrap(),
        &["queue.db", "removed", "start `serve` again"],
    ),
    (
        "the file is moved",
        |place| fs::rename(place.path(), beside(place, ".old")).unwrap(),
        &["queue.db", "moved away", "put it back"],
    ),
    (
        "the file is replaced by a copy of itself",
        |place| {
            fs::copy(place.path(), beside(place, ".copy")).unwrap();
            fs::rename(beside(place, ".copy"), place.path()).unwrap();
        },
        &["queue.db", "another file"],
    ),
    (
        "the file is replaced by an empty one",
        |place| {
            fs::remove_file(place.path()).unwrap();
            fs::write(place.path(), b"").unwrap();
        },
        &["queue.db"],
    ),
    (
        "the file is replaced by a directory",
        |place| {
            fs::remove_file(place.path()).unwrap();
            fs::create_dir(place.path()).unwrap();
        },
        &["queue.db", "another file"],
    ),
    (
        "the file is cut off wholly",
        |place| {
            let file = fs::OpenOptions::new()
                .write(true)
                .open(place.path())
                .unwrap();
            file.set_len(0).unwrap();
            // Closing it here would drop this process's locks of it, which is not what is tried.
            std::mem::forget(file);
        },
        &["queue.db", "cut off", "backup"],
    ),
    (
        "the journal is removed",
        |place| fs::remove_file(beside(place, "-wal")).unwrap(),
        &["queue.db-wal", "stop `serve`"],
    ),
    (
        "the journal is replaced",
        |place| {
            fs::copy(beside(place, "-wal"), beside(place, "-copy")).unwrap();
            fs::rename(beside(place, "-copy"), beside(place, "-wal")).unwrap();
        },
        &["queue.db-wal", "another file"],
    ),
    (
        "the journal is cut off",
        |place| {
            let file = fs::OpenOptions::new()
                .write(true)
                .open(beside(place, "-wal"));
            file.unwrap().set_len(0).unwrap();
        },
        &["queue.db-wal", "cut off"],
    ),
    (
        "the journal's index is removed",
        |place| fs::remove_file(beside(place, "-shm")).unwrap(),
        &["queue.db-shm", "start `serve` again"],
    ),
    (
        "the lock is removed",
        |place| fs::remove_file(beside(place, ".lock")).unwrap(),
        &["queue.db.lock", "another `serve`", "start `serve` again"],
    ),
    (
        "everything is removed",
        |place| {
            for end in ["", "-wal", "-shm", ".lock"] {
                fs::remove_file(beside(place, end)).unwrap();
            }
        },
        &["queue.db", "removed"],
    ),
    (
        "the file has a second name",
        |place| fs::hard_link(place.path(), beside(place, ".link")).unwrap(),
        &["queue.db", "2 names", "find -samefile"],
    ),
    (
        "the directory is renamed",
        |place| {
            let away = place.dir.path().with_extension("away");
            fs::rename(place.dir.path(), &away).unwrap();
        },
        &["directory", "moved away"],
    ),
];

#[test]
fn nothing_is_said_to_be_stored_in_files_that_are_not_there_any_more() {
    for (name, mishap, words) in MISHAPS {
        println!("{name}");
        let place = Place::new();
        let queue = place.open();
        send(&queue, "before");
        mishap(&place);
        refuses(&queue, "after", words);
        refuses(&queue, "after", words);
        // Its closing writes must not reach for files that are no longer its own.
        drop(queue);
        let _ = fs::remove_dir_all(place.dir.path().with_extension("away"));
    }
}

#[test]
fn it_is_noticed_without_a_send() {
    for (name, mishap, words) in MISHAPS {
        println!("{name}");
        let place = Place::new();
        let queue = place.open();
        send(&queue, "before");
        mishap(&place);
        let error = block_on(queue.check()).unwrap_err();
        for word in *words {
            assert!(error.message.contains(word), "no {word:?} in {error}");
        }
        let _ = fs::remove_dir_all(place.dir.path().with_extension("away"));
    }
}

#[test]
fn what_is_under_way_meanwhile_is_not_said_to_be_stored() {
    let place = Place::new();
    let queue = place.open_with(|options| options.busy_timeout = Duration::from_secs(20));
    send(&queue, "before");
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sent = message("under way");
    let mut answer = queue.send(&sent);
    assert!(block_on(async { futures_util::poll!(&mut answer) }).is_pending());
    fs::rename(place.path(), beside(&place, ".old")).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    let error = block_on(answer).unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
    // It may be in the file all the same; whoever sends it again, when that is back, is told the truth.
    fs::rename(beside(&place, ".old"), place.path()).unwrap();
    drop(other);
    send(&queue, "under way");
    assert_eq!(ids(&place.file()), ["before", "under way"]);
}

#[test]
fn it_works_again_when_the_same_files_are_back() {
    type Step = fn(&Place);
    let steps: [(Step, Step); 4] = [
        (
            |place| fs::rename(place.path(), beside(place, ".old")).unwrap(),
            |place| fs::rename(beside(place, ".old"), place.path()).unwrap(),
        ),
        (
            |place| fs::hard_link(place.path(), beside(place, ".link")).unwrap(),
            |place| fs::remove_file(beside(place, ".link")).unwrap(),
        ),
        (
            |place| fs::rename(beside(place, ".lock"), beside(place, ".kept")).unwrap(),
            |place| fs::rename(beside(place, ".kept"), beside(place, ".lock")).unwrap(),
        ),
        (
            |place| {
                let away = place.dir.path().with_extension("away");
                fs::rename(place.dir.path(), away).unwrap();
            },
            |place| {
                let away = place.dir.path().with_extension("away");
                fs::rename(away, place.dir.path()).unwrap();
            },
        ),
    ];
    for (away, back) in steps {
        let place = Place::new();
        let queue = place.open();
        send(&queue, "before");
        away(&place);
        refuses(&queue, "meanwhile", &[]);
        back(&place);
        block_on(queue.check()).unwrap();
        assert!(!send(&queue, "meanwhile").repeat, "it was never written");
        assert!(send(&queue, "before").repeat);
        drop(queue);
        assert_eq!(ids(&place.file()), ["before", "meanwhile"]);
    }
}

#[test]
fn a_file_that_was_cut_off_is_not_trusted_again() {
    let place = Place::new();
    let queue = place.open();
    send(&queue, "before");
    let journal = fs::OpenOptions::new()
        .write(true)
        .open(beside(&place, "-wal"))
        .unwrap();
    let bytes = journal.metadata().unwrap().len();
    journal.set_len(0).unwrap();
    refuses(&queue, "after", &["cut off"]);
    // As long as before, and nothing but holes.
    journal.set_len(bytes).unwrap();
    refuses(&queue, "after", &["cut off"]);
}

#[test]
fn what_only_a_removed_journal_holds_is_brought_into_the_file() {
    let place = Place::new();
    let queue = place.open();
    for n in 0..20 {
        send(&queue, &n.to_string());
    }
    fs::remove_file(beside(&place, "-wal")).unwrap();
    refuses(&queue, "after", &["queue.db-wal"]);
    // Not by closing it: a process that is killed does not.
    std::mem::forget(queue);
    let copy = Place::new();
    fs::copy(place.path(), copy.path()).unwrap();
    assert_eq!(ids(&copy.file()).len(), 20);
}

#[test]
fn the_files_of_a_new_owner_are_left_alone_by_the_old_one() {
    let place = Place::new();
    let old = place.open();
    send(&old, "old");
    for end in ["", "-wal", "-shm", ".lock"] {
        fs::rename(beside(&place, end), beside(&place, &format!("{end}.old"))).unwrap();
    }
    let new = place.open();
    send(&new, "new");
    refuses(&old, "lost", &["another file"]);
    old.close();
    send(&new, "newer");
    assert!(beside(&place, "-wal").exists());
    drop(new);
    assert_eq!(ids(&place.file()), ["new", "newer"]);
}

#[test]
fn with_its_lock_gone_the_first_owner_stops_and_the_second_goes_on() {
    let place = Place::new();
    let first = place.open();
    send(&first, "a");
    fs::remove_file(beside(&place, ".lock")).unwrap();
    let second = place.open();
    refuses(&first, "b", &["another `serve`"]);
    assert!(send(&second, "a").repeat);
    send(&second, "b");
    drop(first);
    send(&second, "c");
    assert_eq!(ids(&place.file()), ["a", "b", "c"]);
}

#[test]
fn readers_do_not_write_into_a_file_that_is_gone_either() {
    let place = Place::new();
    send(&place.open(), "a");
    let file = place.file();
    let taken = file.receive(1, Duration::from_secs(60)).unwrap();
    fs::rename(place.path(), beside(&place, ".old")).unwrap();
    for error in [
        file.append(&[message("found")], 0).unwrap_err(),
        file.acknowledge(&taken[0].receipt).unwrap_err(),
        file.receive(1, Duration::from_secs(60)).unwrap_err(),
    ] {
        assert!(error.to_string().contains("moved away"), "{error}");
    }
    fs::rename(beside(&place, ".old"), place.path()).unwrap();
    assert_eq!(file.append(&[message("found")], 0).unwrap(), [true]);
    let again = QueueFile::open(place.path(), Arc::new(place.clock.clone())).unwrap();
    assert_eq!(ids(&again), ["a", "found"]);
}

#[test]
fn what_others_rightly_do_beside_it_raises_no_alarm() {
    let place = Place::new();
    let queue = place.open();
    for n in 0..50 {
        send(&queue, &format!("{n} {}", "x".repeat(20_000)));
    }
    let shell = Connection::open(place.path()).unwrap();
    let done = |sql: &str| shell.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    assert_eq!(beside(&place, "-wal").metadata().unwrap().len(), 0);
    block_on(queue.check()).unwrap();
    send(&queue, "after the journal was emptied");
    shell
        .execute_batch("DELETE FROM events WHERE seq < 40; VACUUM")
        .unwrap();
    let before = place.path().metadata().unwrap().len();
    assert_eq!(done("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(), 0);
    assert!(place.path().metadata().unwrap().len() < before);
    block_on(queue.check()).unwrap();
    send(&queue, "after the file was made smaller");
    drop(shell);
    let reader = place.file();
    let taken = reader.receive(5, Duration::from_secs(1)).unwrap();
    for delivery in &taken {
        reader.acknowledge(&delivery.receipt).unwrap();
    }
    drop(reader);
    block_on(queue.check()).unwrap();
}
