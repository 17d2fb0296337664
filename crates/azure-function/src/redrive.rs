//! The timer's function: moves what lies in the fallback into the queue.

use crate::handler::json;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use labelrelay_core::Relay;
use labelrelay_core::fallback::redrive;
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
    let blobs = parts.blobs.as_deref();
    let until = begun + TIME;
    let done = match redrive(fallback, &*parts.queue, blobs, clock, until).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(name: "fallback_unreadable", reason = %error, "the fallback cannot be listed");
            let message = "the fallback cannot be listed; the log says why".to_owned();
            return result(StatusCode::INTERNAL_SERVER_ERROR, message);
        }
    };
    for (key, reason) in &done.stuck {
        tracing::error!(name: "redrive_stuck", key, reason, "an event stays in the fallback");
    }
    if let Some(error) = &done.queue_error {
        tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue did not take events from the fallback");
    }
    let elapsed_ms = clock.monotonic().saturating_sub(begun).as_millis();
    tracing::info!(
        name: "redrive",
        moved = done.moved,
        failed = done.failed,
        complete = done.complete,
        elapsed_ms,
        "redrive"
    );
    let emptied = done.failed == 0 && done.complete;
    let status = if emptied {
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
