//! Results of a request's first half.

use super::body_check::BodyCheck;
use super::deadlines::Deadlines;
use super::delivery::Delivery;
use crate::outcome::Answer;
use crate::payload::Payload;
use std::time::Duration;

/// Result of a request's first half, [`Relay::receive`](super::Relay::receive).
pub enum Intake {
    /// A whole delivery; finish it with [`Relay::complete`](super::Relay::complete), whatever the connection
    /// does from now on.
    Deliver(Box<Received>),
    /// The answer; there is nothing else to do.
    Answer(Answer),
}

/// A delivery whose last byte has arrived. Nothing can be read from it before it is verified.
pub struct Received {
    pub(super) delivery: Delivery,
    pub(super) check: BodyCheck,
    pub(super) payload: Payload,
}

impl Received {
    /// [`Clock::monotonic`](crate::Clock::monotonic) at which the sender must have its answer.
    ///
    /// The configured time counts from the request's arrival. A body that took long to arrive still
    /// leaves the queue half of that time: the sender's own timeout counts from its last byte.
    pub fn answer_deadline(&self) -> Duration {
        self.delivery.deadlines.answer
    }

    /// For platforms that stop all work with the answer: nothing is tried after the answer is due, and it
    /// is due at `end` if that is sooner.
    pub fn end_with_answer(&mut self, end: Option<Duration>) {
        let answer = self.answer_deadline();
        let answer = end.map_or(answer, |end| answer.min(end));
        self.delivery.deadlines = Deadlines::with_answer(answer);
    }
}
