//! A delivery's body: exact wire bytes, in memory or in a spool.

use crate::BoxStream;
use crate::spool::Spooled;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use std::fmt;
use std::sync::Arc;
use std::task::Poll;

/// Pieces smaller than this are copied together as they arrive. So a sender of single bytes cannot make the
/// bookkeeping larger than the body, nor hold a whole read buffer by each piece of it that lies here.
const SMALL_CHUNK_BYTES: usize = 64 * 1024;

/// A whole body. Readers take it as a stream, so that none of them needs to know whether it is in memory.
#[derive(Clone)]
pub struct Payload(Storage);

#[derive(Clone)]
enum Storage {
    Memory(Gathered),
    Spooled(Arc<dyn Spooled>),
}

impl Payload {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Storage::Memory(gathered) => gathered.bytes,
            Storage::Spooled(spooled) => spooled.bytes(),
        }
    }

    /// Tells whether the payload has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, in order, as a stream.
    pub fn stream(&self) -> BoxStream<'_, std::io::Result<Bytes>> {
        match &self.0 {
            Storage::Memory(gathered) => Box::pin(stream::iter(gathered.chunks().map(Ok))),
            // Whoever reads it would keep the thread from everybody else for as long as that takes.
            Storage::Spooled(spooled) => Box::pin(spooled.stream().then(|piece| async {
                let_others_run().await;
                piece
            })),
        }
    }

    /// The bytes, in order, as slices; `None` when they are not in memory.
    pub fn in_memory(&self) -> Option<impl Iterator<Item = &[u8]>> {
        match &self.0 {
            Storage::Memory(gathered) => Some(gathered.slices()),
            Storage::Spooled(_) => None,
        }
    }

    /// The body in the spool, if it is there.
    pub fn spooled(&self) -> Option<&dyn Spooled> {
        match &self.0 {
            Storage::Memory(_) => None,
            Storage::Spooled(spooled) => Some(&**spooled),
        }
    }
}

/// Bodies carry tokens and personal data: only the length shows.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        let mut gathered = Gathered::default();
        gathered.push(bytes);
        gathered.into()
    }
}

impl From<Gathered> for Payload {
    fn from(gathered: Gathered) -> Self {
        Self(Storage::Memory(gathered))
    }
}

impl From<Arc<dyn Spooled>> for Payload {
    fn from(spooled: Arc<dyn Spooled>) -> Self {
        Self(Storage::Spooled(spooled))
    }
}

/// A body in memory, in the pieces in which it arrived.
#[derive(Clone, Default)]
pub(crate) struct Gathered {
    chunks: Vec<Bytes>,
    tail: BytesMut,
    bytes: u64,
}

impl Gathered {
    /// Adds what arrived next.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        if chunk.len() >= SMALL_CHUNK_BYTES {
            self.close();
            self.chunks.push(chunk);
            return;
        }
        let mut rest = &*chunk;
        while !rest.is_empty() {
            if self.tail.len() == self.tail.capacity() {
                self.close();
                // One piece fits exactly; more of them double what there is.
                let grown = usize::try_from(self.bytes).unwrap_or(SMALL_CHUNK_BYTES);
                self.tail = BytesMut::with_capacity(grown.clamp(rest.len(), SMALL_CHUNK_BYTES));
            }
            let room = self.tail.capacity() - self.tail.len();
            let (fits, more) = rest.split_at(room.min(rest.len()));
            self.tail.extend_from_slice(fits);
            rest = more;
        }
    }

    fn close(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(std::mem::take(&mut self.tail).freeze());
        }
    }

    /// The pieces, in order.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Bytes> {
        let tail = (!self.tail.is_empty()).then(|| Bytes::copy_from_slice(&self.tail));
        self.chunks.iter().cloned().chain(tail)
    }

    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks
            .iter()
            .map(AsRef::as_ref)
            .chain((!self.tail.is_empty()).then_some(&*self.tail))
    }
}

/// Pending once.
async fn let_others_run() {
    let mut they_did = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut they_did, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
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
            let (mut gathered, mut at) = (Gathered::default(), 0);
            for size in sizes.iter().cycle() {
                let end = (at + size).min(body.len());
                gathered.push(Bytes::copy_from_slice(&body[at..end]));
                at = end;
                if at == body.len() {
                    break;
                }
            }
            assert!(
                gathered.chunks.len() <= 64,
                "{} pieces",
                gathered.chunks.len()
            );
            let payload = Payload::from(gathered);
            let out: Vec<u8> = payload
                .in_memory()
                .expect("in memory")
                .flatten()
                .copied()
                .collect();
            assert_eq!(out, body);
            assert_eq!(payload.len(), 100_000);
        }
    }
}
