//! Processor time, as the kernel counts it.

use crate::Outcome;
use std::time::Duration;

/// The kernel counts in hundredths of a second, whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// What this process, hence the load generator, has used so far.
pub(crate) fn own() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| {
        format!("cannot read /proc/self/stat ({error}): the benchmark runs on Linux")
    })?;
    let ticks = ticks(&stat).ok_or("/proc/self/stat is not what it was")?;
    Ok(TICK * u32::try_from(ticks)?)
}

/// User's and system's time, the 14th and 15th field; the second one may hold anything, up to its bracket.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse::<u64>().ok());
    Some(times.next()?? + times.next()??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_whatever_the_program_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 25 17 0 0 20 0 4 0 100 1000 100";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S"), None);
        assert!(own().is_ok());
    }
}
