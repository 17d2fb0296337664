//! A moment on the command line: a date and time, or how long ago.

use crate::durations::parse_duration;
use jiff::Timestamp;

/// Milliseconds since 1970.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<i64, String> {
    if let Some(time) = labelrelay_core::time::parse(text) {
        return Ok(time.as_millisecond());
    }
    let ago = parse_duration(text).map_err(|_| {
        "is no time; write 2026-11-01T00:00:00Z, with Z or an offset, or how long ago: 2h"
            .to_owned()
    })?;
    let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
    Ok(now.as_millisecond().saturating_sub(ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_how_long_ago() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let millis = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (text, time) in [
            ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
            ("2026-11-24T08:00:00+02:00", "2026-11-24T06:00:00Z"),
            ("2h", "2026-11-24T08:00:00Z"),
            ("90s", "2026-11-24T09:58:30Z"),
        ] {
            assert_eq!(parse(text, now), Ok(millis(time)), "{text}");
        }
        for text in ["yesterday", "2026-11-24", "08:00", ""] {
            assert!(parse(text, now).is_err(), "{text}");
        }
    }
}
