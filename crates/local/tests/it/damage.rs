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

const PAGE: usize = 16 * 1024;
const EVENTS: usize = 60;
const LONG: Duration = Duration::from_secs(60);

/// A closed queue of several pages, of which some events were received.
fn filled() -> QueueDir {
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
fn replace(queue_dir: &QueueDir, bytes: &[u8]) {
    for journal in ["queue.db-wal", "queue.db-shm"] {
        let _not_there = fs::remove_file(queue_dir.dir.path().join(journal));
    }
    fs::write(queue_dir.path(), bytes).unwrap();
}

#[track_caller]
fn is_named(error: &FileError, queue_dir: &QueueDir) {
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

/// Moves all events to other numbers, as those of a queue that was long in use.
fn renumber(queue_dir: &QueueDir, by: u64) {
    let db = Connection::open(queue_dir.path()).unwrap();
    db.execute_batch(&format!(
        "UPDATE events SET seq = seq + {by}; UPDATE deliveries SET seq = seq + {by};
         UPDATE settings SET value = value + {by} WHERE name = 'received_through';
         PRAGMA journal_mode = DELETE; VACUUM;"
    ))
    .unwrap();
}

/// Page of the file that holds the text.
fn page_of(bytes: &[u8], text: &str) -> usize {
    let mut found = bytes.windows(text.len());
    found.position(|window| window == text.as_bytes()).unwrap() / PAGE
}

fn overwritten(bytes: &[u8], pages: &[usize]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for page in pages {
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xff);
    }
    bytes
}

/// Where the first page is damaged, and the numbers are high because what came before was pruned, an export by number
/// would look at millions of them; where the last page is damaged too, nobody knows how many there are.
#[test]
fn an_export_goes_on_behind_damage_at_either_end_of_a_queue_that_was_long_in_use() {
    const BEFORE: u64 = 5_000_000;
    let queue_dir = filled();
    renumber(&queue_dir, BEFORE);
    let whole = fs::read(queue_dir.path()).unwrap();
    let first = page_of(&whole, "\"id\":\"000\"");
    let last = page_of(&whole, &format!("\"id\":\"{:03}\"", EVENTS - 1));
    assert_ne!(first, last);
    for (pages, is_last_there) in [(vec![first], true), (vec![first, last], false)] {
        replace(&queue_dir, &overwritten(&whole, &pages));
        let file = queue_dir.file();
        let seen: HashSet<_> = file
            .export(Filter::default())
            .filter_map(Result::ok)
            .map(|event| event.event.seq - BEFORE)
            .collect();
        assert!(seen.len() >= EVENTS - 12, "{pages:?}: {} seen", seen.len());
        assert!(!seen.contains(&1), "{pages:?}");
        assert_eq!(seen.contains(&(EVENTS as u64)), is_last_there, "{pages:?}");
    }
}

/// The table of what became of events is damaged: all events are exported, as if none had been received.
#[test]
fn an_export_loses_no_event_whose_state_alone_is_damaged() {
    let queue_dir = filled();
    let db = Connection::open(queue_dir.path()).unwrap();
    let root: usize = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'deliveries'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(db);
    let whole = fs::read(queue_dir.path()).unwrap();
    replace(&queue_dir, &overwritten(&whole, &[root - 1]));
    let file = queue_dir.file();
    let seen = file.export(Filter::default()).filter_map(Result::ok);
    assert_eq!(seen.count(), EVENTS);
}

/// Whichever page of events is damaged, a consumer gets each event that is not in it, and acknowledges no other.
#[test]
fn a_damaged_page_keeps_no_other_event_from_consumers() {
    let queue_dir = filled();
    let whole = fs::read(queue_dir.path()).unwrap();
    let (mut around, mut ends) = (0, 0);
    for page in 1..whole.len() / PAGE {
        replace(&queue_dir, &overwritten(&whole, &[page]));
        let Ok(file) = QueueFile::open(queue_dir.path(), Arc::new(queue_dir.clock.clone())) else {
            continue;
        };
        // Half of them were acknowledged before.
        let readable: HashSet<u64> = (EVENTS as u64 / 2 + 1..=EVENTS as u64)
            .filter(|seq| matches!(file.get(*seq), Ok(Some(_))))
            .collect();
        let (mut got, mut unreadable, mut is_damaged) = (HashSet::new(), 0, false);
        let failed = loop {
            match file.receive_around_damage(7, LONG) {
                Ok(received) => {
                    for range in &received.unreadable {
                        unreadable += range.end() - range.start() + 1;
                    }
                    if let Some(damage) = &received.damage {
                        is_named(damage, &queue_dir);
                        is_damaged = true;
                    }
                    if received.deliveries.is_empty() {
                        break false;
                    }
                    for one in received.deliveries {
                        assert_eq!(envelope_damage(&one.envelope), None);
                        assert!(got.insert(one.seq), "page {page}: each once");
                    }
                }
                // The table of what was received.
                Err(error) => {
                    is_named(&error, &queue_dir);
                    break true;
                }
            }
        };
        if failed {
            continue;
        }
        assert_eq!(got, readable, "page {page}");
        if readable.len() == EVENTS / 2 {
            continue;
        }
        assert!(is_damaged, "page {page}");
        let lost = (EVENTS / 2 - readable.len()) as u64;
        if readable.contains(&(EVENTS as u64)) {
            around += 1;
            assert_eq!(unreadable, lost, "page {page}: each is a dead letter");
            let stats = file.stats().unwrap();
            assert_eq!((stats.dead, stats.dead_letters), (lost, lost));
            let dead = file.newest_dead(100).unwrap();
            assert_eq!(dead.len() as u64, lost);
            assert!(dead.iter().all(|letter| !letter.is_readable));
        } else {
            // Nobody knows how many are in the last page: they wait.
            ends += 1;
            assert_eq!(unreadable, 0, "page {page}");
        }
    }
    assert!(around > 3 && ends >= 1, "{around} around, {ends} ends");
}

/// What was in flight when its page was damaged comes back to nobody, and keeps nobody from the rest.
#[test]
fn an_event_in_flight_that_cannot_be_read_any_more_is_a_dead_letter() {
    let queue_dir = filled();
    let file = queue_dir.file();
    assert_eq!(file.receive(EVENTS, Duration::ZERO).unwrap().len(), EVENTS / 2);
    drop(file);
    let queue = queue_dir.open();
    queue.close();
    let whole = fs::read(queue_dir.path()).unwrap();
    let page = page_of(&whole, &format!("\"id\":\"{:03}\"", EVENTS * 3 / 4));
    replace(&queue_dir, &overwritten(&whole, &[page]));
    let file = queue_dir.file();
    let received = file.receive_around_damage(EVENTS, LONG).unwrap();
    let buried: u64 = received
        .unreadable
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum();
    assert!(buried > 0, "{received:?}");
    assert_eq!(received.deliveries.len() as u64 + buried, EVENTS as u64 / 2);
    let stats = file.stats().unwrap();
    assert_eq!((stats.dead, stats.ready), (buried, 0));
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
    let buried = file.bury_all(&[&bad[0].receipt]).unwrap();
    assert_eq!(buried, [Acknowledgement::Done]);
    assert_eq!(
        file.bury_all(&[&bad[0].receipt]).unwrap(),
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
