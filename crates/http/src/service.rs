//! One request, from its head to its answer.

use crate::body_stream;
use crate::connection::Activity;
use crate::tasks::Tasks;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use labelrelay_core::clock::within;
use labelrelay_core::{Answer, Intake, Outcome, Relay, RequestHead, Verification};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Answers one request. From the body's last byte on, the work runs in a task of its own: a sender
/// that hangs up drops this future, and cancels nothing.
pub async fn respond(
    relay: Arc<Relay>,
    tasks: Tasks,
    peer: Option<IpAddr>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let clock = Arc::clone(&relay.parts().clock);
    let (parts, incoming) = request.into_parts();
    let head = RequestHead {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        peer,
        arrived: clock.monotonic(),
    };
    let verification = Verification::default();
    if let Some(activity) = tasks.connection() {
        activity.verification(&verification);
    }
    let body = body_stream::stream(incoming);
    let receiving = relay.receive_watched(head, body, verification);
    let received = match AssertUnwindSafe(receiving).catch_unwind().await {
        Ok(Intake::Deliver(received)) => received,
        Ok(Intake::Answer(answer)) => return response(answer),
        Err(_) => return response(bug("while the request was read")),
    };
    let _working = tasks.connection().map(Activity::working);
    let deadline = received.answer_deadline();
    let Some(work) = tasks.spawn(async move { relay.complete(received).await }) else {
        tracing::warn!(name: "delivery_refused_at_stop", "its last byte came after the stop's patience had ended");
        return response(Answer::refusal(
            Outcome::Unavailable,
            "the relay is stopping; try again",
        ));
    };
    let left = deadline.saturating_sub(clock.monotonic());
    let answer = match within(&*clock, left, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => bug("after the last byte"),
        Err(_) => Answer::late(),
    };
    response(answer)
}

/// The answer to a panic, whose message the panic hook has written already.
fn bug(place: &'static str) -> Answer {
    tracing::error!(name: "delivery_panicked", place, "a bug: please report it");
    Answer::refusal(Outcome::Bug, "a bug in labelrelay; the log has more")
}

/// An answer as HTTP.
pub(crate) fn response(answer: Answer) -> Response<Full<Bytes>> {
    Response::from(answer).map(Full::new)
}
