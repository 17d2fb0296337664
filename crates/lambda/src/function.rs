//! One invocation, from its event to its answer.

use crate::clock::moment;
use crate::event::{Event, Front, HttpEvent};
use crate::request_head::head;
use crate::response::Response;
use crate::telemetry::Telemetry;
use futures_util::{FutureExt, stream};
use labelrelay_core::clock::within;
use labelrelay_core::{Answer, BodyError, Intake, Outcome, Relay};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// The answer is out this long before Lambda ends the invocation: time for it to leave.
const MARGIN: Duration = Duration::from_millis(250);

/// A delivery ends by itself when its answer is due; after this much more it is dropped.
const GRACE: Duration = Duration::from_millis(50);

/// The event of an invocation is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this event is no HTTP request; the function takes events of a function URL, of an HTTP API or a REST API, and of an Application Load Balancer"
)]
pub struct NotARequest;

/// The function behind a front.
pub struct Function {
    relay: Arc<Relay>,
    telemetry: Arc<Telemetry>,
}

impl Function {
    /// A function that serves `relay`, whose reports go to `telemetry`.
    pub fn new(relay: Arc<Relay>, telemetry: Arc<Telemetry>) -> Self {
        Self { relay, telemetry }
    }

    /// The answer to `event`, before `deadline`, which is Lambda's, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`NotARequest`], which the console shows to whoever tests the function there.
    pub async fn invoke(&self, event: Event, deadline: u64) -> Result<Response, NotARequest> {
        let event = match event {
            Event::Http(event) => event,
            Event::OtherHttp(whose) => return Ok(self.unsupported(whose)),
            Event::NotHttp => {
                tracing::error!(name: "not_a_request", "{NotARequest}");
                return Err(NotARequest);
            }
        };
        let front = event.front;
        let clock = &*self.relay.parts().clock;
        let begun = clock.monotonic();
        let end = moment(clock, deadline).map(|end| {
            let left = end.saturating_sub(begun);
            begun + left.saturating_sub(MARGIN).max(left / 2)
        });
        // A panic becomes one 500, not a dead instance. The relay holds no lock while it waits.
        let answer = AssertUnwindSafe(self.answer(*event, end)).catch_unwind();
        let answer = answer.await.unwrap_or_else(|_| {
            let elapsed = clock.monotonic().saturating_sub(begun);
            self.telemetry
                .failed("delivery_panicked", "a bug: please report it", elapsed);
            Answer::refusal(Outcome::Bug, "a bug in labelrelay; the log has more")
        });
        Ok(Response::new(front, answer))
    }

    async fn answer(&self, event: HttpEvent, end: Option<Duration>) -> Answer {
        let HttpEvent { request, body, .. } = event;
        let head = head(request, &*self.relay.parts().clock);
        let arrived = head.arrived;
        let body = body.map_err(|error| BodyError::Undecodable(error.to_string()));
        let intake = self.relay.receive(head, stream::iter([body]));
        let mut received = match self.until(end, intake).await {
            Some(Intake::Deliver(received)) => received,
            Some(Intake::Answer(answer)) => return answer,
            None => return self.late(arrived, "before the body was looked at"),
        };
        received.end_with_answer(end);
        let due = received.answer_deadline() + GRACE;
        let answer = self.until(Some(due), self.relay.complete(received)).await;
        answer.unwrap_or_else(|| self.late(arrived, "while the event was stored"))
    }

    /// Result of `work`, unless `end` comes first.
    async fn until<T>(&self, end: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
        let clock = &*self.relay.parts().clock;
        match end {
            Some(end) => {
                let left = end.saturating_sub(clock.monotonic());
                within(clock, left, work).await.ok()
            }
            None => Some(work.await),
        }
    }

    fn late(&self, arrived: Duration, when: &str) -> Answer {
        let clock = &*self.relay.parts().clock;
        let elapsed = clock.monotonic().saturating_sub(arrived);
        self.telemetry.failed("delivery_late", when, elapsed);
        Answer::late()
    }

    /// Whoever put this function behind something else has to change that; the sender may try again.
    fn unsupported(&self, whose: &str) -> Response {
        let message = format!(
            "the event is one of {whose}; put the function behind a function URL, an HTTP API, a REST API or an Application Load Balancer"
        );
        self.telemetry
            .failed("unsupported_event", &message, Duration::ZERO);
        // What most fronts take. One that reads another form answers 502, and the sender may try again after that too.
        let answer = Answer::refusal(Outcome::Unavailable, &message);
        Response::new(Front::PayloadV1, answer)
    }
}
