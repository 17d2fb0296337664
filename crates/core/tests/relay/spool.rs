//! Bodies that are too large for the memory, in a real spool.

use crate::test_bench::{Bench, PREVIOUS, SECRET};
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::future::join;
use futures_util::{Stream, StreamExt as _, stream};
use labelrelay_core::fallback::redrive;
use labelrelay_core::relay::{BodyError, Intake};
use labelrelay_core::{BlobStore, Clock as _, Outcome, QueueErrorKind, QueueLimits, Spool};
use labelrelay_event::{Data, Envelope};
use labelrelay_files::FileSpool;
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::in_memory::Fault;
use labelrelay_testkit::request::TestRequest;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tempfile::TempDir;

const THRESHOLD: usize = 64 * 1024;
const QUOTA: u64 = 10 << 20;

/// A relay with a spool, whose queue takes messages of up to `max_message_bytes`.
struct Spooling {
    dir: TempDir,
    bench: Bench,
}

fn settings(more: &str) -> String {
    format!(
        "{more}\n[spool]\nthreshold_bytes = {THRESHOLD}\nidle_timeout_ms = 2000\nmin_bytes_per_s = 1000\n[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\n"
    )
}

impl Spooling {
    fn new(max_message_bytes: u64, blobs: bool, fallback: bool, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool: Arc<dyn Spool> = Arc::new(FileSpool::open(dir.path(), QUOTA).unwrap());
        let limits = QueueLimits::bytes(max_message_bytes);
        let bench = Bench::build(&settings(more), limits, blobs, fallback, Some(spool));
        Self { dir, bench }
    }

    /// No file in the spool's directory has a name.
    fn is_empty(&self) -> bool {
        std::fs::read_dir(self.dir.path()).unwrap().next().is_none()
    }

    fn deliver(&self, body: &[u8]) -> Outcome {
        let outcome = self.bench.deliver(&request(body)).outcome;
        assert!(self.is_empty());
        outcome
    }

    fn spooled(&self) -> bool {
        self.bench.seen.reports().last().unwrap().spooled
    }
}

fn request(body: &[u8]) -> TestRequest {
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body)
}

/// JSON of so many bytes.
fn json(bytes: usize) -> Vec<u8> {
    let (start, end) = (r#"{"id":"l1","label":""#, r#""}"#);
    let filling = "é".repeat((bytes - start.len() - end.len()) / 2);
    let odd = if (bytes - start.len() - end.len()) % 2 == 1 {
        "x"
    } else {
        ""
    };
    format!("{start}{filling}{odd}{end}").into_bytes()
}

#[test]
fn a_body_over_the_threshold_is_spooled_and_claimed_byte_for_byte() {
    let spooling = Spooling::new(1000, true, false, "");
    for (bytes, spooled) in [
        (THRESHOLD - 1, false),
        (THRESHOLD, false),
        (THRESHOLD + 1, true),
        (3_000_001, true),
    ] {
        let body = json(bytes);
        assert_eq!(spooling.deliver(&body), Outcome::Accepted);
        assert_eq!(spooling.spooled(), spooled, "{bytes}");
        let message = spooling.bench.queue.messages().pop().unwrap();
        let envelope = Envelope::decode(&message.body).unwrap();
        assert_eq!(envelope.data, Data::Reference);
        assert_eq!(envelope.attributes.subject.as_deref(), Some("label/l1"));
        let uri = envelope.attributes.dataref.unwrap();
        let key = uri.strip_prefix("memory:").unwrap();
        assert!(spooling.bench.blobs.get(key).unwrap() == body);
    }
}

#[test]
fn a_forged_one_leaves_nothing() {
    let spooling = Spooling::new(1000, true, true, "");
    let mut forged = request(&json(1_000_000));
    forged.body[500_000] ^= 1;
    for request in [
        &forged,
        &request(&json(1_000_000)).without("x-hub-signature"),
    ] {
        assert_eq!(
            spooling.bench.deliver(request).outcome,
            Outcome::Unauthorized
        );
    }
    assert!(spooling.is_empty() && spooling.bench.queue.messages().is_empty());
    assert!(spooling.bench.fallback.envelopes().is_empty());
    assert!(spooling.bench.fallback.bodies().is_empty());
    assert!(spooling.bench.blobs.is_empty());
}

#[test]
fn a_body_that_fits_the_queue_is_read_back_and_embedded() {
    for (body, form) in [
        (json(200_000), "json"),
        (vec![0xff; 200_000], "base64"),
        (
            [vec![b'['; 100_000], vec![b']'; 100_000]].concat(),
            "base64",
        ),
        ([&b" "[..], &json(199_999)].concat(), "base64"),
    ] {
        let spooling = Spooling::new(1 << 20, true, false, "");
        assert_eq!(spooling.deliver(&body), Outcome::Accepted);
        assert!(spooling.spooled());
        let message = spooling.bench.queue.messages().pop().unwrap();
        let envelope = Envelope::decode(&message.body).unwrap();
        match envelope.data {
            Data::Json(_) => assert_eq!(form, "json"),
            Data::Base64(_) => assert_eq!(form, "base64"),
            Data::Reference => panic!("claimed"),
        }
        assert!(*envelope.data.bytes().unwrap().unwrap() == body);
        assert!(envelope.matches_digest(&body));
    }
}

#[test]
fn without_a_blob_store_the_memory_bounds_what_is_read_back() {
    let bounds = "max_body_bytes = 8000000\nmax_bytes_in_flight = 19800000";
    let spooling = Spooling::new(1 << 30, false, false, bounds);
    let spooled = spooling.bench.deliver_half(&request(&json(2_000_000)));
    // A body that waits in the spool holds a mebibyte; one that is read back all that it has, and its envelope.
    assert_eq!(spooling.deliver(&json(6_000_000)), Outcome::Accepted);
    let small = spooling.bench.deliver_half(&request(&json(400_000)));
    assert_eq!(spooling.deliver(&json(7_600_000)), Outcome::Overloaded);
    assert!(
        spooling.bench.reason().contains("max_bytes_in_flight"),
        "{}",
        spooling.bench.reason()
    );
    drop((spooled, small));
    assert_eq!(spooling.deliver(&json(7_600_000)), Outcome::Accepted);
}

#[test]
fn the_quota_is_for_all_together() {
    let spooling = Spooling::new(1000, true, false, "");
    assert_eq!(spooling.deliver(&json(10_485_761)), Outcome::Unavailable);
    let reason = spooling.bench.reason();
    let dir = spooling.dir.path().to_str().unwrap().to_owned();
    assert!(
        reason.contains("spool.max_bytes") && reason.contains(&dir),
        "{reason}"
    );
    let first = spooling.bench.deliver_half(&request(&json(6_000_000)));
    assert_eq!(spooling.deliver(&json(5_000_000)), Outcome::Unavailable);
    drop(first);
    assert_eq!(spooling.deliver(&json(10_485_760)), Outcome::Accepted);
    assert!(spooling.bench.queue.messages().len() == 1);
}

#[test]
fn a_blob_store_that_is_down_hurts_only_what_the_queue_does_not_take() {
    let spooling = Spooling::new(20_000_000, true, false, "max_body_bytes = 30000000");
    spooling.bench.blobs.refuse();
    let body = json(9_000_000);
    assert_eq!(spooling.deliver(&body), Outcome::Accepted);
    let message = spooling.bench.queue.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    assert!(envelope.data == Data::Json(&body));
}

/// Red if such a queue gets references to bodies that it could take whole, or if a body for which there is no memory is
/// refused.
#[test]
fn a_queue_that_stores_large_messages_itself_gets_them_whole_while_there_is_memory() {
    let bounds = "max_body_bytes = 30000000\nmax_bytes_in_flight = 23000000";
    let spooling = Spooling::new(1 << 30, true, false, bounds);
    spooling.bench.queue.offload_above(100_000);
    let body = json(9_000_000);
    assert_eq!(spooling.deliver(&body), Outcome::Accepted);
    let message = spooling.bench.queue.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    assert!(envelope.data == Data::Json(&body));
    assert!(spooling.bench.blobs.is_empty());
    assert!(spooling.bench.seen.reports().pop().unwrap().claimed);

    let body = json(10_000_000);
    assert_eq!(spooling.deliver(&body), Outcome::Accepted);
    let message = spooling.bench.queue.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    assert_eq!(envelope.data, Data::Reference);
}

/// Delivered while the blob store is down: the body is beside its envelope.
fn fallen(spooling: &Spooling, body: &[u8]) -> String {
    spooling.bench.blobs.refuse();
    assert_eq!(spooling.deliver(body), Outcome::Accepted);
    let report = spooling.bench.seen.reports().pop().unwrap();
    assert!(report.fell_back && report.spooled && !report.claimed);
    assert!(spooling.is_empty() && spooling.bench.queue.messages().is_empty());
    spooling.bench.blobs.mend();
    let mut bodies = spooling.bench.fallback.bodies();
    let (name, kept) = bodies.pop().unwrap();
    assert!(kept == body && bodies.is_empty());
    name
}

fn moved(spooling: &Spooling, blobs: Option<&dyn BlobStore>) -> (u64, Vec<(String, String)>) {
    let Bench {
        fallback,
        queue,
        clock,
        ..
    } = &spooling.bench;
    let until = clock.monotonic() + Duration::from_secs(60);
    let done = block_on(redrive(&**fallback, &**queue, blobs, clock, until)).unwrap();
    (done.moved, done.stuck)
}

#[test]
fn with_the_blob_store_down_the_body_waits_beside_its_envelope_and_comes_back() {
    let spooling = Spooling::new(1000, true, true, "");
    let body = json(2_000_000);
    fallen(&spooling, &body);
    let (none, stuck) = moved(&spooling, None);
    assert!(none == 0 && stuck[0].1.contains("blob_store"), "{stuck:?}");
    let (one, stuck) = moved(&spooling, Some(&*spooling.bench.blobs));
    assert_eq!((one, stuck), (1, vec![]));
    assert!(spooling.bench.fallback.envelopes().is_empty());
    assert!(spooling.bench.fallback.bodies().is_empty());
    let message = spooling.bench.queue.messages().pop().unwrap();
    let uri = Envelope::decode(&message.body).unwrap().attributes.dataref;
    let uri = uri.unwrap();
    let key = uri.strip_prefix("memory:").unwrap();
    assert!(spooling.bench.blobs.get(key).unwrap() == body);
}

#[test]
fn without_a_blob_store_it_comes_back_into_its_envelope() {
    for (body, form) in [
        (json(2_000_000), "json"),
        (vec![0xff; 100_000], "base64"),
        ([&json(100_000)[..], b"\n"].concat(), "base64"),
    ] {
        let spooling = Spooling::new(20_000_000, false, true, "");
        let too_large = Fault::Error(QueueErrorKind::TooLarge);
        spooling.bench.queue.fail_with(&[too_large]);
        fallen(&spooling, &body);
        assert_eq!(moved(&spooling, None), (1, vec![]));
        assert!(spooling.bench.fallback.envelopes().is_empty());
        assert!(spooling.bench.fallback.bodies().is_empty());
        let message = spooling.bench.queue.messages().pop().unwrap();
        let envelope = Envelope::decode(&message.body).unwrap();
        assert_eq!(envelope.attributes.dataref, None);
        match envelope.data {
            Data::Json(data) => assert!(form == "json" && data == body),
            data => assert!(form == "base64" && data.bytes().unwrap().unwrap() == body),
        }
        let again = spooling.bench.seen.reports().pop().unwrap();
        assert_eq!(message.id(), again.event_id.unwrap());
    }
}

#[test]
fn an_envelope_that_may_have_been_kept_keeps_its_body() {
    let spooling = Spooling::new(20_000_000, false, true, "");
    let bench = &spooling.bench;
    let too_large = Fault::Error(QueueErrorKind::TooLarge);
    bench.queue.fail_with(&[too_large]);
    bench.fallback.lie(true);
    let body = json(200_000);
    let request = request(&body);
    let kept = std::future::poll_fn(|context| {
        if bench.fallback.envelopes().is_empty() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    });
    let (answer, ()) = block_on(join(bench.deliver_async(&request), async {
        kept.await;
        bench.clock.advance(Duration::from_secs(30));
    }));
    assert_eq!(answer.outcome, Outcome::Unavailable);
    bench.fallback.lie(false);
    assert_eq!(moved(&spooling, None), (1, vec![]));
    let message = bench.queue.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    assert!(envelope.data == Data::Json(&body));
    assert!(bench.fallback.bodies().is_empty());
}

#[test]
fn a_body_that_changed_in_the_fallback_stays_there_and_is_named() {
    // Nothing at all is what a disk that filled up leaves.
    for changed in ["something else", ""] {
        for max_message_bytes in [1000, 20_000_000] {
            let spooling = Spooling::new(max_message_bytes, true, true, "");
            let too_large = Fault::Error(QueueErrorKind::TooLarge);
            spooling.bench.queue.fail_with(&[too_large]);
            let name = fallen(&spooling, &json(100_000));
            let changed = changed.as_bytes();
            spooling.bench.fallback.change_body(&name, changed);
            let (none, stuck) = moved(&spooling, Some(&*spooling.bench.blobs));
            assert_eq!(none, 0);
            assert!(stuck[0].1.contains("datasha256"), "{stuck:?}");
            assert!(spooling.bench.queue.messages().is_empty() && spooling.bench.blobs.is_empty());
            assert_eq!(spooling.bench.fallback.bodies().len(), 1);
            assert_eq!(spooling.bench.fallback.envelopes().len(), 1);
        }
    }
}

/// The body is verified again from the spool.
#[test]
fn a_secret_that_changed_while_the_body_arrived_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, PREVIOUS).unwrap();
    let spooled = tempfile::tempdir().unwrap();
    let spool: Arc<dyn Spool> = Arc::new(FileSpool::open(spooled.path(), QUOTA).unwrap());
    let toml = settings("").replace("env:SECRET", &format!("file:{}", secret.display()));
    let limits = QueueLimits::bytes(1000);
    let bench = Bench::build(&toml, limits, true, false, Some(spool));
    let request = request(&json(1_000_000));
    assert_eq!(bench.deliver(&request).outcome, Outcome::Unauthorized);
    bench.clock.advance(Duration::from_secs(61));
    let Intake::Deliver(received) = block_on(
        bench
            .relay
            .receive(request.head(&bench.clock), request.stream(10_000)),
    ) else {
        panic!("not received")
    };
    std::fs::write(&secret, SECRET).unwrap();
    let answer = block_on(bench.relay.complete(received));
    assert_eq!(answer.outcome, Outcome::Accepted);
}

/// The same pieces, each after a pause, which is short until the threshold is passed: the clock moves on
/// when somebody has begun to wait for one.
fn paused(
    clock: &FakeClock,
    pause: Duration,
    pieces: impl Stream<Item = Result<Bytes, BodyError>> + Send + Unpin,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    let (clock, mut pieces, mut polled) = (clock.clone(), pieces, 0);
    stream::poll_fn(move |context| {
        polled += 1;
        if polled % 4 == 0 {
            return pieces.poll_next_unpin(context);
        }
        if polled % 4 == 3 {
            let begun = polled > 4 * 140;
            clock.advance(if begun {
                pause
            } else {
                Duration::from_millis(100)
            });
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn a_sender_that_stalls_or_drips_is_told_408() {
    let spooling = Spooling::new(1000, true, false, "");
    let Spooling { bench, .. } = &spooling;
    let whole = request(&json(200_000));
    // Thirty seconds are allowed, and one more for each thousand bytes; no pause longer than two.
    for (pause, outcome) in [
        (Duration::from_millis(800), Outcome::Accepted),
        (Duration::from_millis(1900), Outcome::Timeout),
        (Duration::from_millis(2100), Outcome::Timeout),
    ] {
        let slow = paused(&bench.clock, pause, whole.stream(500));
        let answer = match block_on(bench.relay.receive(whole.head(&bench.clock), slow)) {
            Intake::Deliver(received) => block_on(bench.relay.complete(received)),
            Intake::Answer(answer) => answer,
        };
        assert_eq!(answer.outcome, outcome, "{pause:?}");
        assert!(spooling.is_empty());
    }
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let spooling = Spooling::new(1000, true, true, "");
    let whole = request(&json(1_000_000));
    let broken = whole
        .stream(10_000)
        .take(80)
        .chain(stream::iter([Err(BodyError::Broken("gone".to_owned()))]));
    let head = whole.head(&spooling.bench.clock);
    let Intake::Answer(answer) = block_on(spooling.bench.relay.receive(head, broken)) else {
        panic!("delivered")
    };
    assert_eq!(answer.outcome, Outcome::Malformed);
    assert!(spooling.is_empty());
    // All of the quota is there again.
    assert_eq!(spooling.deliver(&json(10_485_760)), Outcome::Accepted);
}

#[test]
fn more_deliveries_than_may_be_under_way_are_refused_at_once_and_told_once() {
    let bench = Bench::build(
        &settings("max_in_flight = 2"),
        QueueLimits::bytes(1 << 20),
        false,
        false,
        None,
    );
    let one = request(br#"{"id":"l1"}"#);
    let under_way = (bench.deliver_half(&one), bench.deliver_half(&one));
    for _ in 0..3 {
        let answer = bench.deliver(&one);
        assert_eq!(answer.outcome, Outcome::Overloaded);
        assert!(answer.retry_after.is_some());
    }
    // The body is not even looked at.
    let pending = stream::pending::<Result<Bytes, BodyError>>();
    let intake = block_on(bench.relay.receive(one.head(&bench.clock), pending));
    assert!(matches!(intake, Intake::Answer(answer) if answer.outcome == Outcome::Overloaded));
    assert_eq!(
        bench.seen.overload(),
        ["2 deliveries are under way (max_in_flight)"]
    );
    let report = bench.seen.reports().pop().unwrap();
    assert_eq!(report.source.as_deref(), Some("labelbox"));
    drop(under_way);
    assert_eq!(bench.deliver(&one).outcome, Outcome::Accepted);
    assert_eq!(bench.seen.overload()[1..], ["over, 4 refused"]);
}
