//! A whole adapter for a platform that is not ours: a handler of axum. `tests/conformance.rs` holds it against
//! `labelrelay serve`, request by request; `main.rs` is a program around it.

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use futures_util::TryStreamExt as _;
use labelrelay_core::clock::within;
use labelrelay_core::{Answer, BodyError, Intake, Outcome, Relay, RequestHead};
use std::net::SocketAddr;
use std::sync::Arc;

/// Answers every request, whatever its path: the pipeline knows the sources.
pub async fn answer(
    State(relay): State<Arc<Relay>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let clock = Arc::clone(&relay.parts().clock);
    let (parts, body) = request.into_parts();
    let head = RequestHead {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        peer: Some(peer.ip()),
        arrived: clock.monotonic(),
    };
    // The raw bytes: no extractor may decode, parse or limit them.
    let bytes = body.into_data_stream();
    let bytes = bytes.map_err(|error| BodyError::Broken(error.to_string()));
    let received = match relay.receive(head, bytes).await {
        Intake::Deliver(received) => received,
        Intake::Answer(answer) => return response(answer),
    };
    let left = received.answer_deadline().saturating_sub(clock.monotonic());
    // A task of its own: a sender that hangs up drops this future, and cancels nothing.
    let work = tokio::spawn(async move { relay.complete(received).await });
    response(match within(&*clock, left, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::refusal(Outcome::Bug, "a bug; the log has more"),
        Err(_) => Answer::late(),
    })
}

fn response(answer: Answer) -> Response {
    axum::http::Response::from(answer).map(Body::from)
}
