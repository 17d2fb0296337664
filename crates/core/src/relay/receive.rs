//! The first half: everything up to the last byte of the body.

use super::Relay;
use super::attempts::Times;
use super::in_flight::InFlight;
use super::open::Opened;
use super::reading::{Body, Reading};
use super::refusal::Refusal;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::provider::Endpoint;
use crate::request::RequestHead;
use crate::signature::{ClaimedSignature, HeaderProof, LiveSecrets, SignatureCheck};
use crate::source::Source;
use crate::transfer::transfer_allowance;
use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// What came of a request's first half.
pub enum Intake {
    /// A whole delivery; finish it with [`Relay::complete`], whatever the connection does from now on.
    Deliver(Box<Received>),
    /// The answer; there is nothing else to do.
    Answer(Answer),
}

/// A delivery whose last byte has arrived. Nothing can be read from it before it is verified.
pub struct Received {
    pub(super) head: RequestHead,
    pub(super) check: BodyCheck,
    pub(super) payload: Payload,
    /// What is known so far.
    pub(super) report: Report,
    pub(super) times: Times,
    /// Held until the delivery has ended.
    pub(super) in_flight: InFlight,
}

impl Received {
    /// [`Clock::monotonic`](crate::Clock::monotonic) at which the sender must have its answer.
    ///
    /// The configured time counts from the request's arrival. A body that took long to arrive still
    /// leaves the queue half of that time: the sender's own timeout counts from its last byte.
    pub fn answer_deadline(&self) -> Duration {
        self.times.answer
    }

    /// For platforms that stop all work with the answer: nothing is tried after the answer is due, and it
    /// is due at `end` if that is sooner.
    pub fn end_with_answer(&mut self, end: Option<Duration>) {
        let answer = self.times.answer;
        let answer = end.map_or(answer, |end| answer.min(end));
        self.times = Times {
            answer,
            give_up: answer,
        };
    }
}

/// What goes on while a body arrives.
pub(super) enum BodyCheck {
    /// The head proved itself; only the digest is needed.
    Header(HeaderProof, Sha256),
    /// The body proves itself.
    Signature(SignatureCheck, ClaimedSignature, LiveSecrets),
}

impl BodyCheck {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Header(_, digest) => digest.update(bytes),
            Self::Signature(check, ..) => check.update(bytes),
        }
    }
}

/// Why a body did not arrive whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The sender went away, or broke the transfer encoding.
    #[error("the body broke off: {0}")]
    Broken(String),
    /// What the platform handed over is not a body, such as invalid base64.
    #[error("the body cannot be read: {0}")]
    Undecodable(String),
}

impl Relay {
    /// Routes a request, checks what its head shows, and reads its body to the last byte. A header
    /// secret is checked before the body is read; a signature is computed while it arrives.
    pub async fn receive<S>(&self, head: RequestHead, body: S) -> Intake
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        if let Some(below) = self.routes.own(&head.path) {
            return Intake::Answer(self.own_path(&head, &below).await);
        }
        let mut report = Report::new(Outcome::Bug, Duration::ZERO);
        report.claimed_bytes = head.content_length();
        match self.read(&head, body, &mut report).await {
            Ok((source, check, Body { payload, in_flight })) => {
                let last_byte = self.parts.clock.monotonic();
                report.spooled = payload.spooled().is_some();
                let large = payload
                    .spooled()
                    .map_or(Duration::ZERO, |_| transfer_allowance(payload.len()));
                let times = Times {
                    answer: (head.arrived + source.answer_by).max(last_byte + source.answer_by / 2),
                    give_up: last_byte + super::GIVE_UP.max(source.answer_by) + 3 * large,
                };
                Intake::Deliver(Box::new(Received {
                    head,
                    check,
                    payload,
                    report,
                    times,
                    in_flight,
                }))
            }
            Err(refusal) => {
                self.tell_of_overload(&refusal);
                let name = report.source.clone();
                let source = name.and_then(|name| self.source(&name));
                let scheme = source.and_then(|source| source.header.as_ref());
                let answer = refusal.reported(&mut report, &head, scheme);
                report.elapsed = self.parts.clock.monotonic().saturating_sub(head.arrived);
                self.parts.observer.request(&report);
                Intake::Answer(answer)
            }
        }
    }

    pub(super) fn source(&self, name: &str) -> Option<&Source> {
        self.sources().iter().find(|source| source.name == name)
    }

    async fn read<'a, S>(
        &'a self,
        head: &RequestHead,
        body: S,
        report: &mut Report,
    ) -> Result<(&'a Source, BodyCheck, Body), Refusal>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let in_flight = self.admit(head, report)?;
        let Opened {
            source,
            endpoint,
            mut check,
        } = self.open(head, report).await?;
        let keep = matches!(endpoint, Endpoint::Event | Endpoint::Models);
        report.body_begun = true;
        let reading = Reading {
            relay: self,
            limit: source.max_body_bytes,
            keep: keep.then_some(&mut check),
            read: &mut report.body_bytes,
            in_flight,
        };
        let body = reading.read(body).await?;
        match endpoint {
            Endpoint::Reply(answer) => Err(Answer::reply(answer.as_bytes()).into()),
            Endpoint::Models => {
                let deadline = head.arrived + source.answer_by;
                let payload = body.payload;
                Err(self.models(source, check, payload, deadline, report).await)
            }
            _ => Ok((source, check, body)),
        }
    }
}
