//! Walking over a number.

use super::string::{Walk, first_flagged, word};

/// Where a number stands when a piece ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
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
    /// Whether a number may end here.
    pub(super) fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Integer | Self::Fraction | Self::ExponentDigits
        )
    }
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
pub(super) fn begin(bytes: &[u8], at: usize, first: u8) -> Walk<Part> {
    match first {
        b'-' => walk(bytes, at + 1, Part::Sign),
        b'0' => walk(bytes, at + 1, Part::Zero),
        _ => {
            // Most numbers are short integers, by the thousand where a mask is run-length encoded.
            let mut end = at + 1;
            while bytes.get(end).is_some_and(u8::is_ascii_digit) {
                end += 1;
            }
            match bytes.get(end) {
                Some(b',' | b']' | b'}') => Walk::Over(end),
                _ => walk(bytes, end, Part::Integer),
            }
        }
    }
}

/// Walks from `at`, which follows `part` of a number, to the first byte after it.
#[inline]
pub(super) fn walk(bytes: &[u8], mut at: usize, mut part: Part) -> Walk<Part> {
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
            (Part::Zero | Part::Integer | Part::Fraction, b'e' | b'E') => Part::Exponent,
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
