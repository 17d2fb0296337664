//! Bytes in the middle of the queue file are overwritten: it is named, nothing is answered well that is not there,
//! and one damaged event keeps nobody from the others.

use crate::support::{QueueDir, ids, message, send, try_send};
use futures_executor::block_on;
use labelrelay_core::{EventQueue as _, QueueErrorKind};
use labelrelay_local::{
    Acknowledgement, FileError, Filter, OpenError, QueueFile, State, envelope_damage,
};
use labelrelay_testkit::queue_suite;
use rusqlite::Connection;
use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

pub(super) const PAGE: usize = 16 * 1024;
pub(super) const EVENTS: usize = 60;
pub(super) const LONG: Duration = Duration::from_secs(60);

/// A closed queue of several pages, of which some events were received.
pub(super) fn filled() -> QueueDir {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for number in 0..EVENTS {
        let data = format!("\"{}\"", "x".repeat(3000));
        let sent = queue_suite::message(&format!("{number:03}"), data.as_bytes());
        block_on(queue.send(&sent)).unwrap();
    }
    let file = queue_dir.file();
    for delivery in file.receive(EVENTS / 2, LONG).unwrap() {
        file.acknowledge(&delivery.receipt).unwrap();
    }
    drop(file);
    queue.close();
    queue_dir
}

/// Puts a closed file in the place of another one, whose journal may be left.
pub(super) fn replace(queue_dir: &QueueDir, bytes: &[u8]) {
    for journal in ["queue.db-wal", "queue.db-shm"] {
        let _not_there = fs::remove_file(queue_dir.dir.path().join(journal));
    }
    fs::write(queue_dir.path(), bytes).unwrap();
}

#[track_caller]
pub(super) fn is_named(error: &FileError, queue_dir: &QueueDir) {
    assert!(matches!(error, FileError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    let path = queue_dir.path().canonicalize().unwrap();
    for word in [
        path.to_str().unwrap(),
        "is damaged",
        "events replay",
        "stop `serve`",
    ] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

/// Reads all there is: each call works, or names the damage.
fn read_all(queue_dir: &QueueDir, file: &mut QueueFile) -> bool {
    let mut damaged = false;
    let mut look = |result: Result<(), FileError>| {
        if let Err(error) = result {
            is_named(&error, queue_dir);
            damaged = true;
        }
    };
    look(file.check_structure(LONG));
    look(file.stats().map(drop));
    look(file.settings().map(drop));
    look(file.list(&Filter::default(), usize::MAX).map(drop));
    look(file.attributes_after(0, usize::MAX).map(drop));
    look(file.newest_dead(10).map(drop));
    look(file.damaged_events(LONG).map(drop));
    look(file.receive(EVENTS, LONG).map(drop));
    damaged
}

#[test]
fn whichever_page_is_overwritten_it_is_named_and_nothing_is_answered_well_that_is_not_there() {
    let queue_dir = filled();
    let whole = fs::read(queue_dir.path()).unwrap();
    assert!(whole.len() > 10 * PAGE, "{}", whole.len());
    for page in 0..whole.len() / PAGE {
        for byte in [0_u8, 0xff, b'{'] {
            let mut bytes = whole.clone();
            bytes[page * PAGE..(page + 1) * PAGE].fill(byte);
            replace(&queue_dir, &bytes);
            let shown = format!("page {page}, byte {byte}");
            match queue_dir.try_open(labelrelay_local::Options::default()) {
                Ok(queue) => {
                    match try_send(&queue, "new") {
                        Ok(receipt) => {
                            let seq: u64 = receipt.message_id.unwrap().parse().unwrap();
                            let file = queue_dir.file();
                            let mut readable =
                                file.export(Filter::default()).filter_map(Result::ok);
                            let stored = readable.find(|one| one.event.seq == seq);
                            let stored = stored.unwrap_or_else(|| panic!("{shown}: it is gone"));
                            assert_eq!(stored.event.id, "new", "{shown}");
                            assert_eq!(envelope_damage(&stored.envelope), None, "{shown}");
                        }
                        Err(error) => {
                            assert_eq!(
                                error.kind,
                                QueueErrorKind::Misconfigured,
                                "{shown}: {error}"
                            );
                            assert!(error.message.contains("queue.db"), "{shown}: {error}");
                            assert!(error.message.contains("events replay"), "{shown}: {error}");
                        }
                    }
                    assert!(read_all(&queue_dir, &mut queue_dir.file()), "{shown}");
                    queue.close();
                }
                Err(OpenError::Foreign { .. }) => assert_eq!(page, 0),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("is damaged"), "{shown}: {text}");
                    assert!(
                        text.contains("queue.db") && text.contains("events replay"),
                        "{text}"
                    );
                    assert!(!error.is_retryable());
                }
            }
        }
    }
}

#[test]
fn an_export_goes_on_behind_the_damage() {
    let queue_dir = filled();
    let whole = fs::read(queue_dir.path()).unwrap();
    let mut exported_behind = 0;
    for page in 1..whole.len() / PAGE {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xff);
        replace(&queue_dir, &bytes);
        let Ok(file) = QueueFile::open(queue_dir.path(), Arc::new(queue_dir.clock.clone())) else {
            continue;
        };
        let (mut seen, mut damage) = (HashSet::new(), 0);
        for event in file.export(Filter::default()) {
            match event {
                Ok(event) => {
                    assert_eq!(envelope_damage(&event.envelope), None);
                    assert!(seen.insert(event.event.seq), "each once");
                }
                Err(error) => {
                    is_named(&error, &queue_dir);
                    damage += 1;
                }
            }
        }
        assert!(damage <= 1, "page {page} is one gap: {damage}");
        if damage == 0 {
            assert_eq!(seen.len(), EVENTS);
        } else if seen.contains(&1) && seen.contains(&(EVENTS as u64)) {
            exported_behind += 1;
            assert!(seen.len() >= EVENTS - 10, "{} of {EVENTS}", seen.len());
        }
    }
    assert!(exported_behind > 3, "{exported_behind}");
}

/// Three events, of which the second has other data than it was queued with.
fn with_changed_data() -> QueueDir {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c"] {
        send(&queue, id);
    }
    queue.close();
    let mut bytes = fs::read(queue_dir.path()).unwrap();
    let data = b"{\"of\":\"b\"}";
    let places = bytes.windows(data.len()).enumerate();
    let places: Vec<_> = places
        .filter_map(|(at, window)| (window == data).then_some(at))
        .collect();
    assert_eq!(places.len(), 1);
    let at = places.first().unwrap() + 7;
    *bytes.get_mut(at).unwrap() = b'X';
    fs::write(queue_dir.path(), &bytes).unwrap();
    queue_dir
}

#[test]
fn a_changed_envelope_is_named_and_the_others_go_on() {
    let queue_dir = with_changed_data();
    let mut file = queue_dir.file();
    file.check_structure(LONG).unwrap();
    let damaged = file.damaged_events(LONG).unwrap();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].0, 2);
    assert!(damaged[0].1.contains("datasha256"), "{}", damaged[0].1);

    let received = file.receive(10, LONG).unwrap();
    let (bad, good): (Vec<_>, Vec<_>) = received
        .iter()
        .partition(|delivery| envelope_damage(&delivery.envelope).is_some());
    assert_eq!((bad.len(), good.len()), (1, 2));
    let buried = file.bury_all(&[&bad[0].receipt], None).unwrap();
    assert_eq!(buried, [Acknowledgement::Done]);
    assert_eq!(
        file.bury_all(&[&bad[0].receipt], None).unwrap(),
        [Acknowledgement::Stale]
    );
    let dead = file.dead(10).unwrap();
    assert_eq!((dead.len(), dead[0].seq), (1, 2));
    assert_eq!(file.stats().unwrap().dead_letters, 1);
    for delivery in good {
        assert_eq!(
            file.acknowledge(&delivery.receipt).unwrap(),
            Acknowledgement::Done
        );
    }
}

#[test]
fn a_repeat_of_a_changed_event_brings_it_back() {
    let queue_dir = with_changed_data();
    let queue = queue_dir.open();
    assert!(send(&queue, "a").repeat);
    let again = send(&queue, "b");
    assert!(!again.repeat, "the first one is not there any more");
    assert!(send(&queue, "b").repeat, "and the second one is");
    let stored = queue_dir.file().get(4).unwrap().unwrap();
    assert_eq!(stored.envelope, message("b").body);
}

#[test]
fn a_repeat_of_an_event_that_cannot_be_read_refuses_nobody() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let data = format!("\"{}\"", "x".repeat(5 * PAGE));
    let large = queue_suite::message("large", data.as_bytes());
    block_on(queue.send(&large)).unwrap();
    for number in 0..EVENTS {
        send(&queue, &format!("{number:03}"));
    }
    queue.close();
    // Of a page that continues a row, the first four bytes say where it goes on.
    let mut bytes = fs::read(queue_dir.path()).unwrap();
    let goes_on = |page: &&mut [u8]| page.iter().skip(4).all(|byte| *byte == b'x');
    let page = bytes.chunks_mut(PAGE).find(goes_on).unwrap();
    page.get_mut(..4).unwrap().fill(0xff);
    replace(&queue_dir, &bytes);

    let queue = queue_dir.open();
    assert!(block_on(queue.send(&large)).unwrap().repeat);
    assert!(!send(&queue, "another").repeat);
}

#[test]
fn columns_that_hold_what_none_ever_did_stop_nobody() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c"] {
        send(&queue, id);
    }
    queue.close();
    Connection::open(queue_dir.path())
        .unwrap()
        .execute_batch(
            "UPDATE events SET id = CAST(x'ff62' AS TEXT), subject = CAST(x'c3' AS TEXT) WHERE seq = 2",
        )
        .unwrap();
    let queue = queue_dir.open();
    assert!(send(&queue, "c").repeat);
    assert!(!send(&queue, "b").repeat);
    let file = queue_dir.file();
    assert_eq!(ids(&file), ["a", "\u{fffd}b", "c", "b"]);
    assert_eq!(file.append(&[message("a")], 0).unwrap(), [false]);
    assert_eq!(file.receive(10, LONG).unwrap().len(), 4);
}

#[test]
fn an_event_that_is_gone_though_it_was_received_stops_nobody() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b"] {
        send(&queue, id);
    }
    let file = queue_dir.file();
    assert_eq!(file.receive(10, Duration::ZERO).unwrap().len(), 2);
    let other = Connection::open(queue_dir.path()).unwrap();
    other
        .execute_batch("DELETE FROM events WHERE seq = 1")
        .unwrap();
    let left = file.receive(10, LONG).unwrap();
    assert_eq!(left.iter().map(|one| one.seq).collect::<Vec<_>>(), [2]);
    let states = |state| {
        let filter = Filter {
            states: vec![state],
            ..Filter::default()
        };
        file.list(&filter, 10).unwrap().len()
    };
    assert_eq!((states(State::InFlight), states(State::Dead)), (1, 0));
    assert_eq!(file.stats().unwrap().in_flight, 1);
}

#[test]
fn numbers_that_leave_no_room_for_another_event_are_damage() {
    for sql in [
        "UPDATE settings SET value = 9223372036854775807 WHERE name = 'received_through'",
        "UPDATE events SET seq = 9223372036854775807",
    ] {
        let queue_dir = QueueDir::new();
        let queue = queue_dir.open();
        send(&queue, "a");
        Connection::open(queue_dir.path())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let error = try_send(&queue, "b").unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Misconfigured, "{sql}");
        assert!(error.message.contains("events replay"), "{error}");
        queue_dir.file().stats().unwrap();
        queue.close();
        let text = queue_dir
            .try_open(labelrelay_local::Options::default())
            .unwrap_err()
            .to_string();
        assert!(text.contains("is damaged"), "{text}");
    }
}
