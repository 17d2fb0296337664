//! Places of a text at which something begins, 64 bytes at a time: what a byte is is told of all of them at once, and no
//! byte of a string is looked at by itself.
//!
//! The method is that of simdjson ("Parsing Gigabytes of JSON per Second", Langdale and Lemire, 2019, section 3.1).

#![expect(clippy::inline_always, reason = "called for each token of a body")]

use wide::u8x16;

/// Bytes of a block: one for each bit of a word.
const BLOCK: usize = 64;

/// Finds the signs `{}[]:,`, both quotes of each string, and the first byte of anything else, one after the other.
pub(super) struct Tokens<'t> {
    bytes: &'t [u8],
    /// Where the block begins whose places are in `bits`.
    base: usize,
    /// Where the next one begins.
    next_base: usize,
    /// A bit for each place of the block that was not given out yet.
    bits: u64,
    /// All bits if the block before ended within a string.
    in_string: u64,
    /// 1 if the last byte of the block before escapes the first one of this.
    escapes: u64,
    /// 1 if the last byte of the block before was part of a number or a word.
    in_word: u64,
    /// Behind the last backslash that was seen.
    behind_backslash: usize,
}

impl<'t> Tokens<'t> {
    /// From this place on, which is in no string.
    pub(super) fn new(bytes: &'t [u8], start: usize) -> Self {
        Self {
            bytes,
            base: start,
            next_base: start,
            bits: 0,
            in_string: 0,
            escapes: 0,
            in_word: 0,
            behind_backslash: 0,
        }
    }

    /// The next place and its byte; `None` at the end, and before a control character where none may stand.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(usize, u8)> {
        while self.bits == 0 {
            self.read_block()?;
        }
        let at = self.base + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some((at, *self.bytes.get(at)?))
    }

    /// Tells whether there may be a backslash behind this place, in what was read.
    #[inline(always)]
    pub(super) fn has_backslash_behind(&self, at: usize) -> bool {
        self.behind_backslash > at
    }

    #[inline(never)]
    fn read_block(&mut self) -> Option<()> {
        self.base = self.next_base;
        let rest = self
            .bytes
            .get(self.base..)
            .filter(|rest| !rest.is_empty())?;
        let block = rest
            .first_chunk()
            .map_or_else(|| Marks::of(&filled_up(rest)), Marks::of);
        self.next_base += BLOCK;
        let mut quotes = block.quotes;
        if block.backslashes | self.escapes != 0 {
            quotes &= !self.escaped(block.backslashes);
            let last = u64::BITS - block.backslashes.leading_zeros();
            if last > 0 {
                self.behind_backslash = self.base + last as usize;
            }
        }
        let in_string = odd_before(quotes) ^ self.in_string;
        if block.controls != 0 && (block.controls & in_string | block.odd_controls) != 0 {
            return None;
        }
        let words = !(block.signs | block.spaces | quotes | in_string);
        let starts = words & !(words << 1 | self.in_word);
        self.bits = block.signs & !in_string | quotes | starts;
        self.in_string = 0u64.wrapping_sub(in_string >> (BLOCK - 1));
        self.in_word = words >> (BLOCK - 1);
        Some(())
    }

    /// Bytes that a backslash stands before which is not escaped itself.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = u64::MAX / 3;
        let backslashes = backslashes & !self.escapes;
        let follows = backslashes << 1 | self.escapes;
        // An odd number of backslashes escapes what follows. A sequence that begins in an odd place is carried out of its end
        // by an addition.
        let odd_starts = backslashes & !EVEN & !follows;
        let (carried, is_beyond) = odd_starts.overflowing_add(backslashes);
        self.escapes = u64::from(is_beyond);
        (EVEN ^ carried << 1) & follows
    }
}

/// The end of a text, and spaces.
fn filled_up(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    block
}

/// A bit for each place before and at which there is an odd number of bits.
fn odd_before(bits: u64) -> u64 {
    let mut odd = bits;
    for shift in [1, 2, 4, 8, 16, 32] {
        odd ^= odd << shift;
    }
    odd
}

/// A bit for each byte of a block.
#[derive(Default)]
struct Marks {
    quotes: u64,
    backslashes: u64,
    /// `{}[]:,`
    signs: u64,
    /// White space, and control characters.
    spaces: u64,
    /// Below the space.
    controls: u64,
    /// Those that are no white space.
    odd_controls: u64,
}

impl Marks {
    #[inline(always)]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self::default();
        let (lanes, _) = block.as_chunks::<16>();
        for (number, lane) in lanes.iter().enumerate() {
            let lane = u8x16::new(*lane);
            let all = |byte| u8x16::splat(byte);
            let is = |byte| lane.simd_eq(all(byte));
            let put = |found: u8x16| u64::from(found.to_bitmask()) << (16 * number);
            // Each bracket is this bit away from its brace.
            let braced = lane | all(b'{' ^ b'[');
            let signs = braced.simd_eq(all(b'{')) | braced.simd_eq(all(b'}')) | is(b':') | is(b',');
            marks.quotes |= put(is(b'"'));
            marks.backslashes |= put(is(b'\\'));
            marks.signs |= put(signs);
            marks.spaces |= put(lane.simd_le(all(b' ')));
            marks.controls |= put(lane.simd_le(all(0x1f)));
        }
        if marks.controls != 0 {
            for (number, byte) in block.iter().enumerate() {
                let is_odd = matches!(byte, 0..0x20) && !matches!(byte, b'\t' | b'\n' | b'\r');
                marks.odd_controls |= u64::from(is_odd) << number;
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    fn places(text: &str) -> Vec<usize> {
        let mut tokens = Tokens::new(text.as_bytes(), 0);
        std::iter::from_fn(|| Some(tokens.next()?.0)).collect()
    }

    #[test]
    fn signs_quotes_and_words_are_found_wherever_a_block_ends() {
        for before in 0..130 {
            let space = " ".repeat(before);
            for (text, expected) in [
                ("[1, true]", vec![0, 1, 2, 4, 8]),
                (r#"{"a:,[": -1.5e3}"#, vec![0, 1, 6, 7, 9, 15]),
                (r#""\"" "\\" "\\\"" ["#, vec![0, 3, 5, 8, 10, 15, 17]),
            ] {
                let expected: Vec<_> = expected.iter().map(|at| at + before).collect();
                assert_eq!(
                    places(&format!("{space}{text}")),
                    expected,
                    "{before} {text}"
                );
            }
        }
    }
}
