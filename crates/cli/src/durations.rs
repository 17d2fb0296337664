//! Times on the command line: `30s`, `5m`, `24h`.

use std::time::Duration;

/// A whole number and a unit; without a unit, seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    labelrelay_core::config::parse_duration(text).map_err(str::to_owned)
}

/// Longest time for which a message can be kept from others. Nothing brings one back before.
const LONGEST_HOLD: Duration = Duration::from_secs(14 * 86_400);

/// The time for which a message is kept from others: a duration of 14 days at most.
pub(crate) fn parse_hold(text: &str) -> Result<Duration, String> {
    let hold = parse_duration(text)?;
    if hold > LONGEST_HOLD {
        return Err("write 14d or less: nobody gets the message before".to_owned());
    }
    Ok(hold)
}

/// Queues of the clouds hide an event for 12 hours at most.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// The time for which an event that is worked on is hidden from others: 1 second to 12 hours.
pub(crate) fn parse_visibility(text: &str) -> Result<Duration, String> {
    let time = parse_hold(text)?;
    if !(Duration::from_secs(1)..=LONGEST_VISIBILITY).contains(&time) {
        return Err("write 1s to 12h: it is extended as long as the event is worked on".to_owned());
    }
    Ok(time)
}

/// In the largest unit that it is a whole number of.
pub(crate) fn words(time: Duration) -> String {
    let millis = time.as_millis();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("min", 60_000),
        ("s", 1000),
    ] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{} {unit}", millis / size);
        }
    }
    format!("{millis} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_words() {
        for (millis, text) in [
            (0, "0 ms"),
            (1500, "1500 ms"),
            (90_000, "90 s"),
            (300_000, "5 min"),
            (7_200_000, "2 h"),
            (604_800_000, "7 d"),
        ] {
            assert_eq!(words(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn numbers_and_units() {
        for (text, millis) in [
            ("30s", 30_000),
            ("250ms", 250),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("0", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "5 s",
            "-1s",
            "1.5s",
            "5w",
            "99999999999999999999s",
            "99999999999999999d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_is_kept_for_14_days_at_most() {
        assert_eq!(parse_hold("14d"), Ok(LONGEST_HOLD));
        for text in ["1209600001ms", "15d", "9223372036854775807ms", "5w"] {
            assert!(parse_hold(text).is_err(), "{text}");
        }
    }
}
