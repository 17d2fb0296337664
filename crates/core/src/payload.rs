//! A delivery's body: exact wire bytes, in the pieces in which they arrived.

use crate::BoxStream;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use std::fmt;

/// Pieces smaller than this are joined as they arrive, so that a sender of single bytes cannot make
/// the bookkeeping larger than the body.
const SMALL_CHUNK_BYTES: usize = 8 * 1024;

/// A whole body. Held in memory; readers take it as a stream, so that a body that lies elsewhere can
/// become another form of this type without changing them.
#[derive(Clone, Default)]
pub struct Payload {
    chunks: Vec<Bytes>,
    tail: BytesMut,
    bytes: u64,
}

impl Payload {
    /// Adds what arrived next.
    pub fn push(&mut self, chunk: Bytes) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if chunk.is_empty() {
        } else if self.tail.is_empty()
            && (self.chunks.is_empty() || chunk.len() >= SMALL_CHUNK_BYTES)
        {
            self.chunks.push(chunk);
        } else {
            self.tail.extend_from_slice(&chunk);
            if self.tail.len() >= SMALL_CHUNK_BYTES {
                self.chunks.push(self.tail.split().freeze());
            }
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The bytes, in order, as a stream.
    pub fn stream(&self) -> BoxStream<'_, std::io::Result<Bytes>> {
        let tail = (!self.tail.is_empty()).then(|| Bytes::copy_from_slice(&self.tail));
        Box::pin(stream::iter(
            self.chunks.iter().cloned().chain(tail).map(Ok),
        ))
    }

    /// The bytes, in order, as slices; `None` when they do not lie in memory.
    pub fn in_memory(&self) -> Option<impl Iterator<Item = &[u8]>> {
        Some(
            self.chunks
                .iter()
                .map(AsRef::as_ref)
                .chain((!self.tail.is_empty()).then_some(&*self.tail)),
        )
    }
}

/// Bodies carry tokens and personal data: only the length shows.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes)
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        let mut payload = Self::default();
        payload.push(bytes);
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_out_are_bytes_in_however_they_arrive() {
        let body: Vec<u8> = (0..100_000_u32)
            .map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1])
            .collect();
        for sizes in [
            &[1_usize][..],
            &[100_000],
            &[9000, 1, 1, 8192, 3],
            &[0, 7, 0, 40_000],
        ] {
            let (mut payload, mut at) = (Payload::default(), 0);
            for size in sizes.iter().cycle() {
                let end = (at + size).min(body.len());
                payload.push(Bytes::copy_from_slice(&body[at..end]));
                at = end;
                if at == body.len() {
                    break;
                }
            }
            let out: Vec<u8> = payload
                .in_memory()
                .expect("in memory")
                .flatten()
                .copied()
                .collect();
            assert_eq!(out, body);
            assert_eq!(payload.len(), 100_000);
            assert!(
                payload.chunks.len() <= 64,
                "{} pieces",
                payload.chunks.len()
            );
        }
    }
}
