//! Conformance suite of sources of events, as plain functions: a new back end gets its tests for a few lines.
//!
//! Each function takes a queue and a source of it, which are empty and nobody else's. Time is let pass by a function of
//! the caller: a clock that is moved, or real time where the queue is a server.

use crate::queue_suite::{message, of_length};
use futures_util::future::{join, join_all};
use labelrelay_core::{
    BoxFuture, EventQueue, EventSource, EventSourceError, Extended, OutboundMessage, ReceivedEvent,
    Settled,
};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType};
use std::collections::BTreeSet;
use std::time::Duration;

/// Lets time pass for the queue.
pub type Pass<'a> = &'a (dyn Fn(Duration) -> BoxFuture<'static, ()> + Sync);

/// A queue under test, and what is known of it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its way in.
    pub queue: &'a dyn EventQueue,
    /// Its way out.
    pub source: &'a dyn EventSource,
    /// Lets time pass for it.
    pub pass: Pass<'a>,
    /// Which old receipts it tells from good ones.
    pub tells: Tells,
}

/// Which receipts that are no longer good a queue tells from good ones. All others it passes over in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// All of them.
    All,
    /// Those of a retry or an extension, not those of an acknowledgement.
    Changes,
    /// None.
    Nothing,
}

/// Reason of every rejection here. Its last characters are odd ones that each queue takes.
pub const REASON: &str = "no use for it: \"\u{e9}\u{2028}\" & <more>";

/// Visibility that a test lets run out. Before that it does some steps, over servers that do much else meanwhile.
const SHORT: Duration = Duration::from_secs(10);
/// Longer than `SHORT`, by more than servers round.
const LATER: Duration = Duration::from_secs(13);
const LONG: Duration = Duration::from_secs(60);
/// Longest wait for an event that is there, or comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// A wait that no test lives to see the end of.
const FOREVER: Duration = Duration::from_secs(86_400);
/// Time in which a receive gets to where it waits.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Largest envelope that is tried, where a queue takes one.
const LARGE: u64 = 10 * 1024 * 1024;

impl Subject<'_> {
    async fn send(&self, id: &str) -> Vec<u8> {
        let message = message(id, format!("{{\"of\":{id:?}}}").as_bytes());
        self.queue.send(&message).await.expect("taken");
        message.body.to_vec()
    }

    async fn one(&self, visibility: Duration) -> ReceivedEvent {
        let events = self.source.receive(1, visibility, PATIENCE).await;
        let mut events = events.expect("read");
        assert_eq!(events.len(), 1, "an event is there");
        events.remove(0)
    }

    /// So many events, which are there.
    async fn all(&self, count: usize) -> Vec<ReceivedEvent> {
        let mut all = Vec::new();
        while all.len() < count {
            let some = self.source.receive(count - all.len(), LONG, PATIENCE).await;
            let some = some.expect("read");
            assert!(!some.is_empty(), "{} of {count} are there", all.len());
            all.extend(some);
        }
        all
    }

    async fn none(&self) {
        let events = self.source.receive(10, LONG, Duration::ZERO).await;
        let events = events.expect("read");
        assert!(events.is_empty(), "nothing is there: {events:?}");
    }

    async fn ack(&self, receipts: &[&str]) -> Vec<Settled> {
        self.source.ack(receipts).await.expect("answered")
    }

    /// The answer to an acknowledgement by a receipt that is no longer good.
    fn late(&self) -> Settled {
        match self.tells {
            Tells::All => Settled::Stale,
            Tells::Changes | Tells::Nothing => Settled::Done,
        }
    }

    /// Nothing can be changed by this receipt any more, and where the queue can, it says so.
    async fn is_stale(&self, receipt: &str) {
        if self.tells == Tells::Nothing {
            return;
        }
        let extended = self.source.extend(receipt, LONG).await;
        assert_eq!(extended.expect("answered"), Extended::Stale);
        let back = self.source.retry(&[receipt], Duration::ZERO).await;
        assert_eq!(back.expect("answered"), [Settled::Stale]);
    }
}

/// An event is received once within its visibility, and again after it, with another receipt and a higher count. The
/// envelope is the same, byte for byte.
pub async fn an_event_comes_back_when_its_visibility_ran_out(subject: Subject<'_>) {
    let sent = subject.send("again").await;
    let first = subject.one(SHORT).await;
    assert!(first.envelope == sent, "the envelope is what was sent");
    subject.none().await;
    (subject.pass)(LATER).await;
    let second = subject.one(LONG).await;
    assert!(second.envelope == sent, "the envelope is what was sent");
    assert_ne!(first.receipt, second.receipt);
    if let (Some(once), Some(twice)) = (first.receive_count, second.receive_count) {
        assert_eq!((once, twice), (1, 2));
    }
    subject.is_stale(&first.receipt).await;
    // Somebody else has it.
    let late = subject.ack(&[&first.receipt]).await;
    assert_eq!(late, [subject.late()]);
    assert_eq!(subject.ack(&[&second.receipt]).await, [Settled::Done]);
}

/// Acknowledged events are done with; the answers are in the receipts' order.
pub async fn an_acknowledged_event_is_done_with(subject: Subject<'_>) {
    subject.send("one").await;
    let first = subject.one(SHORT).await;
    assert_eq!(subject.ack(&[&first.receipt]).await, [Settled::Done]);
    subject.send("two").await;
    let second = subject.one(SHORT).await;
    let both = subject.ack(&[&first.receipt, &second.receipt]).await;
    assert_eq!(both, [subject.late(), Settled::Done]);
    (subject.pass)(LATER).await;
    subject.none().await;
    subject.is_stale(&second.receipt).await;
    // A receipt that another queue handed out, or nobody, is none here.
    let foreign = subject.source.ack(&["no receipt"]).await;
    assert_eq!(foreign.expect("answered"), [Settled::Stale]);
}

/// An event that is given back comes again, and not before its time.
pub async fn an_event_that_was_given_back_comes_when_its_time_has_come(subject: Subject<'_>) {
    subject.send("back").await;
    let event = subject.one(LONG).await;
    let receipts = [event.receipt.as_str()];
    let back = subject.source.retry(&receipts, SHORT).await;
    assert_eq!(back.expect("answered"), [Settled::Done]);
    subject.none().await;
    (subject.pass)(LATER).await;
    let again = subject.one(LONG).await;
    let receipts = [again.receipt.as_str()];
    let back = subject.source.retry(&receipts, Duration::ZERO).await;
    assert_eq!(back.expect("answered"), [Settled::Done]);
    let last = subject.one(LONG).await;
    assert_eq!(subject.ack(&[&last.receipt]).await, [Settled::Done]);
}

/// An event that is kept for longer comes to nobody else, and the receipt that was given for it is good.
pub async fn an_event_that_is_extended_is_kept(subject: Subject<'_>) {
    subject.send("kept").await;
    let mut receipt = subject.one(SHORT).await.receipt;
    // Twice, since the second goes by the receipt that the first one gave.
    for _ in 0..2 {
        let extended = subject.source.extend(&receipt, LONG).await;
        let Extended::Until(next) = extended.expect("answered") else {
            panic!("a fresh receipt is good");
        };
        receipt = next;
    }
    (subject.pass)(LATER).await;
    subject.none().await;
    assert_eq!(subject.ack(&[&receipt]).await, [Settled::Done]);
    subject.is_stale(&receipt).await;
}

/// An event that is rejected, for [`REASON`], is done with here; gives it, so that the caller can look for it among the dead
/// letters.
pub async fn a_rejected_event_is_done_with(subject: Subject<'_>) -> ReceivedEvent {
    let sent = subject.send("poison").await;
    let mut event = subject.one(SHORT).await;
    let rejected = subject.source.reject(&mut event, REASON).await;
    assert_eq!(rejected.expect("answered"), Settled::Done);
    let again = subject.ack(&[&event.receipt]).await;
    assert_eq!(again, [subject.late()]);
    (subject.pass)(LATER).await;
    subject.none().await;
    assert!(event.envelope == sent, "the envelope is what was sent");
    event
}

/// An event whose receipt is no longer good becomes no dead letter, as far as the queue tells. The caller looks that
/// there is none.
pub async fn an_event_that_others_may_have_is_not_rejected(subject: Subject<'_>) {
    subject.send("slow").await;
    let mut first = subject.one(SHORT).await;
    (subject.pass)(LATER).await;
    let second = subject.one(LONG).await;
    let rejected = subject.source.reject(&mut first, REASON).await;
    assert_eq!(rejected.expect("answered"), Settled::Stale);
    assert_eq!(subject.ack(&[&second.receipt]).await, [Settled::Done]);
}

/// An event that could not be made a dead letter is there still, and its receipt settles it. The source has a place for
/// dead letters that does not take any. Gives the error.
pub async fn a_failed_rejection_leaves_the_event(subject: Subject<'_>) -> EventSourceError {
    let sent = subject.send("stays").await;
    let mut event = subject.one(LONG).await;
    let rejected = subject.source.reject(&mut event, REASON).await;
    let error = rejected.expect_err("no dead letter");
    let back = subject
        .source
        .retry(&[&event.receipt], Duration::ZERO)
        .await;
    assert_eq!(back.expect("answered"), [Settled::Done]);
    // It comes at once, and not when the time is over for which it was hidden meanwhile.
    let mut again = subject.one(SHORT).await;
    assert!(again.envelope == sent, "the envelope is what was sent");
    let rejected = subject.source.reject(&mut again, REASON).await;
    rejected.expect_err("no dead letter");
    assert_eq!(subject.ack(&[&again.receipt]).await, [Settled::Done]);
    (subject.pass)(LATER).await;
    subject.none().await;
    error
}

/// More receipts than one request takes, with a stranger and one that is no longer good among them: each is settled, and
/// each has its own answer.
pub async fn a_long_batch_is_settled_receipt_by_receipt(subject: Subject<'_>, events: usize) {
    let ids: Vec<_> = (0..events).map(|n| format!("batch {n}")).collect();
    join_all(ids.iter().map(|id| subject.send(id))).await;
    let mut held = subject.all(events).await;
    let used = held.remove(events / 2).receipt;
    assert_eq!(subject.ack(&[&used]).await, [Settled::Done]);
    let back = match subject.tells {
        Tells::All | Tells::Changes => Settled::Stale,
        Tells::Nothing => Settled::Done,
    };
    let (receipts, expected) = among(&held, &used, back);
    let settled = subject.source.retry(&receipts, Duration::ZERO).await;
    assert_eq!(settled.expect("answered"), expected);
    let held = subject.all(events - 1).await;
    let (receipts, expected) = among(&held, &used, subject.late());
    assert_eq!(subject.ack(&receipts).await, expected);
    assert!(subject.ack(&[]).await.is_empty());
    subject.none().await;
}

/// The events' receipts, with a stranger's and one that is `used` among them, and the outcomes that are expected.
fn among<'a>(
    held: &'a [ReceivedEvent],
    used: &'a str,
    of_used: Settled,
) -> (Vec<&'a str>, Vec<Settled>) {
    let mut receipts: Vec<_> = held.iter().map(|event| event.receipt.as_str()).collect();
    let mut expected = vec![Settled::Done; held.len()];
    let middle = held.len() / 2;
    for (receipt, outcome) in [("no receipt", Settled::Stale), (used, of_used)] {
        receipts.insert(middle, receipt);
        expected.insert(middle, outcome);
    }
    (receipts, expected)
}

/// A receive that waits returns when an event comes. Never, if it is red.
pub async fn a_wait_ends_with_an_event(subject: Subject<'_>) {
    let waiting = subject.source.receive(1, LONG, FOREVER);
    let sending = async {
        (subject.pass)(UNDER_WAY).await;
        subject.send("late").await
    };
    let (events, sent) = join(waiting, sending).await;
    let events = events.expect("read");
    assert_eq!(events.len(), 1);
    assert!(events[0].envelope == sent);
    assert_eq!(subject.ack(&[&events[0].receipt]).await, [Settled::Done]);
}

/// Envelopes that have broken queues, one of 10 MiB where the queue takes one, come out byte for byte.
pub async fn odd_and_large_envelopes_come_as_they_were_sent(subject: Subject<'_>) {
    let limits = subject.queue.limits();
    let mut sent = vec![
        message(
            "separators",
            "\"\u{85}\u{2028}\u{2029}\u{7f}\u{e9}\u{fffd}\"".as_bytes(),
        ),
        message("escapes", br#""\u0000\ud83d\uFFFF \/ & <a> ]]>""#),
        message("spaces", b"{ \"a\" :\t1e400 , \"a\":-0 }"),
        in_base64("zeros", b"\0\x01\xff\xfe\0"),
    ];
    if !limits.single_line {
        sent.push(message("lines", b"{\r\n\t\"a\":\n1}"));
    }
    sent.push(of_length(
        subject.queue,
        "large",
        limits.max_message_bytes.min(LARGE),
    ));
    for message in &sent {
        subject.queue.send(message).await.expect("taken");
    }
    let mut expected: Vec<_> = sent.iter().map(|message| message.body.clone()).collect();
    while !expected.is_empty() {
        let event = subject.one(LONG).await;
        let found = expected.iter().position(|body| *body == event.envelope);
        let bytes = event.envelope.len();
        expected.remove(found.unwrap_or_else(|| panic!("{bytes} bytes are none of those sent")));
        assert_eq!(subject.ack(&[&event.receipt]).await, [Settled::Done]);
    }
    subject.none().await;
}

/// Consumers that receive at the same time never have the same event, and between them have all.
pub async fn an_event_that_is_held_is_nobody_elses(subject: Subject<'_>, other: &dyn EventSource) {
    const EVENTS: usize = 40;
    let ids: Vec<_> = (0..EVENTS).map(|n| format!("shared {n}")).collect();
    join_all(ids.iter().map(|id| subject.send(id))).await;
    let mut seen = BTreeSet::new();
    while seen.len() < EVENTS {
        let receives = [subject.source, other, subject.source, other];
        let receives = receives.map(|source| source.receive(3, LONG, UNDER_WAY * 3));
        for events in join_all(receives).await {
            let events = events.expect("read");
            for event in &events {
                assert!(
                    seen.insert(event.envelope.clone()),
                    "{event:?} was received by two"
                );
            }
            let receipts: Vec<_> = events.iter().map(|event| event.receipt.as_str()).collect();
            let settled = subject.ack(&receipts).await;
            assert!(settled.iter().all(|settled| *settled == Settled::Done));
        }
    }
    subject.none().await;
}

/// An event that is received `max_receives` times, and never acknowledged, is handed out no more. The caller looks for it
/// among the dead letters.
pub async fn an_event_that_is_received_too_often_is_handed_out_no_more(
    subject: Subject<'_>,
    max_receives: u32,
) {
    subject.send("too often").await;
    for time in 1..=max_receives {
        let event = subject.one(LONG).await;
        assert_eq!(event.receive_count, Some(time));
        let back = subject
            .source
            .retry(&[&event.receipt], Duration::ZERO)
            .await;
        assert_eq!(back.expect("answered"), [Settled::Done]);
    }
    subject.none().await;
    // It blocks nothing.
    subject.send("sound").await;
    let event = subject.one(LONG).await;
    assert_eq!(event.receive_count, Some(1));
    assert_eq!(subject.ack(&[&event.receipt]).await, [Settled::Done]);
}

/// A message whose data is in base64, as bytes are that are no JSON.
fn in_base64(id: &str, data: &[u8]) -> OutboundMessage {
    let kind: EventType = "com.labelbox.label.unrecognized".parse().expect("a type");
    let digest = Digest::of(data);
    let attributes = Attributes::new(
        id,
        "/labelbox",
        &kind,
        &digest,
        "2026-11-21T09:47:10.371842Z",
    );
    let envelope = labelrelay_event::encode(&attributes, DataEncoding::Base64, data.len(), [data]);
    OutboundMessage::new(attributes, envelope)
}
