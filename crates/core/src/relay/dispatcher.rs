//! From a described event to a durable one: the queue, a claim check before it where the event is too
//! large, the fallback where the queue does not take it in time.

use super::body_reader::BodyReader;
use super::claim_check::ClaimCheck;
use super::delivery::Delivery;
use super::described_event::DescribedEvent;
use super::embedder::{Embedder, NotEmbedded};
use super::fallback_policy::FallbackPolicy;
use super::memory_estimate::Memory;
use super::not_stored::NotStored;
use super::parts::Parts;
use super::queue_sender::QueueSender;
use super::refusal::Refusal;
use super::trace_writer::TraceWriter;
use crate::blob::BlobError;
use crate::outcome::{Answer, Outcome};
use crate::queue::{EventQueue, OutboundMessage, QueueError, QueueErrorKind};
use crate::transfer_allowance::transfer_allowance;
use std::sync::Arc;

/// Makes events durable, in whichever place takes them.
pub(super) struct Dispatcher {
    queue: Arc<dyn EventQueue>,
    memory: Memory,
    embedder: Embedder,
    claim_check: Option<ClaimCheck>,
    sender: QueueSender,
    fallback: Option<FallbackPolicy>,
    traces: Option<TraceWriter>,
}

impl Dispatcher {
    pub(super) fn new(parts: &Parts, body_reader: &Arc<BodyReader>, memory: Memory) -> Self {
        Self {
            queue: Arc::clone(&parts.queue),
            embedder: Embedder::new(parts, Arc::clone(body_reader), memory.clone()),
            memory,
            claim_check: ClaimCheck::new(parts),
            sender: QueueSender::new(parts),
            fallback: FallbackPolicy::new(parts),
            traces: TraceWriter::new(parts),
        }
    }

    /// Makes the event durable. The answer is a success only when it is.
    pub(super) async fn deliver(
        &self,
        delivery: &mut Delivery,
        event: &DescribedEvent<'_>,
    ) -> Answer {
        let embedded = self
            .embedder
            .embed_if_small(event, &mut delivery.in_flight)
            .await;
        let not_embedded = match embedded {
            Ok(message) => match self.store_whole(delivery, &message).await {
                // The queue's limit was lowered, or it counts in another way than we do.
                Err(error) if error.kind == QueueErrorKind::TooLarge => NotEmbedded::TooLarge,
                stored => return self.conclude(stored, &message, delivery).await,
            },
            Err(why) => why,
        };
        let why = match Box::pin(self.claim(delivery, event)).await {
            Ok(message) => {
                let stored = Box::pin(self.store(delivery, &message)).await;
                return self.conclude(stored, &message, delivery).await;
            }
            Err(error) => NotStored::of(not_embedded, error),
        };
        // The queue may take what the blob store does not.
        if why.embedding_may_help() {
            let embedded = self.embedder.embed_if_fits(event, &mut delivery.in_flight);
            if let Ok(message) = Box::pin(embedded).await {
                match Box::pin(self.store_whole(delivery, &message)).await {
                    Err(error) if error.kind == QueueErrorKind::TooLarge => {}
                    stored => return self.conclude(stored, &message, delivery).await,
                }
            }
        }
        Box::pin(self.without_a_place(delivery, event, &why)).await
    }

    /// Answers. What the queue has leaves a trace before; what is in the fallback does so on its way from there.
    async fn conclude(
        &self,
        stored: Result<Outcome, QueueError>,
        message: &OutboundMessage,
        delivery: &mut Delivery,
    ) -> Answer {
        if stored.is_ok()
            && !delivery.report.fell_back
            && delivery.source.traces
            && let Some(traces) = &self.traces
        {
            let source = &delivery.source.name;
            Box::pin(traces.leave(source, delivery.deadlines, message)).await;
        }
        answer(stored, message, delivery)
    }

    /// Neither embedded nor claimed: the fallback takes it, or the sender has to try again.
    async fn without_a_place(
        &self,
        delivery: &mut Delivery,
        event: &DescribedEvent<'_>,
        why: &NotStored,
    ) -> Answer {
        let limit = self.queue.limits().max_message_bytes;
        let reason = why.reason(event, &self.memory, limit);
        // The fallback has no such limit; the way back to the queue claims what is too large.
        if !why.will_pass()
            && let Some(fallback) = &self.fallback
            && fallback
                .keep_whole(delivery, event, self.embedder.embed(event))
                .await
                .is_ok()
        {
            delivery.report.fell_back = true;
            delivery.report.reason = Some(reason);
            return Answer::event(Outcome::Accepted, &event.attributes.id);
        }
        match why.outcome() {
            // With a fallback, an event is too large only while that is down, which is our own trouble.
            Outcome::TooLarge if self.fallback.is_none() => {
                delivery.refuse_because(Outcome::TooLarge, &reason)
            }
            Outcome::Overloaded => delivery.refuse(Refusal::overloaded(reason)),
            _ => {
                let message = "the event's data could not be stored; try again";
                delivery.report.reason = Some(reason);
                Answer::refusal(Outcome::Unavailable, message)
            }
        }
    }

    /// Stores the body, and returns the message that refers to it; `Err(None)` when there is no blob store.
    async fn claim(
        &self,
        delivery: &mut Delivery,
        event: &DescribedEvent<'_>,
    ) -> Result<OutboundMessage, Option<BlobError>> {
        let claim_check = self.claim_check.as_ref().ok_or(None)?;
        let deadlines = delivery.deadlines.longer_by(event.transfer_allowance());
        let deadlines = match &self.fallback {
            Some(fallback) => fallback.deadlines_of_queue(deadlines),
            None => deadlines,
        };
        let claimed = claim_check.claim(delivery, event, deadlines).await;
        delivery.report.claimed = claimed.is_ok();
        claimed.map_err(Some)
    }

    /// Stores a message that holds its data. One that the queue puts elsewhere has longer, as a claim check has.
    async fn store_whole(
        &self,
        delivery: &mut Delivery,
        message: &OutboundMessage,
    ) -> Result<Outcome, QueueError> {
        let bytes = self.queue.message_bytes(message);
        let is_offloaded = self.queue.offloads_above().is_some_and(|most| bytes > most);
        if is_offloaded {
            let more = transfer_allowance(bytes);
            delivery.deadlines = delivery.deadlines.longer_by(more);
        }
        let stored = self.store(delivery, message).await;
        delivery.report.claimed = is_offloaded && stored.is_ok() && !delivery.report.fell_back;
        stored
    }

    /// Puts the message on the queue, or in the fallback when there is one and the queue fails or is late.
    async fn store(
        &self,
        delivery: &mut Delivery,
        message: &OutboundMessage,
    ) -> Result<Outcome, QueueError> {
        if let Some(fallback) = &self.fallback {
            return Box::pin(fallback.send_or_keep(&self.sender, delivery, message)).await;
        }
        let deadlines = delivery.deadlines;
        self.sender.send(delivery, message, deadlines).await
    }
}

/// The queue's error is for the log; the sender is told no more than it needs.
fn answer(
    stored: Result<Outcome, QueueError>,
    message: &OutboundMessage,
    delivery: &mut Delivery,
) -> Answer {
    let error = match stored {
        Ok(outcome) => return Answer::event(outcome, message.id()),
        Err(error) => error,
    };
    delivery.report.reason = Some(error.to_string());
    let (outcome, message) = if error.kind == QueueErrorKind::TooLarge {
        let message = "the event is larger than the queue takes";
        (Outcome::TooLarge, message)
    } else {
        let message = "the queue did not take the event; try again";
        (Outcome::Unavailable, message)
    };
    Answer::refusal(outcome, message)
}
