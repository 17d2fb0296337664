//! Bytes in the middle of the queue file are overwritten: what lies behind them comes out all the same.

use crate::damage::{EVENTS, LONG, PAGE, filled, is_named, replace};
use crate::support::QueueDir;
use labelrelay_local::{Acknowledgement, Filter, QueueFile, Received, envelope_damage};
use rusqlite::Connection;
use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

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

/// Page of rows that holds the text. Others may hold what they once were.
fn page_of(bytes: &[u8], text: &str) -> usize {
    const ROWS: u8 = 13;
    let holds = |page: &[u8]| {
        let mut windows = page.windows(text.len());
        page.first() == Some(&ROWS) && windows.any(|window| window == text.as_bytes())
    };
    bytes.chunks(PAGE).position(holds).unwrap()
}

fn overwritten(bytes: &[u8], pages: &[usize]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for page in pages {
        let damaged = page * PAGE..(page + 1) * PAGE;
        bytes.get_mut(damaged).unwrap().fill(0xff);
    }
    bytes
}

/// Number of events that a receive could not read.
fn unreadable_events(received: &Received) -> u64 {
    let ranges = received.unreadable.iter();
    ranges.map(|range| range.end() - range.start() + 1).sum()
}

/// An export by number would look at millions of numbers: they are high where earlier events were pruned, and the first
/// page, which would say so, is damaged. With the last page damaged too, nobody knows how many there are.
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
    let root: i64 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'deliveries'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(db);
    let whole = fs::read(queue_dir.path()).unwrap();
    replace(
        &queue_dir,
        &overwritten(&whole, &[usize::try_from(root).unwrap() - 1]),
    );
    let file = queue_dir.file();
    let seen = file.export(Filter::default()).filter_map(Result::ok);
    assert_eq!(seen.count(), EVENTS);
}

/// Red if damage to a note keeps an event from being rejected, or from coming back.
#[test]
fn an_event_is_rejected_and_comes_back_though_the_reasons_are_damaged() {
    let queue_dir = filled();
    let bury = |file: &QueueFile| {
        let received = file.receive(1, LONG).unwrap();
        let buried = file.bury_all(&[&received[0].receipt], Some("no use for it"));
        assert_eq!(buried.unwrap(), [Acknowledgement::Done]);
    };
    bury(&queue_dir.file());
    let db = Connection::open(queue_dir.path()).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'reasons'";
    let root: u32 = db.query_row(root, [], |row| row.get(0)).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let whole = fs::read(queue_dir.path()).unwrap();
    replace(&queue_dir, &overwritten(&whole, &[root as usize - 1]));
    let file = queue_dir.file();
    bury(&file);
    let dead = file.dead(9).unwrap();
    let reasons = dead.iter().map(|event| event.reason.as_deref());
    assert_eq!(reasons.collect::<Vec<_>>(), [None, None]);
    assert_eq!(file.requeue_dead(None).unwrap(), 2);
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
                    unreadable += unreadable_events(&received);
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

/// An event that was in flight when its page was damaged comes back to nobody, and keeps nobody from the rest.
#[test]
fn an_event_in_flight_that_cannot_be_read_any_more_is_a_dead_letter() {
    let queue_dir = filled();
    let file = queue_dir.file();
    assert_eq!(
        file.receive(EVENTS, Duration::ZERO).unwrap().len(),
        EVENTS / 2
    );
    drop(file);
    let queue = queue_dir.open();
    queue.close();
    let whole = fs::read(queue_dir.path()).unwrap();
    let page = page_of(&whole, &format!("\"id\":\"{:03}\"", EVENTS * 3 / 4));
    replace(&queue_dir, &overwritten(&whole, &[page]));
    let file = queue_dir.file();
    let received = file.receive_around_damage(EVENTS, LONG).unwrap();
    let buried = unreadable_events(&received);
    assert!(buried > 0, "{received:?}");
    assert_eq!(received.deliveries.len() as u64 + buried, EVENTS as u64 / 2);
    let stats = file.stats().unwrap();
    assert_eq!((stats.dead, stats.ready), (buried, 0));
}

/// Two neighbours in a page change places, so that the numbers in it are in no order.
fn with_neighbours_swapped(bytes: &[u8], page: usize) -> Vec<u8> {
    // SQLite's file format, "B-tree Pages": a leaf's head is 8 bytes, then come the 2-byte places of its rows.
    const FIRST: usize = 8;
    let mut bytes = bytes.to_vec();
    let page = bytes.get_mut(page * PAGE..(page + 1) * PAGE).unwrap();
    let places = page.get_mut(FIRST..FIRST + 4).unwrap();
    places.rotate_left(2);
    bytes
}

/// Whichever page of events is in no order, a consumer gets no event twice, and comes to an end.
#[test]
fn a_page_in_no_order_hands_out_nothing_twice() {
    let queue_dir = filled();
    let whole = fs::read(queue_dir.path()).unwrap();
    let mut pages: Vec<usize> = (EVENTS / 2..EVENTS)
        .map(|event| page_of(&whole, &format!("\"id\":\"{event:03}\"")))
        .collect();
    pages.dedup();
    assert!(pages.len() > 3);
    let mut met = 0;
    for page in pages {
        replace(&queue_dir, &with_neighbours_swapped(&whole, page));
        let file = queue_dir.file();
        let mut got = HashSet::new();
        for _turn in 0..EVENTS {
            match file.receive_around_damage(7, LONG) {
                Ok(received) => {
                    met += usize::from(received.damage.is_some());
                    if received.deliveries.is_empty() {
                        break;
                    }
                    for one in received.deliveries {
                        assert!(got.insert(one.seq), "page {page}: each once");
                    }
                }
                Err(error) => {
                    is_named(&error, &queue_dir);
                    met += 1;
                    break;
                }
            }
        }
        assert!(
            got.len() + 12 >= EVENTS / 2,
            "page {page}: {} got",
            got.len()
        );
    }
    assert!(met > 0);
}

/// Thousands of dead letters that cannot be read are made ready again: a receive is done with them in a few turns, and
/// hands out what can be read.
#[test]
fn dead_letters_that_cannot_be_read_keep_nobody_waiting() {
    let queue_dir = filled();
    let file = queue_dir.file();
    let taken = file.receive(EVENTS, LONG).unwrap();
    let receipts: Vec<&str> = taken.iter().map(|one| one.receipt.as_str()).collect();
    file.bury_all(&receipts, None).unwrap();
    drop(file);
    queue_dir.open().close();
    let whole = fs::read(queue_dir.path()).unwrap();
    let pages: Vec<usize> = [1, 3]
        .map(|part| {
            page_of(
                &whole,
                &format!("\"id\":\"{:03}\"", EVENTS / 2 + EVENTS / 8 * part),
            )
        })
        .to_vec();
    replace(&queue_dir, &overwritten(&whole, &pages));
    let file = queue_dir.file();
    assert_eq!(file.requeue_dead(None).unwrap(), taken.len() as u64);
    let received = file.receive_around_damage(EVENTS, LONG).unwrap();
    let buried = unreadable_events(&received);
    assert!(buried > 1, "{received:?}");
    assert_eq!(
        received.deliveries.len() as u64 + buried,
        taken.len() as u64
    );
    assert_eq!(file.stats().unwrap().dead, buried);
}
