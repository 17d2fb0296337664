//! Conformance suite of durable queues, as plain functions: a new back end gets its tests for a few lines.
//!
//! Each function takes the queue and a [`Reader`] of the same queue, which is empty and nobody else's.
//! A back end leaves out the functions of what it cannot do (repeats, dead letters, a clock of its own).

use crate::clock::FakeClock;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use labelrelay_core::{
    BoxFuture, EventQueue, OutboundMessage, QueueError, QueueErrorKind, Receipt,
};
use labelrelay_event::{Attributes, Digest, EventType};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A message as a consumer of the queue gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message's body, decoded if the queue encodes it.
    pub body: Vec<u8>,
    /// Number of times that it was received, this time included.
    pub receive_count: u32,
    /// Token that acknowledges it.
    pub receipt: String,
}

/// The consumer's side of a queue.
pub trait Reader {
    /// Takes up to `max` messages for as long as `visibility`; none when there is none.
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>>;

    /// Acknowledges; `false` when the receipt is no longer good.
    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool>;
}

const LONG: Duration = Duration::from_secs(3600);

/// Sends that are under way at one time. More connections than a small emulator accepts in ten seconds end as
/// failures, which is a fault of the machine and none of the queue.
const AT_ONCE: usize = 64;

/// A message whose id and envelope are of `id` and `data`, which must be one JSON value.
pub fn message(id: &str, data: &[u8]) -> OutboundMessage {
    let kind: EventType = "com.labelbox.label.created".parse().expect("a type");
    let mut attributes = Attributes::new(
        id,
        "/labelbox",
        &kind,
        &Digest::of(data),
        "2026-11-21T09:47:10.371842Z",
    );
    attributes.subject = Some(format!("label/{}", id.len()));
    let envelope = labelrelay_event::encode(
        &attributes,
        labelrelay_event::DataEncoding::Json,
        data.len(),
        [data],
    );
    OutboundMessage::new(attributes, envelope)
}

/// Sends all, [`AT_ONCE`] at a time; the answers are in the order of the messages.
async fn send_at_once(
    queue: &dyn EventQueue,
    messages: &[OutboundMessage],
) -> Vec<Result<Receipt, QueueError>> {
    let sends: Vec<_> = messages.iter().map(|message| queue.send(message)).collect();
    futures_util::stream::iter(sends)
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// Takes and acknowledges everything.
pub async fn drain(reader: &dyn Reader) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        let some = reader.receive(100, LONG).await;
        if some.is_empty() {
            return all;
        }
        for received in &some {
            assert!(
                reader.acknowledge(&received.receipt).await,
                "a fresh receipt is good"
            );
        }
        all.extend(some);
    }
}

/// Bodies that have broken queues: what comes back is what went in, byte for byte.
pub async fn bytes_come_back_as_they_went_in(queue: &dyn EventQueue, reader: &dyn Reader) {
    let limits = queue.limits();
    let mut bodies: Vec<Vec<u8>> = vec![
        b"{}".to_vec(),
        b"null".to_vec(),
        br#"{"a":1,"a":2, "b" : 9007199254740993.10 }"#.to_vec(),
        br#""\u0000 \ud83d \uFFFF \/""#.to_vec(),
        "\"\u{e9}\u{4f60}\u{1f600}\u{2028}\u{7f}\""
            .as_bytes()
            .to_vec(),
        [b"[".repeat(200), b"]".repeat(200)].concat(),
    ];
    if !limits.xml_characters_only {
        bodies.push("\"\u{ffff}\u{fffe}\"".as_bytes().to_vec());
    }
    if !limits.single_line {
        bodies.push(b"{\r\n\t\"a\":\n1}".to_vec());
    }
    for bytes in [100_000, 5 * 1024 * 1024] {
        if limits.max_message_bytes > bytes + 2048 {
            bodies.push(string_of(usize::try_from(bytes).expect("fits")));
        }
    }
    let sent: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| message(&format!("odd {n}"), body))
        .collect();
    for message in &sent {
        let receipt = queue.send(message).await.expect("taken");
        assert!(!receipt.repeat);
    }
    let mut expected: Vec<Vec<u8>> = sent.iter().map(|message| message.body.to_vec()).collect();
    let mut got: Vec<Vec<u8>> = drain(reader)
        .await
        .into_iter()
        .map(|received| received.body)
        .collect();
    expected.sort();
    got.sort();
    assert!(
        got == expected,
        "{} of {} bodies came back as they went in",
        got.iter().filter(|b| expected.contains(b)).count(),
        expected.len()
    );
}

/// The declared limit is true: a message of exactly that size is taken, one byte more is refused as too
/// large, and refusing it breaks nothing.
pub async fn the_limit_is_where_it_says(queue: &dyn EventQueue, reader: &dyn Reader) {
    let limit = queue.limits().max_message_bytes;
    let fits = of_length(queue, "fits", limit);
    let over = of_length(queue, "over", limit + 1);
    queue
        .send(&fits)
        .await
        .expect("a message of the limit's size is taken");
    let error = queue
        .send(&over)
        .await
        .expect_err("one byte more is refused");
    assert_eq!(error.kind, QueueErrorKind::TooLarge);
    assert!(!error.retryable, "the same message will never fit");
    let got = drain(reader).await;
    assert_eq!(got.len(), 1);
    assert!(got[0].body == fits.body, "came back as it went in");
}

/// One id sent again is one message, however the copies overlap; each copy's answer is a success, and
/// exactly one of them is not a repeat.
pub async fn repeats_are_one_message(queue: &dyn EventQueue, reader: &dyn Reader) {
    let one = message("one", br#"{"n":1}"#);
    let copies: Vec<_> = std::iter::repeat_n(one.clone(), 200).collect();
    let answers = send_at_once(queue, &copies).await;
    let first = answers
        .iter()
        .filter(|answer| !answer.as_ref().expect("each copy is a success").repeat)
        .count();
    assert_eq!(first, 1, "one copy of 200 is the first");
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|answer| answer.as_ref().expect("a success").message_id.clone())
        .collect();
    assert_eq!(ids.len(), 1, "all copies name the message that was kept");
    assert!(
        queue.send(&one).await.expect("a success").repeat,
        "a later copy is a repeat"
    );
    assert_eq!(drain(reader).await.len(), 1);
    assert!(
        queue.send(&one).await.expect("a success").repeat,
        "it stays one when the message was consumed"
    );
    assert_eq!(drain(reader).await.len(), 0);
}

/// Different ids are different messages, however equal the rest is.
pub async fn distinct_ids_are_never_merged(queue: &dyn EventQueue, reader: &dyn Reader) {
    let messages: Vec<_> = (0..1500)
        .map(|n| {
            let mut message = message("placeholder", b"{}");
            Arc::make_mut(&mut message.attributes).id = format!("{n:064x}");
            message
        })
        .collect();
    let answers = send_at_once(queue, &messages).await;
    assert!(
        answers
            .iter()
            .all(|answer| !answer.as_ref().expect("taken").repeat)
    );
    assert_eq!(drain(reader).await.len(), messages.len());
}

/// A, B, A: the last has the bytes of the first and another id, and all three arrive.
pub async fn a_b_a_is_three_messages(queue: &dyn EventQueue, reader: &dyn Reader) {
    let sent = [("first", "A"), ("second", "B"), ("third", "A")];
    for (id, data) in sent {
        let message = message(&format!("a b a, {id}"), format!("{data:?}").as_bytes());
        let receipt = queue.send(&message).await.expect("taken");
        assert!(!receipt.repeat, "{id}");
    }
    let received = drain(reader).await;
    let mut got: Vec<_> = received
        .iter()
        .map(|received| data(&received.body))
        .collect();
    got.sort();
    assert_eq!(got, [r#""A""#, r#""A""#, r#""B""#]);
}

/// Messages that were sent one after the other are received in that order.
pub async fn order_is_kept(queue: &dyn EventQueue, reader: &dyn Reader) {
    for n in 0..300 {
        queue
            .send(&message(&format!("in order {n}"), n.to_string().as_bytes()))
            .await
            .expect("taken");
    }
    let got: Vec<_> = drain(reader)
        .await
        .into_iter()
        .map(|received| data(&received.body))
        .collect();
    let expected: Vec<_> = (0..300).map(|n| n.to_string()).collect();
    assert_eq!(got, expected);
}

/// Many senders at once lose nothing, and nothing is there twice.
pub async fn concurrent_sends_all_arrive_once(queue: &dyn EventQueue, reader: &dyn Reader) {
    let messages: Vec<_> = (0..500)
        .map(|n| message(&format!("at once {n}"), n.to_string().as_bytes()))
        .collect();
    for answer in send_at_once(queue, &messages).await {
        answer.expect("taken");
    }
    let mut times = BTreeMap::new();
    for received in drain(reader).await {
        *times.entry(data(&received.body)).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 500);
    assert!(times.values().all(|times| *times == 1));
}

/// A received message is nobody else's until its visibility runs out; then it is received again, the old
/// receipt is no longer good, and an acknowledged one never comes back.
pub async fn visibility_is_a_lease(queue: &dyn EventQueue, reader: &dyn Reader, clock: &FakeClock) {
    const LEASE: Duration = Duration::from_secs(30);
    for n in 0..3 {
        queue
            .send(&message(&format!("lease {n}"), n.to_string().as_bytes()))
            .await
            .expect("taken");
    }
    let first = reader.receive(2, LEASE).await;
    assert_eq!(
        first
            .iter()
            .map(|received| data(&received.body))
            .collect::<Vec<_>>(),
        ["0", "1"]
    );
    assert!(first.iter().all(|received| received.receive_count == 1));
    let rest = reader.receive(10, LEASE).await;
    assert_eq!(
        rest.iter()
            .map(|received| data(&received.body))
            .collect::<Vec<_>>(),
        ["2"],
        "what is in flight is hidden"
    );
    assert!(reader.acknowledge(&first[0].receipt).await);
    assert!(
        !reader.acknowledge(&first[0].receipt).await,
        "a receipt is good once"
    );

    clock.advance(Duration::from_millis(29_999));
    assert!(
        reader.receive(10, LEASE).await.is_empty(),
        "a millisecond before its end the lease holds"
    );
    clock.advance(Duration::from_millis(1));
    let again = reader.receive(10, LEASE).await;
    assert_eq!(
        again
            .iter()
            .map(|received| data(&received.body))
            .collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert!(again.iter().all(|received| received.receive_count == 2));
    assert!(
        !reader.acknowledge(&first[1].receipt).await,
        "somebody else has it now"
    );
    assert!(reader.acknowledge(&again[0].receipt).await);

    clock.advance(LEASE);
    let late = &again[1].receipt;
    assert!(
        reader.acknowledge(late).await,
        "a late receipt is good as long as nobody received the message again"
    );
    assert!(reader.receive(10, LEASE).await.is_empty());
}

/// Several receivers at once never get the same message.
pub async fn receivers_share_nothing(queue: &dyn EventQueue, readers: &[&dyn Reader]) {
    let messages: Vec<_> = (0..200)
        .map(|n| message(&format!("shared {n}"), n.to_string().as_bytes()))
        .collect();
    for answer in send_at_once(queue, &messages).await {
        answer.expect("taken");
    }
    let mut seen = BTreeSet::new();
    loop {
        let mut any = false;
        for received in join_all(readers.iter().map(|reader| reader.receive(7, LONG)))
            .await
            .into_iter()
            .flatten()
        {
            any = true;
            assert!(seen.insert(data(&received.body)), "received by two");
        }
        if !any {
            break;
        }
    }
    assert_eq!(seen.len(), 200);
}

/// A message that is received `max_receives` times and never acknowledged is not received again.
pub async fn unacknowledged_messages_end_as_dead_letters(
    queue: &dyn EventQueue,
    reader: &dyn Reader,
    clock: &FakeClock,
    max_receives: u32,
) {
    const LEASE: Duration = Duration::from_secs(30);
    queue.send(&message("poison", b"1")).await.expect("taken");
    for time in 1..=max_receives {
        let got = reader.receive(10, LEASE).await;
        assert_eq!(
            got.iter()
                .map(|received| received.receive_count)
                .collect::<Vec<_>>(),
            [time]
        );
        clock.advance(LEASE);
    }
    assert!(
        reader.receive(10, LEASE).await.is_empty(),
        "it is a dead letter now"
    );
    queue.send(&message("sound", b"2")).await.expect("taken");
    assert_eq!(
        reader.receive(10, LEASE).await.len(),
        1,
        "and blocks nothing"
    );
}

/// A JSON string of `bytes` bytes, quotes included, that does not repeat in short periods.
fn string_of(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut text = vec![b'"'];
    while text.len() < bytes - 1 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push(b'a' + u8::try_from((state >> 24) % 26).expect("below 26"));
    }
    text.push(b'"');
    text
}

/// A message of which the queue counts `bytes`.
pub(crate) fn of_length(queue: &dyn EventQueue, id: &str, bytes: u64) -> OutboundMessage {
    let of = |data: u64| message(id, &string_of(usize::try_from(data).expect("fits")));
    let rest = 2 + bytes - queue.message_bytes(&of(2));
    let made = of(rest);
    // Lengths may be counted too; then longer data costs more than its own bytes.
    let made = of(rest - (queue.message_bytes(&made) - bytes));
    assert_eq!(queue.message_bytes(&made), bytes);
    made
}

/// The envelope's data.
fn data(envelope: &[u8]) -> String {
    let envelope = labelrelay_event::Envelope::decode(envelope).expect("an envelope");
    let bytes = envelope.data.bytes().expect("decodes").expect("data");
    String::from_utf8(Bytes::copy_from_slice(&bytes).to_vec()).expect("text")
}
