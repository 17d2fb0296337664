//! Calls to a queue, each with all that its answer needs.

use labelrelay_core::{EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use std::sync::Arc;
use std::time::Duration;

/// A call that has come back.
pub(super) struct Called {
    pub(super) op: &'static str,
    /// Number of the request.
    pub(super) id: Option<u64>,
    pub(super) result: Result<CallResult, EventSourceError>,
}

pub(super) enum CallResult {
    Received(Vec<ReceivedEvent>, Duration),
    Settled {
        /// Word for what was asked for.
        word: &'static str,
        receipts: Vec<String>,
        settled: Vec<Settled>,
    },
    Extended {
        receipts: Vec<String>,
        extended: Vec<Result<Extended, EventSourceError>>,
        visibility: Duration,
    },
    Rejected(Vec<Rejected>),
}

/// An event as it is after that, and what became of it; `None` where it was not held.
pub(super) type Rejected = Option<(ReceivedEvent, Result<Settled, EventSourceError>)>;

type Source = Arc<dyn EventSource>;
type Outcome = Result<CallResult, EventSourceError>;

pub(super) async fn receive(
    source: Source,
    max: usize,
    visibility: Duration,
    wait: Duration,
) -> Outcome {
    let events = source.receive(max, visibility, wait).await?;
    Ok(CallResult::Received(events, visibility))
}

pub(super) async fn ack(source: Source, receipts: Vec<String>) -> Outcome {
    let settled = source.ack(&borrowed(&receipts)).await?;
    Ok(CallResult::Settled {
        word: "acknowledged",
        receipts,
        settled,
    })
}

pub(super) async fn retry(source: Source, receipts: Vec<String>, after: Duration) -> Outcome {
    let settled = source.retry(&borrowed(&receipts), after).await?;
    Ok(CallResult::Settled {
        word: "returned",
        receipts,
        settled,
    })
}

pub(super) async fn extend(source: Source, receipts: Vec<String>, visibility: Duration) -> Outcome {
    let each = receipts
        .iter()
        .map(|receipt| source.extend(receipt, visibility));
    let extended = futures_util::future::join_all(each).await;
    Ok(CallResult::Extended {
        receipts,
        extended,
        visibility,
    })
}

pub(super) async fn reject(
    source: Source,
    events: Vec<Option<ReceivedEvent>>,
    reason: Option<String>,
) -> Outcome {
    let reason = reason.unwrap_or_default();
    let mut rejected = Vec::with_capacity(events.len());
    for event in events {
        rejected.push(match event {
            Some(mut event) => {
                let outcome = source.reject(&mut event, &reason).await;
                Some((event, outcome))
            }
            None => None,
        });
    }
    Ok(CallResult::Rejected(rejected))
}

fn borrowed(receipts: &[String]) -> Vec<&str> {
    receipts.iter().map(String::as_str).collect()
}
