//! The timer's function: moves the fallback's events into the queue.

use crate::json_response::json;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use labelrelay_core::Relay;
use labelrelay_startup::redrive::{is_empty, report, run};
use serde::Serialize;
use std::time::Duration;

/// The host ends invocations after 5 minutes on the plans with the shortest patience.
const TIME: Duration = Duration::from_secs(4 * 60);

/// The host's form of a result. It waits for ever for one that it cannot read.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvocationResult {
    outputs: Outputs,
    logs: Vec<String>,
    return_value: Option<String>,
}

#[derive(Serialize)]
struct Outputs {}

/// Answers the timer. Anything that stays in the fallback makes the invocation a failed one, which is what
/// alerts look at.
pub(crate) async fn answer(relay: &Relay) -> Response<Full<Bytes>> {
    let parts = relay.parts();
    let Some(fallback) = parts.fallback.as_deref() else {
        return result(StatusCode::OK, "no fallback is configured".to_owned());
    };
    let clock = &*parts.clock;
    let begun = clock.monotonic();
    let (blobs, traces) = (parts.blobs.as_deref(), parts.traces.as_deref());
    let until = begun + TIME;
    let Ok(done) = run(fallback, &*parts.queue, blobs, traces, clock, until).await else {
        let message = "the fallback cannot be listed; the log says why".to_owned();
        return result(StatusCode::INTERNAL_SERVER_ERROR, message);
    };
    report(&done, clock.monotonic().saturating_sub(begun));
    let status = if is_empty(&done) {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    result(
        status,
        format!("moved {}, failed {}", done.moved, done.failed),
    )
}

fn result(status: StatusCode, line: String) -> Response<Full<Bytes>> {
    let result = InvocationResult {
        outputs: Outputs {},
        logs: vec![line],
        return_value: None,
    };
    json(
        status,
        serde_json::to_vec(&result).unwrap_or_default().into(),
    )
}
