//! Contents of a file: lines, packed by gzip. The same lines are packed to the same bytes.

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Read as _, Write as _};

/// A file of ours holds less: a batch, or some that were put together, and one event more, which the embedded queue takes up
/// to 512 MiB. What a stranger put there may hold more than any memory.
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
        Self::unpack_within(packed, MAX_UNPACKED)
    }

    /// The same, of a file that holds less than so many bytes.
    fn unpack_within(packed: &[u8], most: u64) -> Self {
        let mut text = Vec::new();
        let mut unpacked = MultiGzDecoder::new(packed).take(most);
        let read = unpacked.read_to_end(&mut text);
        let mut damage = read
            .err()
            .map(|error| format!("it cannot be unpacked ({error})"));
        if text.len() as u64 == most {
            damage = Some(format!(
                "it holds {most} bytes or more, and no file of an archive does"
            ));
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
    fn a_file_that_holds_more_than_any_is_read_up_to_a_bound() {
        let line = vec![b'x'; 1000];
        let packed = pack((0..1000).map(|_| line.as_slice())).unwrap();
        assert!(packed.len() < 20_000, "{} bytes", packed.len());
        let lines = Lines::unpack_within(&packed, 10_500);
        assert_eq!(lines.whole().count(), 10);
        assert!(lines.text.capacity() < 100_000);
        let damage = lines.damage().unwrap();
        assert!(damage.contains("10500 bytes or more"), "{damage}");
        // Without the end of any line, there is nothing to read.
        let endless = pack([&vec![0; 1_000_000][..]]).unwrap();
        let lines = Lines::unpack_within(&endless, 10_500);
        assert!(lines.whole().next().is_none() && lines.damage().is_some());
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
