//! Pauses that differ, so that those who failed together do not try again together.

use std::time::Duration;

/// A time from half of `pause` to all of it.
pub(crate) fn spread(pause: Duration) -> Duration {
    share(pause, random())
}

/// A time from half of `pause` to all of it, by a `part` of 0 to 65,535.
pub(crate) fn share(pause: Duration, part: u16) -> Duration {
    let half = pause / 2;
    half + half.mul_f64(f64::from(part) / f64::from(u16::MAX))
}

/// A part for [`share`]; 0 where the system has no randomness: the shortest pause is none too short.
pub(crate) fn random() -> u16 {
    let mut part = [0; 2];
    let _ = getrandom::fill(&mut part);
    u16::from_be_bytes(part)
}
