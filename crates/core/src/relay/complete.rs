//! The second half: from the last byte to the answer. Runs detached from the connection.

use super::Relay;
use super::receive::Received;
use super::refusal::Refusal;
use super::wrap::Event;
use crate::describe::Inspection;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::provider::Provider;
use crate::request::RequestHead;
use crate::signature::Verified;
use std::sync::Arc;
use std::time::Duration;

impl Relay {
    /// Finishes a delivery: verifies, describes, wraps and sends it. The answer is a success only
    /// once the event is durable. Ends at the latest [`GIVE_UP`](super::GIVE_UP) after the last byte.
    pub async fn complete(&self, mut received: Box<Received>) -> Answer {
        let (arrived, deadline) = (received.head.arrived, received.times.answer);
        let unknown = Report::new(Outcome::Bug, Duration::ZERO);
        let mut report = std::mem::replace(&mut received.report, unknown);
        let answer = self.deliver(received, &mut report).await;
        let now = self.parts.clock.monotonic();
        report.outcome = answer.outcome;
        report.elapsed = now.saturating_sub(arrived);
        report.late = now > deadline;
        self.parts.observer.request(&report);
        answer
    }

    async fn deliver(&self, received: Box<Received>, report: &mut Report) -> Answer {
        let Received {
            head,
            check,
            payload,
            times,
            mut in_flight,
            ..
        } = *received;
        let Some(source) = report.source.as_deref().and_then(|name| self.source(name)) else {
            return Answer::refusal(Outcome::Bug, "the source is gone");
        };
        let (digest, verified) = self.verify(source, check, payload, times.answer).await;
        report.digest = Some(digest);
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => {
                let scheme = source.header.as_ref();
                return Refusal::from(error).reported(report, &head, scheme);
            }
        };
        report.verified_by = Some(verified.by().to_owned());
        if verified.get().is_empty() {
            // The signature of `GET /models` is the signature of every empty body.
            return because(report, Outcome::Malformed, "an empty body is no event");
        }
        let Inspection { check, description } =
            match self.inspect(source.provider, &head, &verified).await {
                Ok(inspection) => inspection,
                Err(error) => {
                    return because(
                        report,
                        Outcome::Unavailable,
                        &format!("the body cannot be read back: {error}"),
                    );
                }
            };
        let id = self.event_id(source, &head, &description, &digest);
        report.event_id = Some(id.clone());
        report.event_type = Some(description.event_type.to_string());
        if !source.filter.passes(&description.event_type) {
            return Answer::event(Outcome::Filtered, &id);
        }
        let attributes = self.attributes(id, source, &head, &description, check, &digest);
        let event = Event {
            attributes: Arc::new(attributes),
            check,
            body: &verified,
        };
        self.hand_over(source, &event, &mut in_flight, times, report)
            .await
    }

    async fn inspect(
        &self,
        provider: Provider,
        head: &RequestHead,
        verified: &Verified<Payload>,
    ) -> std::io::Result<Inspection> {
        let mut inspector = provider.inspector(head);
        let mut stream = verified.get().stream();
        while let Some(chunk) = self.next_piece(&mut stream).await? {
            inspector.update(&chunk);
        }
        Ok(inspector.finish())
    }
}

pub(super) fn because(report: &mut Report, outcome: Outcome, message: &str) -> Answer {
    report.reason = Some(message.to_owned());
    Answer::refusal(outcome, message)
}
