//! RFC 4648 base64 with padding, both ways. Here because this crate promises consumers a tree of
//! serde, `serde_json` and `sha2` alone.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encoder that takes its input in pieces.
#[derive(Default)]
pub(crate) struct Encoder {
    pending: [u8; 3],
    held: usize,
}

impl Encoder {
    pub(crate) fn update(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        while self.held > 0 && self.held < 3 {
            let Some((&first, rest)) = input.split_first() else {
                return;
            };
            self.push(first);
            input = rest;
        }
        self.flush_full(out);
        let mut groups = input.chunks_exact(3);
        for group in &mut groups {
            let mut word = [0; 3];
            word.copy_from_slice(group);
            out.extend_from_slice(&quad(word));
        }
        for &byte in groups.remainder() {
            self.push(byte);
        }
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        let [a, b, _] = self.pending;
        match self.held {
            1 => {
                let [first, second, ..] = quad([a, 0, 0]);
                out.extend_from_slice(&[first, second, b'=', b'=']);
            }
            2 => {
                let [first, second, third, _] = quad([a, b, 0]);
                out.extend_from_slice(&[first, second, third, b'=']);
            }
            _ => {}
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.pending.get_mut(self.held) {
            *place = byte;
            self.held += 1;
        }
    }

    fn flush_full(&mut self, out: &mut Vec<u8>) {
        if self.held == 3 {
            out.extend_from_slice(&quad(self.pending));
            self.held = 0;
        }
    }
}

fn quad([a, b, c]: [u8; 3]) -> [u8; 4] {
    let word = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    [18, 12, 6, 0].map(|shift| {
        let index = usize::try_from((word >> shift) & 63).unwrap_or_default();
        ALPHABET.get(index).copied().unwrap_or_default()
    })
}

/// Decodes padded base64; `None` when it is not.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let value = |c: u8| -> Option<u32> {
        Some(match c {
            b'A'..=b'Z' => u32::from(c - b'A'),
            b'a'..=b'z' => u32::from(c - b'a') + 26,
            b'0'..=b'9' => u32::from(c - b'0') + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let groups = text.len() / 4;
    for (index, group) in text.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|&&c| c == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups) {
            return None;
        }
        let mut word = 0;
        for &c in group.iter().take(4 - padding) {
            word = word << 6 | value(c)?;
        }
        word <<= 6 * padding;
        let [_, bytes @ ..] = word.to_be_bytes();
        let (kept, dropped) = bytes.split_at(3 - padding);
        if dropped.iter().any(|&b| b != 0) {
            return None;
        }
        out.extend_from_slice(kept);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_of_every_length_round_trips() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(73) ^ 0xa5).collect();
            for split in 0..=bytes.len() {
                let (mut encoder, mut text) = (Encoder::default(), Vec::new());
                let (head, tail) = bytes.split_at(split);
                encoder.update(head, &mut text);
                encoder.update(tail, &mut text);
                encoder.finish(&mut text);
                assert_eq!(
                    decode(&text).as_deref(),
                    Some(bytes.as_slice()),
                    "{length} at {split}"
                );
            }
        }
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(decode(coded.as_bytes()).as_deref(), Some(plain.as_bytes()));
        }
        for wrong in ["Z", "Zg=", "Zg==Zg==", "Zh==", "Z===", "====", "Zm9-"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
