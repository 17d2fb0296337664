//! Throttles a reader's writes: a reader in a loop would else hold the file for most of the time, and deliveries
//! wait for the owner.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A reader that had to wait for its turn leaves the file alone, after it had it, for three times as long
/// as it had it; one that found it free, for as long. Without pauses, two readers in a loop made 64 senders
/// wait 340 ms at the 99th percentile; with these, no difference could be told from noise.
const PAUSE_FACTORS: [u32; 2] = [1, 3];

/// A look at a locked file comes this much later at the earliest.
const CONTENDED_AFTER: Duration = Duration::from_micros(500);

/// Bounds of the pause: a disk that hangs for a moment is no reason to stay away.
const PAUSE_BOUNDS: [Duration; 2] = [Duration::from_micros(300), Duration::from_millis(50)];

/// When this reader may write again.
#[derive(Debug, Default)]
pub(super) struct WriteThrottle(Cell<Option<Instant>>);

impl WriteThrottle {
    /// Waits for this reader's turn.
    pub(super) fn wait(&self) {
        if let Some(next) = self.0.get() {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Notes that the file was asked for, was had, and no longer is.
    pub(super) fn record(&self, asked: Instant, had: Instant) {
        let [free, contended] = PAUSE_FACTORS;
        let waited = had.saturating_duration_since(asked) >= CONTENDED_AFTER;
        let share = if waited { contended } else { free };
        let [least, most] = PAUSE_BOUNDS;
        let pause = had.elapsed().saturating_mul(share).clamp(least, most);
        self.0.set(Instant::now().checked_add(pause));
    }
}
