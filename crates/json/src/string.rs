//! Walking over the inside of a string.

use crate::surrogate;
use crate::walk::{Inside, Walk};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`, the first in the lowest byte.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk::<8>()
        .map(|chunk| u64::from_le_bytes(*chunk))
}

/// Number of bytes in `word` before the first flagged one.
#[inline]
pub(crate) fn first_flagged(flags: u64) -> usize {
    (flags.trailing_zeros() / 8) as usize
}

/// Flags the quotes, backslashes and control characters among eight bytes. A borrow may flag a byte
/// wrongly, but only after a rightly flagged one.
#[inline]
fn special(word: u64) -> u64 {
    let (quote, backslash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control)
        & HIGH
}

/// Tells whether any of 32 bytes needs a look. Without an early exit, so that the compiler makes vectors of it.
#[inline]
fn any_special(block: &[u8; 32]) -> bool {
    let special =
        |byte: u8| u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20);
    block.iter().fold(0, |any, &byte| any | special(byte)) != 0
}

/// Walks from `at`, which is `inside` a string, to after its closing quote. `lone` is set where half of a
/// surrogate pair stands alone.
#[inline]
pub(crate) fn walk(bytes: &[u8], mut at: usize, inside: Inside, lone: &mut bool) -> Walk<Inside> {
    if inside != Inside::Plain {
        match surrogate::walk(bytes, at, inside, lone) {
            Walk::Over(next) => at = next,
            other => return other,
        }
    }
    loop {
        at = skip_plain(bytes, at);
        // Escapes come in runs: text in another script is nothing else.
        while bytes.get(at) == Some(&b'\\') {
            match escape(bytes, at + 1, lone) {
                Walk::Over(next) => at = next,
                other => return other,
            }
        }
        match bytes.get(at) {
            Some(b'"') => return Walk::Over(at + 1),
            Some(0..0x20) => return Walk::Wrong,
            Some(_) => at += 1,
            None => return Walk::Cut(Inside::Plain),
        }
    }
}

/// The first byte from `at` on that needs a look, or one of the last seven.
#[inline]
fn skip_plain(bytes: &[u8], mut at: usize) -> usize {
    // Most strings end within two words.
    for _ in 0..4 {
        let Some(word) = word(bytes, at) else {
            return at;
        };
        let flags = special(word);
        if flags != 0 {
            return at + first_flagged(flags);
        }
        at += 8;
    }
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
        if any_special(block) {
            break;
        }
        at += 32;
    }
    while let Some(word) = word(bytes, at) {
        let flags = special(word);
        if flags != 0 {
            return at + first_flagged(flags);
        }
        at += 8;
    }
    at
}

/// From after a backslash to after the escape; of a surrogate pair, after that of its second half.
#[inline]
fn escape(bytes: &[u8], at: usize, lone: &mut bool) -> Walk<Inside> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Walk::Over(at + 1),
        Some(b'u') => match bytes.get(at + 1..).and_then(|rest| rest.first_chunk::<4>()) {
            Some(digits)
                if digits.iter().fold(1, |all, &digit| all & hex_digit(digit)) == 1
                    && !surrogate::is(*digits) =>
            {
                Walk::Over(at + 5)
            }
            _ => surrogate::walk(bytes, at, Inside::Escape { half: false }, lone),
        },
        Some(_) => Walk::Wrong,
        None => Walk::Cut(Inside::Escape { half: false }),
    }
}

/// 1 for a hex digit, else 0. From a table: four look-ups are cheaper than a dozen comparisons.
#[inline]
fn hex_digit(byte: u8) -> u8 {
    static TABLE: [u8; 256] = {
        let mut table = [0; 256];
        let digits = b"0123456789abcdefABCDEF";
        let mut at = 0;
        while at < digits.len() {
            #[expect(
                clippy::indexing_slicing,
                reason = "evaluated by the compiler, which checks it"
            )]
            {
                table[digits[at] as usize] = 1;
            }
            at += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or_default()
}
