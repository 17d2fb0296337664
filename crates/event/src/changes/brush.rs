//! Label Studio's brush: a bit stream of run lengths, in the format of `@thi.ng/rle-pack`.
//!
//! The stream holds RGBA, four words a pixel. Label Studio draws the mask into the last of them, and fills the others
//! alike.
//!
//! ```text
//! 32 bits            number of words
//!  5 bits            bits of a word, less one
//!  4 x 4 bits        bits of a length, less one, for each of four classes
//! then, until all words are there:
//!  1 bit             1: one word for all; 0: each word follows
//!  2 bits            class of the length
//!  (class) bits      number of words, less one
//!  (word) bits       the word, or each of the words
//! ```

use super::size::Size;
use crate::{ErrorKind, EventError};

const CHANNELS: u64 = 4;

pub(super) fn unreadable(why: impl Into<String>) -> EventError {
    let why = why.into();
    EventError::new(
        ErrorKind::MaskUnreadable,
        None,
        format!("the mask cannot be decoded: {why}"),
    )
}

/// Decodes the run lengths of a brush of Label Studio, for whoever kept them without their region: one byte for each
/// pixel of an image of this size, row by row, as [`Mask::decode`](super::Mask::decode) does.
///
/// # Errors
/// [`ErrorKind::MaskUnreadable`] when they do not fit the size, or when there would be more than `max_pixels`.
pub fn decode(rle: &[u8], size: Size, max_pixels: u64) -> Result<Vec<u8>, EventError> {
    let pixels = u64::from(size.width) * u64::from(size.height);
    if pixels > max_pixels {
        let why = format!("it would have {pixels} pixels, {max_pixels} are allowed");
        return Err(unreadable(why));
    }
    let mut bits = Bits { bytes: rle, at: 0 };
    let words = bits.take(32)?;
    if Some(words) != pixels.checked_mul(CHANNELS) {
        let Size { width, height } = size;
        let why = format!("it has {words} words, an image of {width} x {height} has 4 a pixel");
        return Err(unreadable(why));
    }
    let word_bits = bits.take(5)? + 1;
    if word_bits != 8 {
        let why = format!("it has words of {word_bits} bits, Label Studio writes 8");
        return Err(unreadable(why));
    }
    let mut length_bits = [0; 4];
    for bits_of_class in &mut length_bits {
        *bits_of_class = usize::try_from(bits.take(4)?).unwrap_or_default() + 1;
    }
    // No room is taken in advance: a damaged stream may end at once.
    let mut out = Vec::new();
    let mut done = 0;
    while done < words {
        let is_run = bits.take(1)? == 1;
        let class = usize::try_from(bits.take(2)?).unwrap_or_default();
        let length = bits.take(length_bits.get(class).copied().unwrap_or(1))? + 1;
        if done + length > words {
            return Err(unreadable("it has more words than it says"));
        }
        let run = if is_run { Some(bits.byte()?) } else { None };
        for word in done..done + length {
            let value = match run {
                Some(value) => value,
                None => bits.byte()?,
            };
            if word % CHANNELS == CHANNELS - 1 {
                out.push(value);
            }
        }
        done += length;
    }
    Ok(out)
}

/// A stream of bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, up to 32, as a number.
    fn take(&mut self, count: usize) -> Result<u64, EventError> {
        let end = self.at + count;
        if end > self.bytes.len().saturating_mul(8) {
            return Err(unreadable("it ends too early"));
        }
        // Five bytes hold 32 bits, wherever in a byte those begin.
        let mut window = [0; 8];
        let bytes = self.bytes.iter().skip(self.at / 8);
        for (place, byte) in window.iter_mut().skip(3).zip(bytes) {
            *place = *byte;
        }
        let value = u64::from_be_bytes(window) >> (40 - self.at % 8 - count);
        self.at = end;
        Ok(value & ((1 << count) - 1))
    }

    fn byte(&mut self) -> Result<u8, EventError> {
        let [.., byte] = self.take(8)?.to_be_bytes();
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, decode};
    use crate::ErrorKind;

    #[test]
    fn sides_that_no_word_count_can_say_are_refused() {
        let size = Size {
            width: 1 << 31,
            height: 1 << 31,
        };
        // 2^64 words, which are none in 64 bits.
        let error = decode(&[0; 8], size, u64::MAX).expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::MaskUnreadable);
    }
}
