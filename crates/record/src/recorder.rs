//! The observer that records.

use crate::access::SharedRecord;
use crate::class::Class;
use crate::entry::{BodySha, Entry};
use crate::forwarder::Forwarder;
use crate::head::{bounded, push_lines, words};
use crate::inbox::Inbox;
use crate::mover::Mover;
use crate::needed::Needed;
use crate::options::Options;
use crate::room;
use crate::row::{Row, flags};
use crate::shared::Shared;
use crate::writer::Writer;
use labelrelay_core::{Clock, Exchange, Observer, Outcome, QueueError, Report, RequestHead};
use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

thread_local! {
    /// Memory of one thread, used again for each delivery.
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

struct Scratch {
    head: String,
    client: String,
    encoded: Vec<u8>,
}

impl Scratch {
    const fn new() -> Self {
        Self {
            head: String::new(),
            client: String::new(),
            encoded: Vec::new(),
        }
    }
}

/// Records what it observes. Never waits: not for room, and not for a disk.
pub struct Recorder {
    path: PathBuf,
    options: Options,
    clock: Arc<dyn Clock>,
    /// Where deliveries are moved to, if that is not the file at `path`.
    shared: Option<Arc<dyn SharedRecord>>,
    inbox: Arc<Inbox>,
    needed: Needed,
    is_failing: Arc<AtomicBool>,
    /// One writes the journal, the other moves what is in it.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Recorder {
    /// Records into the file at `path`, once it [begins](Self::begin).
    pub fn new(path: PathBuf, options: Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            path,
            options,
            clock,
            shared: None,
            inbox: Arc::default(),
            needed: Needed::default(),
            is_failing: Arc::default(),
            threads: Mutex::default(),
        }
    }

    /// Records into a record that several relays share, once it [begins](Self::begin). Deliveries wait in a journal
    /// beside `path`, which is this relay's alone. The bounds of `options` are those of the whole record.
    pub fn into_shared(
        record: Arc<dyn SharedRecord>,
        path: PathBuf,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut recorder = Self::new(path, options, clock);
        recorder.shared = Some(record);
        recorder
    }

    /// Begins to write, into a file that is made when there is none. Called once, by whoever owns the queue: what comes
    /// before waits. A file that cannot be used is told in the log, and is no error: deliveries are worth more than
    /// their record.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(&self) -> std::io::Result<()> {
        self.begin_threads()
            .inspect_err(|_| self.is_failing.store(true, Ordering::Relaxed))
    }

    fn begin_threads(&self) -> std::io::Result<()> {
        let (needed, is_failing) = (self.needed.clone(), self.is_failing());
        let shared = Arc::new(Shared::telling(needed, is_failing));
        let (path, mut options) = (self.path.clone(), self.options.clone());
        let of_record = options.clone();
        if let Some(bytes) = room::disk_bytes(&path) {
            options = options.within_share_of(bytes);
        }
        let clock = Arc::clone(&self.clock);
        let inbox = Arc::clone(&self.inbox);
        // Whatever becomes of the writer, the other one ends after it.
        let thread = std::thread::Builder::new().name("record mover".to_owned());
        let (writer, moving) = if let Some(record) = &self.shared {
            let writer = Writer::of_journal(path.clone(), options, Arc::clone(&shared));
            let record = Arc::clone(record);
            let forwarder = Forwarder::new(path, of_record, clock, shared, record);
            (writer, thread.spawn(move || forwarder.run())?)
        } else {
            let writer = Writer::new(path.clone(), options.clone(), Arc::clone(&shared));
            let mover = Mover::new(path, options, clock, shared);
            (writer, thread.spawn(move || mover.run())?)
        };
        self.lock().push(moving);
        let writing = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || writer.run(&inbox))?;
        self.lock().push(writing);
        Ok(())
    }

    /// `true` while deliveries are not recorded, and taken all the same: the log says why. It changes as that does.
    pub fn is_failing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_failing)
    }

    /// Time since which the record has deliveries of events, milliseconds since 1970: events that were acknowledged before
    /// are in none of them. It changes as deliveries come and go. 0 before the record was opened, so that all events count;
    /// `i64::MAX` if the file is somebody else's.
    pub fn events_since_ms(&self) -> Arc<AtomicI64> {
        self.needed.since_ms()
    }

    /// Takes a row, if there is room for it.
    pub fn note(&self, row: impl Borrow<Row>) {
        self.push(&Entry::of(row.borrow()), &mut Vec::new());
    }

    /// Ends the threads, once everything is written that was taken.
    pub fn close(&self) {
        self.inbox.close();
        let threads = std::mem::take(&mut *self.lock());
        for thread in threads {
            // A panic of it was printed where it happened.
            let _ = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, entry: &Entry<'_>, encoded: &mut Vec<u8>) {
        encoded.clear();
        entry.encode(encoded);
        self.inbox.push(entry.class(), encoded, entry.sums());
    }

    /// On the way to the answer: it takes a microsecond, and no memory that it did not have before.
    fn record(&self, report: &Report, head: Option<&RequestHead>, body_start: Option<&[u8]>) {
        let class = if report.verified_by.is_some() {
            Class::Verified
        } else {
            Class::Stranger
        };
        if !self.inbox.has_room(class) {
            return;
        }
        let now_ms = self.clock.now().as_millisecond();
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch {
                head: lines,
                client,
                encoded,
            } = scratch;
            lines.clear();
            client.clear();
            if let Some(head) = head {
                push_lines(lines, &head.headers, &self.options);
            }
            if let Some(address) = report.client {
                // Writing into memory does not fail.
                let _ = write!(client, "{address}");
            }
            let words = |text| words(text, &self.options);
            let method = head.map(|head| words(head.method.as_str()));
            let path = head.map(|head| words(head.path.as_str()));
            let reason = report.reason.as_deref().map(bounded);
            let entry = Entry {
                method: method.as_deref(),
                path: path.as_deref(),
                head: head.map(|_| lines.as_str()),
                client: report.client.map(|_| client.as_str()),
                reason: reason.as_deref(),
                body_start,
                ..of_report(report, now_ms)
            };
            self.push(&entry, encoded);
        });
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

impl Observer for Recorder {
    fn request(&self, report: &Report) {
        self.record(report, None, None);
    }

    fn exchange(&self, exchange: &Exchange<'_>) {
        self.record(exchange.report, Some(exchange.head), exchange.body_start);
    }

    fn wanted_body_bytes(&self) -> usize {
        self.options.wanted_body_bytes()
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}

/// What the report alone says.
fn of_report(report: &Report, now_ms: i64) -> Entry<'_> {
    let elapsed_ms = i64::try_from(report.elapsed.as_millis()).unwrap_or(i64::MAX);
    // The sender had its answer before this end, and it was another one.
    let answered = if report.late {
        Outcome::Unavailable
    } else {
        report.outcome
    };
    Entry {
        arrived_ms: now_ms.saturating_sub(elapsed_ms),
        status: answered.status().as_u16(),
        flags: flags([
            report.late,
            report.fell_back,
            report.claimed,
            report.spooled,
        ]),
        outcome: report.outcome.as_str(),
        source: report.source.as_deref(),
        event_id: report.event_id.as_deref(),
        event_type: report.event_type.as_deref(),
        subject: report.subject.as_deref(),
        project: report.project.as_deref(),
        delivery_id: report.delivery_id.as_deref(),
        verified_by: report.verified_by.as_deref(),
        body_bytes: i64::try_from(report.body_bytes).unwrap_or(i64::MAX),
        body_sha256: report.digest.map(BodySha::Digest),
        elapsed_us: micros(report.elapsed),
        queue_us: report.queue_elapsed.map(micros),
        ..Entry::default()
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
