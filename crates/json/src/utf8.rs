//! UTF-8 in pieces, the two noncharacters that XML 1.0 refuses, and the three characters beyond ASCII at
//! which programs end a line.

/// Checks that pieces together are UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Utf8 {
    /// The beginning of a character whose end has not arrived.
    held: [u8; 4],
    held_bytes: usize,
    /// Bits of [`NONCHARACTER`] and [`SEPARATOR`] that were found.
    found: u8,
}

/// U+FFFE or U+FFFF.
const NONCHARACTER: u8 = 1;
/// U+0085, U+2028 or U+2029.
const SEPARATOR: u8 = 2;

impl Utf8 {
    /// Takes the next piece; `false` when it cannot be UTF-8 any more.
    pub(crate) fn update(&mut self, mut piece: &[u8]) -> bool {
        if self.held_bytes > 0 {
            match self.complete(piece) {
                Some(rest) => piece = rest,
                None => return false,
            }
        }
        if piece.is_ascii() {
            return true;
        }
        let (whole, tail) = match std::str::from_utf8(piece) {
            Ok(_) => (piece, &[][..]),
            Err(error) if error.error_len().is_none() => piece.split_at(error.valid_up_to()),
            Err(_) => return false,
        };
        self.found |= found(whole);
        self.hold(tail);
        true
    }

    /// Tells whether the last character is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.held_bytes == 0
    }

    pub(crate) fn has_noncharacters(&self) -> bool {
        self.found & NONCHARACTER != 0
    }

    pub(crate) fn has_line_separators(&self) -> bool {
        self.found & SEPARATOR != 0
    }

    /// Adds to the held character until it is whole, then returns what follows it.
    fn complete<'a>(&mut self, mut piece: &'a [u8]) -> Option<&'a [u8]> {
        while let Some((&byte, rest)) = piece.split_first() {
            *self.held.get_mut(self.held_bytes)? = byte;
            self.held_bytes += 1;
            piece = rest;
            let character = self.held.get(..self.held_bytes)?;
            match std::str::from_utf8(character) {
                Ok(_) => {
                    self.found |= found(character);
                    self.held_bytes = 0;
                    break;
                }
                Err(error) if error.error_len().is_some() => return None,
                Err(_) => {}
            }
        }
        Some(piece)
    }

    fn hold(&mut self, tail: &[u8]) {
        for (place, &byte) in self.held.iter_mut().zip(tail) {
            *place = byte;
        }
        self.held_bytes = tail.len();
    }
}

/// Which of them stand in valid UTF-8: EF BF BE and EF BF BF; E2 80 A8, E2 80 A9 and C2 85.
fn found(text: &[u8]) -> u8 {
    // No early exit and no branch, so that the compiler makes vectors of it.
    let (second, third) = (
        text.get(1..).unwrap_or_default(),
        text.get(2..).unwrap_or_default(),
    );
    let triples = text.iter().zip(second).zip(third);
    let (noncharacter, separator) =
        triples.fold((0, 0), |(noncharacter, separator), ((&a, &b), &c)| {
            let wide = u8::from(a == 0xe2) & u8::from(b == 0x80) & u8::from(c | 1 == 0xa9);
            (
                noncharacter | (u8::from(a == 0xef) & u8::from(b == 0xbf) & u8::from(c >= 0xbe)),
                separator | wide | (u8::from(a == 0xc2) & u8::from(b == 0x85)),
            )
        });
    let last = u8::from(text.ends_with(b"\xc2\x85"));
    noncharacter * NONCHARACTER + (separator | last) * SEPARATOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_two(bytes: &[u8], split: usize) -> (bool, bool, bool) {
        let (head, tail) = bytes.split_at(split);
        let mut utf8 = Utf8::default();
        let valid = utf8.update(head) && utf8.update(tail) && utf8.is_complete();
        (valid, utf8.has_noncharacters(), utf8.has_line_separators())
    }

    #[test]
    fn every_split_decides_as_std_does() {
        let samples: [&[u8]; 17] = [
            "añ€😀z".as_bytes(),
            "\u{fffe}".as_bytes(),
            "x\u{ffff}y".as_bytes(),
            "\u{fffd}\u{1fffe}\u{fdd0}".as_bytes(),
            b"\xed\xa0\x80",
            b"\xc0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"a\x80",
            b"\xff",
            b"\xe2\x82a",
            "\u{85}".as_bytes(),
            "é\u{85}".as_bytes(),
            "a\u{2028}b".as_bytes(),
            "\u{2029}".as_bytes(),
            "\u{2027}\u{202a}\u{84}\u{86}\u{a85}\u{20a8}".as_bytes(),
        ];
        for bytes in samples {
            let expected = std::str::from_utf8(bytes).is_ok();
            for split in 0..=bytes.len() {
                let (valid, noncharacters, separators) = in_two(bytes, split);
                assert_eq!(valid, expected, "{bytes:02x?} at {split}");
                if valid {
                    let text = std::str::from_utf8(bytes).unwrap();
                    assert_eq!(
                        noncharacters,
                        text.contains(['\u{fffe}', '\u{ffff}']),
                        "{bytes:02x?} at {split}"
                    );
                    assert_eq!(
                        separators,
                        text.contains(['\u{85}', '\u{2028}', '\u{2029}']),
                        "{bytes:02x?} at {split}"
                    );
                }
            }
        }
    }
}
