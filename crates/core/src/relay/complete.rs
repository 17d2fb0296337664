//! The second half: from the last byte to the answer. Runs detached from the connection.

use super::attributes::{attributes, event_id, trace};
use super::body_check::BodyCheck;
use super::delivery::Delivery;
use super::described_event::DescribedEvent;
use super::intake::Received;
use super::pipeline::Relay;
use crate::describe::Inspection;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::signature::Verified;
use std::sync::Arc;

impl Relay {
    /// Finishes a delivery: verifies, describes, embeds and sends it. The answer is a success only
    /// once the event is durable. Ends at the latest [`GIVE_UP`](super::GIVE_UP) after the last byte.
    pub async fn complete(&self, received: Box<Received>) -> Answer {
        let Received {
            mut delivery,
            check,
            payload,
        } = *received;
        let answer = self.process(&mut delivery, check, payload).await;
        let Delivery {
            head,
            deadlines,
            report,
            body_start,
            ..
        } = &mut delivery;
        report.outcome = answer.outcome;
        report.late = self.parts.clock.monotonic() > deadlines.answer;
        self.conclude(report, head, body_start.as_deref());
        answer
    }

    async fn process(&self, delivery: &mut Delivery, check: BodyCheck, payload: Payload) -> Answer {
        let answer_by = delivery.deadlines.answer;
        let checked = self
            .verifier
            .finish(&delivery.source, check, payload, answer_by);
        let (digest, verified) = checked.await;
        delivery.report.digest = Some(digest);
        let wanted = self.parts.observer.wanted_body_bytes();
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => {
                if let Some(payload) = error.payload() {
                    delivery.keep_start_of(payload, wanted);
                }
                let refusal = self.perhaps_misrouted(delivery, error.into());
                return delivery.refuse(refusal);
            }
        };
        delivery.verified_by(verified.by());
        if verified.get().is_empty() {
            // The signature of `GET /models` is the signature of every empty body.
            return delivery.refuse_because(Outcome::Malformed, "an empty body is no event");
        }
        let Inspection { check, description } = match self.inspect(delivery, &verified).await {
            Ok(inspection) => inspection,
            Err(error) => {
                let message = format!("the body cannot be read back: {error}");
                return delivery.refuse_because(Outcome::Unavailable, &message);
            }
        };
        let id = event_id(delivery, &description, &digest, &self.parts);
        let is_forwarded = delivery.source.filter.passes(&description.event_type);
        let now = self.parts.clock.now();
        let mut attributes = attributes(id, delivery, description, check, &digest, now);
        trace(delivery, &mut attributes, &self.parts);
        let event = DescribedEvent {
            attributes: Arc::new(attributes),
            check,
            body: &verified,
        };
        let answer = if is_forwarded {
            self.dispatcher.deliver(delivery, &event).await
        } else {
            delivery.keep_start_of(verified.get(), wanted);
            Answer::event(Outcome::Filtered, &event.attributes.id)
        };
        delivery.became(event.attributes);
        answer
    }

    async fn inspect(
        &self,
        delivery: &Delivery,
        verified: &Verified<Payload>,
    ) -> std::io::Result<Inspection> {
        let mut inspector = delivery.source.provider.inspector(&delivery.head);
        // Most bodies: neither copied for it, nor waited for.
        if let Some(pieces) = verified.get().in_memory() {
            for piece in pieces {
                inspector.update(piece);
            }
            return Ok(inspector.finish());
        }
        let mut stream = verified.get().stream();
        while let Some(chunk) = self.body_reader.next_piece(&mut stream).await? {
            inspector.update(&chunk);
        }
        Ok(inspector.finish())
    }
}
