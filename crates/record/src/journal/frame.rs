//! One group of deliveries in the journal, and the facts in front of it.
//!
//! A frame is written at once. Its checksum tells whether all of it came to the file.

use crate::class::PerClass;
use crate::sums::Sums;

/// Bytes in front of the entries.
pub(crate) const HEADER_BYTES: usize = 68;

const MAGIC: [u8; 4] = *b"LRjf";

/// More than one group ever has: a length beyond it was written by somebody else.
const MOST_BYTES: u32 = 64 * 1024 * 1024;

/// What stands in front of the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    checksum: u32,
    /// Bytes of the entries.
    pub(crate) length: u32,
    /// Number of the first delivery; the others follow without a gap.
    pub(crate) first: i64,
    pub(crate) sums: PerClass<Sums>,
}

impl Header {
    /// Number of the last delivery.
    pub(crate) fn last(&self) -> i64 {
        let rows = i64::try_from(self.sums.rows()).unwrap_or(i64::MAX);
        self.first.saturating_add(rows).saturating_sub(1)
    }

    /// Reads one; `None` if these bytes are none.
    pub(crate) fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let (length, mut rest) = rest.split_first_chunk::<4>()?;
        let mut number = || {
            let (number, behind) = rest.split_first_chunk::<8>()?;
            rest = behind;
            Some(u64::from_le_bytes(*number))
        };
        let first = i64::try_from(number()?).ok()?;
        let mut sums = || {
            let sums = Sums {
                rows: number()?,
                bytes: number()?,
                body_bytes: number()?,
            };
            (sums.rows <= u64::from(MOST_BYTES)).then_some(sums)
        };
        let header = Self {
            checksum: u32::from_le_bytes(*checksum),
            length: u32::from_le_bytes(*length),
            first,
            sums: PerClass {
                verified: sums()?,
                stranger: sums()?,
            },
        };
        let is_possible = header.length <= MOST_BYTES && header.sums.rows() > 0 && first > 0;
        is_possible.then_some(header)
    }

    /// Tells whether this is the header of the same frame, whatever stands in it by now.
    pub(crate) fn has_facts_of(&self, other: &Self) -> bool {
        let checksum = other.checksum;
        Self { checksum, ..*self } == *other
    }

    /// Tells whether these are its entries.
    pub(crate) fn is_of(&self, entries: &[u8]) -> bool {
        self.checksum == checksum(&facts(self.length, self.first, &self.sums), entries)
    }
}

/// Writes the facts of a frame into its first bytes, which were left free for them.
pub(crate) fn seal(frame: &mut [u8], first: i64, sums: &PerClass<Sums>) {
    let Some((header, entries)) = frame.split_first_chunk_mut::<HEADER_BYTES>() else {
        return;
    };
    let length = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let facts = facts(length, first, sums);
    let (magic, rest) = header.split_at_mut(4);
    let (sum, rest) = rest.split_at_mut(4);
    magic.copy_from_slice(&MAGIC);
    sum.copy_from_slice(&checksum(&facts, entries).to_le_bytes());
    rest.copy_from_slice(&facts);
}

fn facts(length: u32, first: i64, sums: &PerClass<Sums>) -> [u8; HEADER_BYTES - 8] {
    let mut facts = [0; HEADER_BYTES - 8];
    let (start, rest) = facts.split_at_mut(4);
    start.copy_from_slice(&length.to_le_bytes());
    let numbers = [
        first.cast_unsigned(),
        sums.verified.rows,
        sums.verified.bytes,
        sums.verified.body_bytes,
        sums.stranger.rows,
        sums.stranger.bytes,
        sums.stranger.body_bytes,
    ];
    for (room, number) in rest.chunks_exact_mut(8).zip(numbers) {
        room.copy_from_slice(&number.to_le_bytes());
    }
    facts
}

fn checksum(facts: &[u8], entries: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(facts);
    hasher.update(entries);
    hasher.finalize()
}
