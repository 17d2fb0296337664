//! A queue whose large messages are in S3, whole, for consumers that use AWS's extended clients of SQS.

use super::SqsQueue;
use super::message_content::MessageContent;
use crate::s3::{MAX_OBJECT, S3BlobStore};
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use labelrelay_core::{
    BlobError, BlobStore as _, BoxFuture, BoxStream, Copies, DeadLetterCount, EventQueue,
    OutboundMessage, QueueError, QueueErrorKind, QueueLimits, Receipt,
};
use labelrelay_event::{Digest, S3Pointer};
use std::fmt;
use std::io;

/// Bytes that are handed to the HTTP client at a time.
const PIECE: usize = 1024 * 1024;

/// A queue of SQS that puts an envelope which is too large for a message into S3, whole, and then sends a pointer to it, as
/// AWS's extended clients of SQS do. What is small enough is sent as it is.
///
/// The object is durable before the pointer is sent. Its name ends in the digest of the envelope: no event replaces another,
/// and an attempt that is tried again finds its own.
pub struct ExtendedSqsQueue {
    queue: SqsQueue,
    store: S3BlobStore,
}

impl ExtendedSqsQueue {
    pub(crate) fn new(queue: SqsQueue, store: S3BlobStore) -> Self {
        Self { queue, store }
    }

    async fn try_send(&self, message: &OutboundMessage) -> Result<Receipt, QueueError> {
        let bytes = self.queue.message_bytes(message);
        if bytes <= self.queue.limits().max_message_bytes {
            match self
                .queue
                .try_send(&MessageContent::envelope(message))
                .await
            {
                // Its limit was lowered.
                Err(error) if error.kind == QueueErrorKind::TooLarge => {}
                sent => return sent,
            }
        }
        let limit = self.limits().max_message_bytes;
        if bytes > limit {
            return Err(QueueError::new(
                QueueErrorKind::TooLarge,
                format!("the message has {bytes} bytes, and no object is larger than {limit}"),
            ));
        }
        let pointer = self.put(message).await.map_err(not_stored)?;
        let content = MessageContent::pointer(message, &pointer);
        self.queue.try_send(&content).await
    }

    async fn put(&self, message: &OutboundMessage) -> Result<S3Pointer, BlobError> {
        let envelope = &message.body;
        let key = key(message, Timestamp::now());
        let length = envelope.len() as u64;
        let uri = self.store.put(&key, length, pieces(envelope)).await?;
        let place = uri.strip_prefix("s3://").and_then(|at| at.split_once('/'));
        let (bucket, key) =
            place.ok_or_else(|| BlobError::permanent(format!("{uri} is no place in S3, a bug")))?;
        Ok(S3Pointer::new(bucket, key))
    }
}

fn pieces(envelope: &Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    let envelope = envelope.clone();
    let starts = (0..envelope.len()).step_by(PIECE);
    let piece = move |at: usize| Ok(envelope.slice(at..envelope.len().min(at + PIECE)));
    Box::pin(stream::iter(starts.map(piece)))
}

/// Key below the store's prefix: day and source, as those of claimed bodies, and the digest of the envelope. The day is that
/// of the attempt: what waited for weeks in a fallback must not find an object that a lifecycle rule is about to remove.
fn key(message: &OutboundMessage, now: Timestamp) -> String {
    let day = now.strftime("%Y/%m/%d");
    // An envelope that comes back from a fallback may be another program's: its source must not lead elsewhere.
    let source = message.source().trim_start_matches('/');
    let source = if is_plain(source) { source } else { "unnamed" };
    let digest = Digest::of(&message.body).to_hex();
    format!("{day}/{source}/{digest}")
}

fn is_plain(source: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=40).contains(&source.len()) && source.bytes().all(plain)
}

/// The message is not sent: its envelope is in no place yet.
fn not_stored(error: BlobError) -> QueueError {
    let message = format!("the envelope is too large for a message: {error}");
    let kind = if error.retryable {
        QueueErrorKind::Unavailable
    } else {
        QueueErrorKind::Misconfigured
    };
    QueueError::new(kind, message).caused_by(error)
}

impl EventQueue for ExtendedSqsQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(self.try_send(message))
    }

    fn copies(&self) -> Copies {
        self.queue.copies()
    }

    fn offloads_above(&self) -> Option<u64> {
        Some(self.queue.limits().max_message_bytes)
    }

    /// No larger than what a consumer of ours reads.
    fn limits(&self) -> QueueLimits {
        QueueLimits {
            max_message_bytes: MAX_OBJECT as u64,
            ..self.queue.limits()
        }
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        self.queue.message_bytes(message)
    }

    /// The store is checked with the relay's own.
    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        self.queue.check()
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        self.queue.dead_letters()
    }
}

impl fmt::Debug for ExtendedSqsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtendedSqsQueue({:?}, {:?})", self.queue, self.store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, EventType};

    fn message(source: &str) -> OutboundMessage {
        let body = b"{}";
        let kind = EventType::from_static("a.b.c");
        let received = "2026-11-29T00:00:00Z";
        let attributes = Attributes::new("1", source, &kind, &Digest::of(body), received);
        OutboundMessage::new(attributes, &body[..])
    }

    /// Red if an attribute decides where an object goes, or if two envelopes share one.
    #[test]
    fn a_key_is_the_events_own_and_leads_nowhere_else() {
        let digest = Digest::of(b"{}").to_hex();
        let now = "2026-11-29T23:59:59.5Z".parse().unwrap();
        for (source, folder) in [
            ("/labelbox", "labelbox"),
            ("/a/../../b", "unnamed"),
            ("/..", "unnamed"),
            ("/", "unnamed"),
        ] {
            let mut message = message(source);
            assert_eq!(key(&message, now), format!("2026/11/29/{folder}/{digest}"));
            message.body = Bytes::from_static(b"{ }");
            assert_ne!(key(&message, now), format!("2026/11/29/{folder}/{digest}"));
        }
    }

    #[test]
    fn attributes_of_a_pointer_are_few_and_in_the_order_of_their_names() {
        let mut message = message("/labelbox");
        message.body = Bytes::from(vec![b' '; 6_000_000]);
        let content = MessageContent::pointer(&message, &S3Pointer::new("b", "k"));
        let values = content.attribute_values().unwrap();
        let size = &values[S3Pointer::SIZE_ATTRIBUTE];
        assert_eq!(
            (size.data_type(), size.string_value()),
            ("Number", Some("6000000"))
        );
        assert_eq!(values.len(), 4);
        assert!(content.counted_bytes() < 400);
    }
}
