//! The observer that records.

use crate::class::Class;
use crate::head::{bounded, lines, words};
use crate::inbox::Inbox;
use crate::options::Options;
use crate::row::Row;
use crate::writer::Writer;
use labelrelay_core::{Clock, Exchange, Observer, Outcome, QueueError, Report, RequestHead};
use labelrelay_event::Digest;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records what it observes. Never waits: not for room, and not for a disk.
pub struct Recorder {
    path: PathBuf,
    options: Options,
    clock: Arc<dyn Clock>,
    inbox: Arc<Inbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Records into the file at `path`, once it [begins](Self::begin).
    pub fn new(path: PathBuf, options: Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            path,
            options,
            clock,
            inbox: Arc::default(),
            thread: Mutex::default(),
        }
    }

    /// Begins to write, into a file that is made when there is none. Called once, by whoever owns the queue: what comes
    /// before waits. A file that cannot be used is told in the log, and is no error: deliveries are worth more than
    /// their record.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(&self) -> std::io::Result<()> {
        let (options, clock) = (self.options.clone(), Arc::clone(&self.clock));
        let writer = Writer::new(self.path.clone(), options, clock);
        let inbox = Arc::clone(&self.inbox);
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || writer.run(&inbox))?;
        *self.lock() = Some(thread);
        Ok(())
    }

    /// Takes a row, if there is room for it.
    pub fn note(&self, row: Row) {
        self.inbox.push(row);
    }

    /// Ends the thread, once everything is written that was taken.
    pub fn close(&self) {
        self.inbox.close();
        let thread = self.lock().take();
        if let Some(thread) = thread {
            // A panic of it was printed where it happened.
            let _ = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, report: &Report, head: Option<&RequestHead>, body_start: Option<&[u8]>) {
        let class = if report.verified_by.is_some() {
            Class::Verified
        } else {
            Class::Stranger
        };
        if self.inbox.has_room(class) {
            let now_ms = self.clock.now().as_millisecond();
            self.note(row(report, head, body_start, &self.options, now_ms));
        }
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

fn row(
    report: &Report,
    head: Option<&RequestHead>,
    body_start: Option<&[u8]>,
    options: &Options,
    now_ms: i64,
) -> Row {
    let elapsed_ms = i64::try_from(report.elapsed.as_millis()).unwrap_or(i64::MAX);
    // The sender had its answer before this end, and it was another one.
    let answered = if report.late {
        Outcome::Unavailable
    } else {
        report.outcome
    };
    Row {
        arrived_ms: now_ms.saturating_sub(elapsed_ms),
        status: answered.status().as_u16(),
        outcome: report.outcome.as_str().to_owned(),
        source: report.source.clone(),
        method: head.map(|head| words(head.method.as_str(), options)),
        path: head.map(|head| words(&head.path, options)),
        head: head.map(|head| lines(&head.headers, options)),
        client: report.client.map(|client| client.to_string()),
        reason: report.reason.as_deref().map(bounded),
        event_id: report.event_id.clone(),
        event_type: report.event_type.clone(),
        subject: report.subject.clone(),
        project: report.project.clone(),
        delivery_id: report.delivery_id.clone(),
        verified_by: report.verified_by.clone(),
        body_bytes: i64::try_from(report.body_bytes).unwrap_or(i64::MAX),
        body_sha256: report.digest.map(Digest::to_hex),
        elapsed_us: micros(report.elapsed),
        queue_us: report.queue_elapsed.map(micros),
        late: report.late,
        fell_back: report.fell_back,
        claimed: report.claimed,
        spooled: report.spooled,
        body_start: body_start.map(<[u8]>::to_vec),
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
