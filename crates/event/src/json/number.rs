//! Numbers, which are kept as they are written until somebody asks for a value.

use super::MAX_NUMBER_BYTES;

/// The largest integer that a record holds: beyond it, a double is no integer any more.
const MAX_WHOLE: u64 = (1 << 53) - 1;

/// Integers of so few bytes fit 32 bits.
const MAX_SMALL_BYTES: usize = 9;

/// The number as a double; `None` if it is too long, too large, or only the double is zero.
pub(super) fn double(text: &str, is_integer: bool) -> Option<f64> {
    if text.len() > MAX_NUMBER_BYTES {
        return None;
    }
    // Most integers are degrees, percents or sizes, and these have no rounding to think of.
    if is_integer
        && text.len() <= MAX_SMALL_BYTES
        && let Ok(small) = text.parse::<i32>()
    {
        return Some(f64::from(small));
    }
    let value: f64 = text.parse().ok()?;
    if is_integer {
        // An integer has no zero of its own sign.
        return Some(if value == 0.0 { 0.0 } else { value });
    }
    let is_rounded_to_zero = value == 0.0 && !is_zero(text);
    (value.is_finite() && !is_rounded_to_zero).then_some(value)
}

/// The integer, if its amount is up to 2^53 - 1.
pub(super) fn whole(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|value: &i64| value.unsigned_abs() <= MAX_WHOLE)
}

/// Tells whether no digit before the exponent is other than zero.
pub(super) fn is_zero(text: &str) -> bool {
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    !digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}
