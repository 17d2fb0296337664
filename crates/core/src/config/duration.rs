//! Lengths of time, as people write them: `30s`, `5m`, `24h`.

use std::time::Duration;

/// Form of a good duration, for the errors.
const CURE: &str = "write a number and ms, s, m, h or d, such as 30s";

/// Reads a whole number and a unit; without a unit, seconds.
///
/// # Errors
/// The cure, when it is none.
///
/// ```
/// use labelrelay_core::config::parse_duration;
/// use std::time::Duration;
///
/// assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
/// assert!(parse_duration("soon").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err(CURE),
    };
    let number: u64 = number.parse().map_err(|_| CURE)?;
    let millis = number.checked_mul(millis).ok_or(CURE)?;
    Ok(Duration::from_millis(millis))
}
