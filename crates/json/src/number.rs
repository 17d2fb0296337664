//! Walking over a number.

use crate::string::{first_flagged, word};
use crate::walk::Walk;

/// Position within a number when a piece ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nothing yet, or the minus sign.
    Sign,
    /// A leading zero, which no digit may follow.
    Zero,
    /// Digits before the point.
    Integer,
    /// The point.
    Point,
    /// Digits after the point.
    Fraction,
    /// The `e`.
    Exponent,
    /// The exponent's sign.
    ExponentSign,
    /// Digits of the exponent.
    ExponentDigits,
}

impl Part {
    /// Tells whether a number may end here.
    pub(crate) fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Integer | Self::Fraction | Self::ExponentDigits
        )
    }
}

/// Longest number, as written, that is looked at: what is longer is not modest. An integer of so many
/// digits still is a double.
pub(crate) const MODEST_BYTES: usize = 308;

/// Tells whether every parser reads a whole number to a double that is not infinite, and takes its digits: of no more
/// than 308 bytes, below 10^308, and with an exponent no lower than that of the smallest double.
pub(crate) fn is_modest(written: &[u8]) -> bool {
    let digits = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let unsigned = written.strip_prefix(b"-").unwrap_or(written);
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (
            unsigned.get(..at),
            unsigned.get(at + 1..).unwrap_or_default(),
        ),
        None => (Some(unsigned), &b"0"[..]),
    };
    let exponent = std::str::from_utf8(exponent).map_or(Ok(i64::MAX), str::parse::<i64>);
    let before_point = i64::try_from(digits(mantissa.unwrap_or_default())).unwrap_or(i64::MAX);
    written.len() <= MODEST_BYTES
        && exponent.is_ok_and(|exponent| (-324..=308 - before_point).contains(&exponent))
}

/// The first byte from `at` on that is no digit, or the piece's end.
#[inline]
fn skip_digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(bytes, at) {
        // Digits become 0..=9, everything else 10..=255; adding 0x76 to the low seven bits cannot carry.
        let digits = word ^ 0x3030_3030_3030_3030;
        let others = (((digits & 0x7f7f_7f7f_7f7f_7f7f) + 0x7676_7676_7676_7676) | digits)
            & 0x8080_8080_8080_8080;
        if others != 0 {
            return at + first_flagged(others);
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Walks from the `first` byte of a number, at `at`, to the first byte after it.
#[inline]
pub(crate) fn begin(bytes: &[u8], at: usize, first: u8, has_exponent: &mut bool) -> Walk<Part> {
    match first {
        b'-' => walk(bytes, at + 1, Part::Sign, has_exponent),
        b'0' => walk(bytes, at + 1, Part::Zero, has_exponent),
        _ => {
            // Most numbers are short integers, by the thousand where a mask is run-length encoded.
            let mut end = at + 1;
            while bytes.get(end).is_some_and(u8::is_ascii_digit) {
                end += 1;
            }
            match bytes.get(end) {
                Some(b',' | b']' | b'}') => Walk::Over(end),
                _ => walk(bytes, end, Part::Integer, has_exponent),
            }
        }
    }
}

/// Walks from `at`, which follows `part` of a number, to the first byte after it. `has_exponent` is set
/// where there is one.
#[inline]
pub(crate) fn walk(
    bytes: &[u8],
    mut at: usize,
    mut part: Part,
    has_exponent: &mut bool,
) -> Walk<Part> {
    loop {
        match part {
            // Mostly one to three digits: not worth a word.
            Part::Integer | Part::ExponentDigits => {
                while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                    at += 1;
                }
            }
            Part::Fraction => at = skip_digits(bytes, at),
            _ => {}
        }
        let Some(&byte) = bytes.get(at) else {
            return Walk::Cut(part);
        };
        part = match (part, byte) {
            (Part::Sign, b'0') => Part::Zero,
            (Part::Sign, b'1'..=b'9') => Part::Integer,
            (Part::Zero | Part::Integer, b'.') => Part::Point,
            (Part::Zero | Part::Integer | Part::Fraction, b'e' | b'E') => {
                *has_exponent = true;
                Part::Exponent
            }
            (Part::Point, b'0'..=b'9') => Part::Fraction,
            (Part::Exponent, b'+' | b'-') => Part::ExponentSign,
            (Part::Exponent | Part::ExponentSign, b'0'..=b'9') => Part::ExponentDigits,
            (Part::Zero | Part::Integer | Part::Fraction | Part::ExponentDigits, _) => {
                return Walk::Over(at);
            }
            _ => return Walk::Wrong,
        };
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modest_is_what_every_parser_reads_to_the_same_double() {
        let digits = |count: usize| "1".repeat(count);
        for modest in [
            "0",
            "-0",
            "1e2",
            "1E+02",
            "1e307",
            "-9.9e307",
            "1e-324",
            "100e305",
            "1e0000000000000000000000000002",
            &digits(308),
            &format!("0.{}", digits(306)),
        ] {
            assert!(is_modest(modest.as_bytes()), "{modest}");
            assert!(modest.parse::<f64>().unwrap().is_finite(), "{modest}");
        }
        for not in [
            "1e308",
            "0e308",
            "1e400",
            "-1e309",
            "100e306",
            "1e-325",
            "1e999999999",
            "1e-99999999999999999999999",
            &digits(309),
            &digits(5000),
            &format!("0.{}", digits(307)),
            &format!("{}e1", digits(307)),
        ] {
            assert!(!is_modest(not.as_bytes()), "{not}");
        }
    }
}
