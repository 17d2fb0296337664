//! Writes the log's lines from a thread of its own: whoever reads them, or does not, keeps no request waiting.
//!
//! A pipe that nobody reads holds 64 KiB; the write after that blocks for ever, and with it everything that
//! wants to write, a stop included. So lines go into a buffer, which never waits. What finds no room there is
//! dropped and counted, and the count is told when there is room.
//!
//! `tracing-appender` does nearly that. It bounds lines, not bytes (128,000 lines of ours are 60 MB), and
//! leaves telling of what it dropped to others.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of lines that may wait; as many again may be on their way out.
const MOST_BYTES: usize = 1024 * 1024;

/// Capacity that a buffer keeps for the next lines.
const KEPT_BYTES: usize = 64 * 1024;

/// Pause before another try where the other end takes nothing now, and says so instead of waiting.
const PAUSE: Duration = Duration::from_millis(5);

/// Writer of log lines; cheap to clone. Each write is one line, whole or not at all.
#[derive(Clone)]
pub struct LogWriter(Arc<Shared>);

struct Shared {
    lines: Mutex<Lines>,
    /// What the thread takes along when it begins.
    out: Mutex<Option<Out>>,
    arrived: Condvar,
    written: Condvar,
    dropped: AtomicU64,
}

/// The way out.
struct Out {
    write: Box<dyn Write + Send>,
    tell: Box<dyn Fn(u64) + Send>,
}

#[derive(Default)]
struct Lines {
    has_thread: bool,
    waiting: Vec<u8>,
    /// Dropped since it was last told.
    dropped: u64,
    /// `true` while the thread writes lines.
    under_way: bool,
}

impl LogWriter {
    /// Starts the thread that writes to `out`. How many lines were dropped it tells as a `tracing` event.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let writer = Self::new(out);
        writer.0.lines().has_thread = true;
        writer.begin()?;
        Ok(writer)
    }

    /// The same with a thread that begins with the first line: a program that has to answer soon need not wait for it.
    /// Where the system has no thread left, whoever brings a line writes it, and waits for whoever reads it.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self::telling(out, |dropped| {
            tracing::error!(name: "log_lines_dropped", dropped, "{dropped} lines were dropped here, because nobody read the log fast enough");
        })
    }

    fn telling(out: impl Write + Send + 'static, tell: impl Fn(u64) + Send + 'static) -> Self {
        Self(Arc::new(Shared {
            lines: Mutex::default(),
            out: Mutex::new(Some(Out {
                write: Box::new(out),
                tell: Box::new(tell),
            })),
            arrived: Condvar::new(),
            written: Condvar::new(),
            dropped: AtomicU64::new(0),
        }))
    }

    fn begin(&self) -> std::io::Result<()> {
        let shared = Arc::clone(&self.0);
        // It ends with the process: there is always somebody who may still write.
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || shared.write_for_ever()).map(drop)
    }

    /// Takes one line, its end included, or drops it. Never waits for whoever reads the log.
    pub fn line(&self, line: &[u8]) {
        let mut lines = self.0.lines();
        let length = lines.waiting.len() + line.len();
        if length > MOST_BYTES && !lines.waiting.is_empty() {
            lines.dropped += 1;
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        lines.waiting.extend_from_slice(line);
        let has_thread = std::mem::replace(&mut lines.has_thread, true);
        drop(lines);
        if has_thread {
            self.0.arrived.notify_one();
        } else if self.begin().is_err() {
            // The next line tries again.
            self.0.lines().has_thread = false;
            self.0.write_at_once();
        }
    }

    /// Waits until everything is written, but no longer than `limit`: for the end of a program.
    pub fn flush_within(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut lines = self.0.lines();
        while lines.under_way || !lines.waiting.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.written.wait_timeout(lines, left);
            (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lines that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

/// Each write is one line, as those are that `tracing-subscriber` makes.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Whole lines are whole whoever panicked beside them.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Option<Out>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_at_once(&self) {
        // Held meanwhile, so that lines stay in order.
        let mut out = self.out();
        let batch = std::mem::take(&mut self.lines().waiting);
        if let Some(out) = out.as_mut() {
            self.write(&mut out.write, &batch);
        }
    }

    fn write_for_ever(&self) {
        let Some(mut out) = self.out().take() else {
            return;
        };
        let mut batch = Vec::new();
        loop {
            let mut lines = self.lines();
            while lines.waiting.is_empty() {
                let arrived = self.arrived.wait(lines);
                lines = arrived.unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut lines.waiting, &mut batch);
            lines.under_way = true;
            let dropped = std::mem::take(&mut lines.dropped);
            drop(lines);
            // Now there is room. It will stand behind what was there when the first one was dropped.
            if dropped > 0 {
                (out.tell)(dropped);
            }
            self.write(&mut out.write, &batch);
            batch.clear();
            batch.shrink_to(KEPT_BYTES);
            self.lines().under_way = false;
            self.written.notify_all();
        }
    }

    fn write(&self, out: &mut impl Write, mut batch: &[u8]) {
        while !batch.is_empty() {
            match out.write(batch) {
                Ok(written) if written > 0 => batch = batch.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A terminal or pipe that somebody else made so.
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
                // The log's reader has gone. Its end must not end a delivery.
                Ok(_) | Err(_) => {
                    let lost = batch.split_inclusive(|byte| *byte == b'\n').count();
                    self.dropped.fetch_add(lost as u64, Ordering::Relaxed);
                    return;
                }
            }
        }
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests;
