//! Contents of a file: lines, packed by gzip. The same lines are packed to the same bytes.

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Read as _, Write as _};

/// A file of ours holds less. What a stranger put there may hold more than any memory.
const MAX_UNPACKED: u64 = 1024 * 1024 * 1024;

/// Packs lines. No time and no name is in it, so that a repeat is the same.
pub(crate) fn pack<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Bytes> {
    // The fastest level: a relay with two processors has deliveries to answer meanwhile.
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(out.finish()?.into())
}

/// A file as it is stored. `Debug` shows nothing of it: it is other people's data.
pub struct Packed(Bytes);

impl Packed {
    pub(crate) fn of(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The file's lines.
    pub fn unpack(&self) -> Lines {
        Lines::unpack(&self.0)
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed")
            .field("bytes", &self.0.len())
            .finish()
    }
}

/// Lines of a file, as far as it can be read. `Debug` shows none: they are other people's data.
pub struct Lines {
    text: Vec<u8>,
    damage: Option<String>,
}

impl Lines {
    /// Unpacks a file.
    pub(crate) fn unpack(packed: &[u8]) -> Self {
        let mut text = Vec::new();
        let mut unpacked = MultiGzDecoder::new(packed).take(MAX_UNPACKED);
        let read = unpacked.read_to_end(&mut text);
        let mut damage = read
            .err()
            .map(|error| format!("it cannot be unpacked ({error})"));
        if text.len() as u64 == MAX_UNPACKED {
            damage = Some("it is larger than any file of an archive".to_owned());
        }
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let end = end.map_or(0, |at| at + 1);
        if end < text.len() {
            text.truncate(end);
            damage.get_or_insert_with(|| "it ends in the middle of a line".to_owned());
        }
        Self { text, damage }
    }

    /// Every whole line, without its end.
    pub fn whole(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.text.split(|byte| *byte == b'\n');
        lines.filter(|line| !line.is_empty())
    }

    /// Why these are not all of them, if they are not.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("bytes", &self.text.len())
            .field("damage", &self.damage)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&[u8]; 3] = [b"{\"a\":1}", b"{}", b"{\"b\":\"\\n\"}"];

    #[test]
    fn lines_come_back_and_are_packed_the_same_way_twice() {
        let packed = pack(LINES).unwrap();
        let lines = Lines::unpack(&packed);
        assert_eq!(lines.whole().collect::<Vec<_>>(), LINES);
        assert_eq!(lines.damage(), None);
        assert_eq!(pack(LINES).unwrap(), packed);
        let twice = Lines::unpack(&[&packed[..], &packed[..]].concat());
        assert_eq!((twice.whole().count(), twice.damage()), (6, None));
    }

    #[test]
    fn of_a_file_that_was_cut_off_the_whole_lines_are_read() {
        let many: Vec<Vec<u8>> = (0..20_000)
            .map(|n: u32| n.to_string().into_bytes())
            .collect();
        let packed = pack(many.iter().map(Vec::as_slice)).unwrap();
        for length in [0, 1, 10, packed.len() / 2, packed.len() - 1] {
            let lines = Lines::unpack(&packed[..length]);
            assert!(lines.damage().is_some(), "{length} bytes");
            assert!(
                lines
                    .whole()
                    .zip(&many)
                    .all(|(read, written)| read == written)
            );
        }
        let half = Lines::unpack(&packed[..packed.len() / 2]);
        assert!(half.whole().count() > 1000);
        let foreign = Lines::unpack(b"id,name\n1,a\n");
        assert!(foreign.damage().is_some() && foreign.whole().next().is_none());
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(b"{}\n{").unwrap();
        let unended = Lines::unpack(&out.finish().unwrap());
        assert_eq!(unended.whole().collect::<Vec<_>>(), [b"{}"]);
        assert!(unended.damage().is_some());
    }
}
