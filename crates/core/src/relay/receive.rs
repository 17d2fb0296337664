//! The first half: everything up to the last byte of the body.

use super::body_check::BodyCheck;
use super::body_reader::{ArrivingBody, BodyError};
use super::delivery::Delivery;
use super::intake::{Intake, Received};
use super::pipeline::Relay;
use super::refusal::Refusal;
use super::verification_flag::Verification;
use crate::observe::{Exchange, Report};
use crate::outcome::{Answer, Outcome};
use crate::path::Segments;
use crate::payload::Payload;
use crate::provider::Endpoint;
use crate::request::RequestHead;
use crate::source::Route;
use bytes::Bytes;
use futures_util::Stream;
use std::time::Duration;

impl Relay {
    /// Routes a request, checks what its head shows, and reads its body to the last byte. A header
    /// secret is checked before the body is read; a signature is computed while it arrives.
    pub async fn receive<S>(&self, head: RequestHead, body: S) -> Intake
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        self.receive_watched(head, body, Verification::default())
            .await
    }

    /// The same for an adapter that has to know early whether somebody with a secret sends this: `verification`
    /// tells from then on.
    pub async fn receive_watched<S>(
        &self,
        head: RequestHead,
        body: S,
        verification: Verification,
    ) -> Intake
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        // What few requests need is boxed, here and further on: the state of a request is moved around, all of it.
        let path = Segments::of(&head.path);
        if let Some(below) = self.routes.own(&path) {
            return Intake::Answer(Box::pin(self.own_path(&head, &below)).await);
        }
        let route = self.routes.find(&path);
        drop(path);
        let admitted = self.admission.admit();
        let (in_flight, route) = match (admitted, route) {
            (Ok(in_flight), Some(route)) => (in_flight, route),
            (Ok(_), None) => {
                let refusal = Refusal::new(Outcome::NotFound, "nothing here has this path");
                return Intake::Answer(self.turn_away(&head, None, refusal));
            }
            (Err(refusal), route) => {
                return Intake::Answer(self.turn_away(&head, route, refusal));
            }
        };
        let mut delivery = Delivery::new(&route, head, in_flight, verification);
        match self.take_in(&mut delivery, &route, body).await {
            Ok((check, payload)) => {
                delivery.last_byte_at(self.parts.clock.monotonic(), &payload);
                Intake::Deliver(Box::new(Received {
                    delivery,
                    check,
                    payload,
                }))
            }
            Err(refusal) => {
                let answer = delivery.refuse(refusal);
                self.conclude(&mut delivery.report, &delivery.head, None);
                Intake::Answer(answer)
            }
        }
    }

    async fn take_in<S>(
        &self,
        delivery: &mut Delivery,
        route: &Route<'_>,
        body: S,
    ) -> Result<(BodyCheck, Payload), Refusal>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let (endpoint, mut check) = self.authenticate(delivery, route).await?;
        if matches!(check, BodyCheck::Header(..)) {
            delivery.verification.succeeds();
        }
        let keep = matches!(endpoint, Endpoint::Event | Endpoint::Models);
        delivery.report.body_begun = true;
        let arriving = ArrivingBody {
            reader: &self.body_reader,
            limit: delivery.source.max_body_bytes,
            check: keep.then_some(&mut check),
            read: &mut delivery.report.body_bytes,
            in_flight: &mut delivery.in_flight,
        };
        let payload = arriving.read(body).await?;
        match endpoint {
            Endpoint::Reply(answer) => Err(Answer::reply(answer.as_bytes()).into()),
            Endpoint::Models => Err(Box::pin(self.models(delivery, check, payload)).await),
            _ => Ok((check, payload)),
        }
    }

    /// Refuses a request that is no delivery yet.
    pub(super) fn turn_away(
        &self,
        head: &RequestHead,
        route: Option<Route<'_>>,
        refusal: Refusal,
    ) -> Answer {
        let mut report = Report::new(Outcome::Bug, Duration::ZERO);
        report.claimed_bytes = head.content_length();
        report.source = route.map(|route| route.source.name.clone());
        let answer = refusal.reported(&mut report, head, None);
        self.conclude(&mut report, head, None);
        answer
    }

    /// Tells the observer how a request ended.
    pub(super) fn conclude(
        &self,
        report: &mut Report,
        head: &RequestHead,
        body_start: Option<&[u8]>,
    ) {
        report.elapsed = self.parts.clock.monotonic().saturating_sub(head.arrived);
        self.admission.note(report);
        self.parts.observer.exchange(&Exchange {
            report,
            head,
            body_start,
        });
    }
}
