//! The embedded queue behind a wrapper that breaks it.

use super::mode::{Mode, Switch};
use bytes::Bytes;
use labelrelay_core::derive::Derivation;
use labelrelay_core::task_facts::TaskFact;
use labelrelay_core::{
    BoxFuture, Copies, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits,
    Receipt,
};
use labelrelay_local::EmbeddedQueue;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sabotages that spoil few messages spoil one in this many. A process that is killed begins to count anew, and takes some
/// hundred in between: each of them shall spoil more than one, since one can be sent again later, and is there then.
const ONE_IN: u64 = 100;

pub(super) struct LabQueue {
    queue: Arc<EmbeddedQueue>,
    switch: Switch,
    derivation: Option<Arc<Derivation>>,
    sabotage: Option<Sabotage>,
    sent: AtomicU64,
    /// Written bodies, by their digests.
    bodies: Mutex<HashSet<String>>,
}

/// Breaking the promise on purpose, to see that the oracle notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    /// Says yes before the event is written.
    Early,
    /// Says yes and writes nothing, now and then.
    Drop,
    /// Changes a byte of the data, now and then.
    Flip,
    /// Says "a repeat" and writes nothing, now and then.
    Swallow,
    /// Takes equal bodies for one event, and writes the first alone.
    Merge,
    /// Does not see that the queue's files were taken away, and says yes.
    Blind,
    /// Tells of an annotation that went with others once more, under another id.
    Echo,
}

impl LabQueue {
    pub(super) fn new(
        queue: Arc<EmbeddedQueue>,
        switch: Switch,
        derivation: Option<Arc<Derivation>>,
        sabotage: Option<&str>,
    ) -> Self {
        let sabotage = match sabotage {
            Some("early") => Some(Sabotage::Early),
            Some("drop") => Some(Sabotage::Drop),
            Some("flip") => Some(Sabotage::Flip),
            Some("swallow") => Some(Sabotage::Swallow),
            Some("merge") => Some(Sabotage::Merge),
            Some("blind") => Some(Sabotage::Blind),
            Some("echo") => Some(Sabotage::Echo),
            // Sabotages of other components.
            Some("twice" | "forge" | "hasty" | "forget") | None => None,
            Some(other) => panic!("no sabotage: {other}"),
        };
        Self {
            queue,
            switch,
            derivation,
            sabotage,
            sent: AtomicU64::new(0),
            bodies: Mutex::default(),
        }
    }

    async fn sabotaged(
        &self,
        message: &OutboundMessage,
        sabotage: Sabotage,
    ) -> Result<Receipt, QueueError> {
        let now_and_then = self.sent.fetch_add(1, Ordering::Relaxed) % ONE_IN == ONE_IN / 2;
        match sabotage {
            Sabotage::Early => {
                let (queue, message) = (Arc::clone(&self.queue), message.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    queue.send(&message).await
                });
                Ok(Receipt::new(None))
            }
            Sabotage::Drop if now_and_then => Ok(Receipt::new(None)),
            Sabotage::Swallow if now_and_then => Ok(Receipt::repeat(None)),
            Sabotage::Merge => {
                let digest = message.attributes.datasha256.clone();
                if !self.bodies.lock().unwrap().insert(digest) {
                    return Ok(Receipt::repeat(None));
                }
                self.queue.send(message).await
            }
            Sabotage::Blind => match self.queue.send(message).await {
                Err(error) if error.kind == QueueErrorKind::Unavailable && !error.retryable => {
                    Ok(Receipt::new(None))
                }
                sent => sent,
            },
            Sabotage::Flip if now_and_then => {
                let mut envelope = message.body.to_vec();
                // The last byte of the data: before it ends, and the envelope.
                let at = envelope.len() - 3;
                envelope[at] ^= 1;
                let attributes = Arc::clone(&message.attributes);
                let message = OutboundMessage::new(attributes, Bytes::from(envelope));
                self.queue.send(&message).await
            }
            Sabotage::Echo => {
                let receipt = self.queue.send(message).await?;
                if let Some(echo) = self.echo(message) {
                    self.queue.send(&echo).await?;
                }
                Ok(receipt)
            }
            _ => self.queue.send(message).await,
        }
    }

    /// A deletion that follows from a message, as if another version had been the last of what is gone.
    fn echo(&self, message: &OutboundMessage) -> Option<OutboundMessage> {
        let derivation = self.derivation.as_ref()?;
        let event = derivation.read(message)?;
        let TaskFact::AnnotationsGone {
            ids,
            are_several: true,
        } = event.facts.first()?
        else {
            return None;
        };
        let (cause, annotation) = (&event.cause, *ids.first()?);
        let project = cause.project.as_deref();
        derivation.deletion(
            cause,
            annotation,
            Some("another"),
            None,
            project,
            self.queue.limits(),
        )
    }

    async fn faulty(&self, message: &OutboundMessage) -> Result<Receipt, QueueError> {
        let failed = |kind| Err(QueueError::new(kind, "a fault of the laboratory"));
        match self.switch.mode() {
            Mode::Fine | Mode::Killing => match self.sabotage {
                Some(sabotage) => self.sabotaged(message, sabotage).await,
                None => self.queue.send(message).await,
            },
            Mode::Refusing(kind) => failed(match kind {
                "throttled" => QueueErrorKind::Throttled,
                "full" => QueueErrorKind::Full,
                "denied" => QueueErrorKind::Denied,
                _ => QueueErrorKind::Unavailable,
            }),
            Mode::Hanging => {
                self.switch.until_not(Mode::Hanging).await;
                failed(QueueErrorKind::Unavailable)
            }
            Mode::Slow => {
                // Some in time, some not; by the event, so that it is the same in each run.
                let ms = message.id().bytes().map(u64::from).sum::<u64>() % 90;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.queue.send(message).await
            }
            Mode::Lying => {
                self.queue.send(message).await?;
                failed(QueueErrorKind::Unproven)
            }
            Mode::LyingLate => {
                self.queue.send(message).await?;
                self.switch.until_not(Mode::LyingLate).await;
                failed(QueueErrorKind::Unavailable)
            }
        }
    }
}

impl EventQueue for LabQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(self.faulty(message))
    }

    fn limits(&self) -> QueueLimits {
        self.queue.limits()
    }

    fn copies(&self) -> Copies {
        self.queue.copies()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        self.queue.check()
    }
}
