//! The second function: moves the fallback's events into the queue, on a schedule.
//! No URL reaches it, and it may do what the first one may not: list, read and remove.

use crate::clock::moment;
use crate::telemetry::Telemetry;
use labelrelay_core::config::{ConfigError, Lookup};
use labelrelay_core::fallback::Redriven;
use labelrelay_core::{BlobError, Clock};
use labelrelay_startup::{Open, StartError, redrive};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Time between its end and the one that Lambda would make: room for what is under way, and for the report.
const MARGIN: Duration = Duration::from_secs(5);

/// Without a deadline, as in tests of the console's kind.
const DEFAULT_TIME: Duration = Duration::from_secs(60);

/// Megabytes that the function has, as Lambda says.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

const MIB: u64 = 1024 * 1024;

/// Of that, what the program takes without an event, and Lambda's own part of the process: 26 MiB, and room.
const OWN_BYTES: u64 = 40 * MIB;

/// An envelope costs up to so many times its size on its way.
const COPIES: u64 = 3;

/// The function that a schedule starts.
pub struct Redrive {
    /// Queue and its stores.
    pub redrive: redrive::Redrive,
    /// Takes the report.
    pub telemetry: Arc<Telemetry>,
}

/// Result of one run, and of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Events that are on the queue now.
    pub moved: u64,
    /// Number of events that are still in the fallback, as far as known.
    pub left: u64,
}

impl Redrive {
    /// Opens what the variables name. It needs no source and no secret.
    ///
    /// # Errors
    /// [`StartError`] names the variable and the cure.
    pub async fn open(
        open: &Open<'_>,
        clock: Arc<dyn Clock>,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, StartError> {
        let mut redrive = redrive::Redrive::of_variables(open, clock).await?;
        if let Some(most) = max_envelope(open.lookup)? {
            redrive.max_envelope = redrive.max_envelope.min(most);
        }
        Ok(Self { redrive, telemetry })
    }

    /// Moves what it can before `deadline`, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`BlobError`] when the fallback cannot be listed; Lambda counts that as an error of the function.
    pub async fn invoke(&self, deadline: u64) -> Result<Moved, BlobError> {
        let clock = &*self.redrive.clock;
        let begun = clock.monotonic();
        let until = match moment(clock, deadline) {
            Some(end) => end
                .saturating_sub(MARGIN)
                .max(begun + end.saturating_sub(begun) / 2),
            None => begun + DEFAULT_TIME,
        };
        let done = self.redrive.run(until).await?;
        let moved = Moved {
            moved: done.moved,
            left: left(&done),
        };
        let elapsed = clock.monotonic().saturating_sub(begun);
        self.telemetry.redriven(moved.moved, moved.left, elapsed);
        Ok(moved)
    }
}

/// Bytes of the largest envelope that this function has the memory for. Lambda ends a function that takes more, and
/// would do so at each of its runs, before the events behind have moved.
fn max_envelope(lookup: Lookup<'_>) -> Result<Option<u64>, ConfigError> {
    let megabytes = lookup
        .text(MEMORY)?
        .and_then(|text| text.parse::<u64>().ok());
    Ok(megabytes.map(|megabytes| {
        let free = megabytes.saturating_mul(MIB).saturating_sub(OWN_BYTES);
        (free / COPIES).max(MIB)
    }))
}

/// Number of events that are certainly in the fallback: those that were tried, and one more where it was not all looked at.
fn left(done: &Redriven) -> u64 {
    done.failed + u64::from(!done.complete && done.failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::config::Environment;

    #[test]
    fn the_largest_event_is_one_that_there_is_memory_for() {
        for (memory, most) in [
            ("128", Some(30_758_229)),
            ("512", Some(164_975_957)),
            ("32", Some(MIB)),
            ("much", None),
            ("", None),
        ] {
            let environment: Environment = [(MEMORY, memory)].into_iter().collect();
            assert_eq!(max_envelope(&environment).unwrap(), most, "{memory}");
        }
    }
}
