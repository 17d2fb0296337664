//! Escapes byte by byte: those that a piece cuts, and those of surrogate pairs.

use crate::walk::{Inside, Walk};

/// Tells whether four hex digits are those of half a surrogate pair: D800 to DFFF.
#[inline]
pub(crate) fn is(digits: [u8; 4]) -> bool {
    let [first, second, ..] = digits;
    // Of the hex digits, those below 8 are the only ones that are not above '7'.
    first | 0x20 == b'd' && second > b'7'
}

/// Walks from `at`, which is `inside` a string, to between characters. `lone` is set where half of a pair
/// stands alone.
#[cold]
pub(crate) fn walk(
    bytes: &[u8],
    mut at: usize,
    mut inside: Inside,
    lone: &mut bool,
) -> Walk<Inside> {
    loop {
        let byte = bytes.get(at).copied();
        inside = match (inside, byte) {
            (Inside::Plain, _) => return Walk::Over(at),
            (_, None) => return Walk::Cut(inside),
            (Inside::Half, Some(b'\\')) => Inside::Escape { half: true },
            (Inside::Half, Some(_)) => {
                *lone = true;
                return Walk::Over(at);
            }
            (Inside::Escape { half }, Some(b'u')) => Inside::Hex {
                missing: 4,
                unit: 0,
                half,
            },
            (
                Inside::Escape { half },
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'),
            ) => {
                *lone |= half;
                Inside::Plain
            }
            (
                Inside::Hex {
                    missing,
                    unit,
                    half,
                },
                Some(byte),
            ) => {
                let Some(digit) = char::from(byte).to_digit(16) else {
                    return Walk::Wrong;
                };
                let unit = unit << 4 | u16::try_from(digit).unwrap_or_default();
                match missing {
                    1 => after(unit, half, lone),
                    _ => Inside::Hex {
                        missing: missing - 1,
                        unit,
                        half,
                    },
                }
            }
            _ => return Walk::Wrong,
        };
        at += 1;
    }
}

/// Position in a string after the escape of `unit`.
fn after(unit: u16, half: bool, lone: &mut bool) -> Inside {
    match (half, unit) {
        (true, 0xdc00..0xe000) => Inside::Plain,
        (_, 0xd800..0xdc00) => {
            *lone |= half;
            Inside::Half
        }
        (_, 0xdc00..0xe000) => {
            *lone = true;
            Inside::Plain
        }
        _ => {
            *lone |= half;
            Inside::Plain
        }
    }
}
