//! The verbs: list, get, find, export, stats, dead letters, release.

use crate::support::{QueueDir, ids, message, send};
use futures_executor::block_on;
use labelrelay_core::EventQueue as _;
use labelrelay_local::{Acknowledgement, Filter, State};
use labelrelay_testkit::queue_suite;
use rusqlite::Connection;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

fn list(queue_dir: &QueueDir, change: impl FnOnce(&mut Filter)) -> Vec<String> {
    let mut filter = Filter::default();
    change(&mut filter);
    let events = queue_dir.file().list(&filter, 100).unwrap();
    events.into_iter().map(|event| event.id).collect()
}

#[test]
fn lists_are_filtered_limited_and_ordered() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for (id, event_type, source) in [
        ("1", "com.labelbox.label.created", "/labelbox"),
        ("2", "com.labelbox.label.deleted", "/labelbox"),
        ("3", "io.labelstud.task.created", "/label-studio"),
    ] {
        let mut message = message(id);
        let attributes = std::sync::Arc::make_mut(&mut message.attributes);
        attributes.event_type = event_type.to_owned();
        attributes.source = source.to_owned();
        attributes.subject = Some(format!("thing/{id}"));
        block_on(queue.send(&message)).unwrap();
    }
    let typed = |pattern: &str| list(&queue_dir, |f| f.event_type = Some(pattern.into()));
    assert_eq!(list(&queue_dir, |_| {}), ["1", "2", "3"]);
    assert_eq!(list(&queue_dir, |f| f.newest_first = true), ["3", "2", "1"]);
    assert_eq!(list(&queue_dir, |f| f.after = Some(1)), ["2", "3"]);
    assert_eq!(typed("com.labelbox.label.*"), ["1", "2"]);
    assert_eq!(typed("com.labelbox.label"), [""; 0]);
    assert_eq!(typed("io.labelstud.task.created"), ["3"]);
    assert_eq!(
        list(&queue_dir, |f| f.source = Some("/label-studio".into())),
        ["3"]
    );
    assert_eq!(
        list(&queue_dir, |f| f.subject = Some("thing/2".into())),
        ["2"]
    );
    assert_eq!(list(&queue_dir, |f| f.id = Some("2".into())), ["2"]);
    assert_eq!(
        queue_dir.file().list(&Filter::default(), 2).unwrap().len(),
        2
    );
}

#[test]
fn lists_know_where_events_stand() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["1", "2", "3", "4"] {
        send(&queue, id);
    }
    let taken = queue_dir.file().receive(2, LEASE).unwrap();
    queue_dir.file().acknowledge(&taken[0].receipt).unwrap();
    let in_state = |state| list(&queue_dir, |f| f.states = vec![state]);
    assert_eq!(in_state(State::Acknowledged), ["1"]);
    assert_eq!(in_state(State::InFlight), ["2"]);
    assert_eq!(in_state(State::Ready), ["3", "4"]);
    queue_dir.clock.advance(LEASE);
    assert_eq!(in_state(State::InFlight), [""; 0]);
    assert_eq!(in_state(State::Ready), ["2", "3", "4"]);
}

#[test]
fn an_event_is_shown_whole() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let sent = message("b");
    let seq = block_on(queue.send(&sent))
        .unwrap()
        .message_id
        .unwrap()
        .parse()
        .unwrap();
    let stored = queue_dir.file().get(seq).unwrap().unwrap();
    assert!(stored.envelope == sent.body);
    assert_eq!(stored.event.envelope_bytes, sent.body.len() as u64);
    assert_eq!(
        (&*stored.event.id, &*stored.event.event_type),
        (sent.id(), sent.event_type())
    );
    assert_eq!(
        (&*stored.event.source, stored.event.subject.as_deref()),
        (sent.source(), sent.subject())
    );
    assert_eq!(stored.event.received_ms, 1_795_251_600_000);
    assert_eq!(queue_dir.file().find("b").unwrap().unwrap(), stored);
    assert_eq!(queue_dir.file().find("c").unwrap(), None);
    assert_eq!(queue_dir.file().get(99).unwrap(), None);
}

#[test]
fn an_export_takes_nothing_and_keeps_order_across_pages() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for n in 0..600 {
        send(&queue, &n.to_string());
    }
    let file = queue_dir.file();
    let taken = file.receive(2, LEASE).unwrap();
    file.acknowledge(&taken[0].receipt).unwrap();
    let held: Vec<_> = file
        .export(Filter {
            states: vec![State::Ready, State::InFlight],
            ..Filter::default()
        })
        .map(|event| event.unwrap().event.id)
        .collect();
    assert_eq!(
        held,
        (1..600).map(|n| n.to_string()).collect::<Vec<_>>(),
        "in flight is held, acknowledged is not"
    );
    let all: Vec<_> = file
        .export(Filter::default())
        .map(|event| event.unwrap().envelope)
        .collect();
    assert_eq!(all.len(), 600);
    assert!(all[5] == message("5").body);
    assert_eq!(file.stats().unwrap().ready, 598);
}

#[test]
fn stats_add_up() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 1);
    let file = queue_dir.file();
    assert_eq!(file.stats().unwrap().oldest_ready_age, None);
    for n in 0..5 {
        send(&queue, &n.to_string());
        queue_dir.clock.advance(Duration::from_secs(1));
    }
    let first = file.receive(1, LEASE).unwrap();
    file.acknowledge(&first[0].receipt).unwrap();
    file.receive(1, Duration::from_secs(1)).unwrap();
    queue_dir.clock.advance(Duration::from_secs(1));
    let second = file.receive(1, LEASE).unwrap();
    assert_eq!(second[0].seq, 3, "the second is dead by now");
    let stats = file.stats().unwrap();
    assert_eq!(
        (stats.ready, stats.in_flight, stats.acknowledged, stats.dead),
        (2, 1, 1, 1)
    );
    assert_eq!(
        stats.oldest_ready_age,
        Some(Duration::from_secs(3)),
        "the fourth, sent at second 3, at second 6"
    );
    assert!(stats.file_bytes > 0);
    queue_dir.clock.advance(LEASE);
    let stats = file.stats().unwrap();
    assert_eq!(
        (stats.ready, stats.in_flight, stats.dead),
        (2, 0, 2),
        "the third was received once, and once is the limit"
    );
    assert_eq!(stats.oldest_ready_age, Some(Duration::from_secs(63)));
    assert_eq!(file.dead(9).unwrap().len(), 2);
    assert_eq!(file.requeue_dead(None).unwrap(), 2);
    assert_eq!(
        file.stats().unwrap().oldest_ready_age,
        Some(Duration::from_secs(65)),
        "the second is ready again"
    );
}

#[test]
fn dead_letters_come_back_when_asked_for() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 2);
    let file = queue_dir.file();
    for id in ["a", "b"] {
        send(&queue, id);
    }
    for _ in 0..2 {
        assert_eq!(file.receive(9, LEASE).unwrap().len(), 2);
        queue_dir.clock.advance(LEASE);
    }
    assert!(file.receive(9, LEASE).unwrap().is_empty());
    let dead = file.dead(9).unwrap();
    assert_eq!(
        dead.iter()
            .map(|event| (event.id.as_str(), event.receive_count))
            .collect::<Vec<_>>(),
        [("a", 2), ("b", 2)]
    );
    assert_eq!(file.requeue_dead(Some(&[dead[1].seq, 77])).unwrap(), 1);
    let back = file.receive(9, LEASE).unwrap();
    assert_eq!(
        (back[0].seq, back[0].receive_count, back.len()),
        (dead[1].seq, 1, 1)
    );
    assert_eq!(file.requeue_dead(None).unwrap(), 1);
    assert_eq!(file.receive(9, LEASE).unwrap().len(), 1);
    assert_eq!(ids(&file), ["a", "b"], "a dead letter is never lost");
}

/// Red if nobody learns why a consumer rejected an event, or if an old reason is told of a dead letter that was received too
/// often.
#[test]
fn a_dead_letter_says_why_it_was_rejected() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 1);
    let file = queue_dir.file();
    for id in ["told", "untold", "kept"] {
        send(&queue, id);
    }
    let received = file.receive(9, LEASE).unwrap();
    let long = "no use for it: é".repeat(100);
    let receipts = [&*received[0].receipt, &*received[1].receipt];
    file.bury_each(&receipts, &[Some(&long), Some(" ")])
        .unwrap();
    let kept: String = long.chars().take(1000).collect();
    let reasons = || -> Vec<Option<String>> {
        let dead = file.dead(9).unwrap();
        for event in &dead {
            let shown = file.get(event.seq).unwrap().unwrap().event;
            assert_eq!(shown.reason, event.reason);
            let newest = file.newest_dead(9).unwrap();
            let newest = newest.iter().find(|letter| letter.seq == event.seq);
            assert_eq!(newest.unwrap().reason, event.reason);
        }
        dead.into_iter().map(|event| event.reason).collect()
    };
    assert_eq!(reasons(), [Some(kept), None]);
    // A receipt that is not good any more says nothing.
    file.bury_all(&[&received[1].receipt], Some("late"))
        .unwrap();
    assert_eq!(reasons()[1], None);
    file.acknowledge(&received[2].receipt).unwrap();
    assert_eq!(file.requeue_dead(None).unwrap(), 2);
    assert_eq!(file.receive(9, LEASE).unwrap().len(), 2);
    queue_dir.clock.advance(LEASE);
    assert_eq!(reasons(), [None, None], "received too often");
}

/// Red if the reason is told of another death: an earlier version brings an event back, and leaves its reason.
#[test]
fn a_reason_is_that_of_the_last_rejection() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 1);
    let file = queue_dir.file();
    send(&queue, "a");
    let received = file.receive(9, LEASE).unwrap();
    let reason = Some("no use for it");
    file.bury_all(&[&received[0].receipt], reason).unwrap();
    assert_eq!(file.dead(9).unwrap()[0].reason.as_deref(), reason);
    queue_dir.clock.advance(LEASE);
    let earlier = Connection::open(queue_dir.path()).unwrap();
    let back = "UPDATE deliveries SET state = 0, receive_count = 0, visible_ms = 0, changed_ms = 0 WHERE state = 2";
    assert_eq!(earlier.execute(back, []).unwrap(), 1);
    assert_eq!(file.receive(9, LEASE).unwrap().len(), 1);
    queue_dir.clock.advance(LEASE);
    assert_eq!(file.dead(9).unwrap()[0].reason, None);
}

/// Without a consumer nobody receives, and that is when somebody looks.
#[test]
fn dead_letters_show_without_another_receive() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 1);
    let file = queue_dir.file();
    send(&queue, "a");
    assert_eq!(file.receive(9, LEASE).unwrap().len(), 1);
    assert_eq!(file.stats().unwrap().dead, 0, "still in flight");
    queue_dir.clock.advance(LEASE);
    assert_eq!(file.stats().unwrap().dead, 1);
    assert_eq!(file.dead(9).unwrap().len(), 1);
    assert_eq!(file.requeue_dead(None).unwrap(), 1);
}

#[test]
fn many_dead_letters_do_not_hide_what_is_ready() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 1);
    let file = queue_dir.file();
    for n in 0..50 {
        send(&queue, &n.to_string());
    }
    assert_eq!(file.receive(50, LEASE).unwrap().len(), 50);
    queue_dir.clock.advance(LEASE);
    send(&queue, "sound");
    // Buries some in passing, a bounded number, and takes what is new all the same.
    assert_eq!(file.receive(1, LEASE).unwrap()[0].seq, 51);
    assert!(file.receive(50, LEASE).unwrap().is_empty());
    assert_eq!(file.stats().unwrap().dead, 50);
}

#[test]
fn a_message_given_back_is_ready_at_once() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let file = queue_dir.file();
    send(&queue, "a");
    let taken = file.receive(1, LEASE).unwrap();
    assert_eq!(
        file.release(&taken[0].receipt).unwrap(),
        Acknowledgement::Done
    );
    assert_eq!(
        file.release(&taken[0].receipt).unwrap(),
        Acknowledgement::Stale
    );
    assert_eq!(
        file.acknowledge(&taken[0].receipt).unwrap(),
        Acknowledgement::Stale
    );
    assert_eq!(file.receive(1, LEASE).unwrap()[0].receive_count, 2);
}

#[test]
fn an_invalid_receipt_is_refused() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let file = queue_dir.file();
    send(&queue, "a");
    let taken = file.receive(1, LEASE).unwrap();
    for wrong in [
        "",
        "1",
        "-",
        "1-",
        "x-00000000000000000000000000000000",
        "99999999999999999999-00000000000000000000000000000000",
        "1-zz",
        "1-+0000000000000000000000000000000",
    ] {
        assert_eq!(
            file.acknowledge(wrong).unwrap(),
            Acknowledgement::Malformed,
            "{wrong}"
        );
    }
    let guess = format!("1-{:032x}", 0);
    assert_eq!(file.acknowledge(&guess).unwrap(), Acknowledgement::Stale);
    assert_eq!(
        file.acknowledge(&taken[0].receipt).unwrap(),
        Acknowledgement::Done
    );
}

#[test]
fn a_clock_that_was_set_back_hides_nothing_for_long() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let file = queue_dir.file();
    send(&queue, "a");
    file.receive(1, LEASE).unwrap();
    queue_dir.clock.set_time_of_day("2020-01-01T00:00:00Z");
    assert_eq!(
        file.receive(1, LEASE).unwrap().len(),
        1,
        "hidden for years is not what anybody asked for"
    );
}

#[test]
fn debug_shows_neither_bodies_nor_receipts() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b"] {
        block_on(queue.send(&queue_suite::message(id, br#"{"token":"hush"}"#))).unwrap();
    }
    let file = queue_dir.file();
    let mut export = file.export(Filter::default());
    let event = export.next().unwrap().unwrap();
    let deliveries = file.receive(1, Duration::from_secs(60)).unwrap();
    let text = format!("{event:?} {deliveries:?} {export:?}");
    assert!(
        text.contains("seq: 1") && text.contains("envelope_bytes: "),
        "{text}"
    );
    assert!(text.contains(&event.envelope.len().to_string()), "{text}");
    // As bytes, an envelope would be shown as numbers.
    let bytes = format!("{:?}", event.envelope.get(..8).unwrap());
    for hidden in [
        "hush",
        bytes.trim_matches(['[', ']']),
        &deliveries[0].receipt,
    ] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

#[test]
fn a_message_is_given_back_for_later_or_kept_for_longer() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c"] {
        send(&queue, id);
    }
    let file = queue_dir.file();
    let minute = Duration::from_secs(60);
    let taken = file.receive(3, minute).unwrap();
    let receipts: Vec<_> = taken.iter().map(|taken| taken.receipt.as_str()).collect();
    let [a, b, c] = receipts[..] else { panic!() };
    let done = Acknowledgement::Done;
    assert_eq!(file.release_all(&[a], minute).unwrap(), [done]);
    assert_eq!(file.extend_all(&[b], minute * 5).unwrap(), [done]);
    assert_eq!(
        file.release_all(&[a, "x"], minute).unwrap(),
        [Acknowledgement::Stale, Acknowledgement::Malformed],
        "a receipt is used once"
    );
    let got = || -> Vec<u64> {
        let got = file.receive(9, minute).unwrap();
        got.iter().map(|delivery| delivery.seq).collect()
    };
    assert!(got().is_empty());
    queue_dir.clock.advance(Duration::from_secs(61));
    assert_eq!(
        got(),
        [1, 3],
        "the first after its delay, the third's time ran out"
    );
    assert_eq!(
        file.extend_all(&[c], minute).unwrap(),
        [Acknowledgement::Stale],
        "received again since"
    );
    queue_dir.clock.advance(minute * 3);
    assert_eq!(file.extend_all(&[b], minute).unwrap(), [done]);
    queue_dir.clock.advance(minute * 2);
    // Its time ran out, but nobody received it again.
    assert_eq!(file.extend_all(&[b], minute).unwrap(), [done]);
    assert_eq!(file.acknowledge(b).unwrap(), done);
}

#[test]
fn a_message_given_back_too_often_is_a_dead_letter_and_counted() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 2);
    send(&queue, "a");
    send(&queue, "b");
    let file = queue_dir.file();
    for _ in 0..2 {
        let taken = file.receive(1, Duration::from_secs(60)).unwrap();
        file.release(&taken[0].receipt).unwrap();
    }
    let seen = file.watched().unwrap();
    assert_eq!((seen.ready, seen.dead, seen.dead_letters), (1, 1, 1));
    let dead = file.newest_dead(5).unwrap();
    assert_eq!((dead[0].id.as_str(), dead[0].receive_count), ("a", 2));
    file.requeue_dead(None).unwrap();
    let stats = file.stats().unwrap();
    assert_eq!((stats.ready, stats.dead, stats.dead_letters), (2, 0, 1));
}
