//! Acknowledges several events at a time.

use super::Work;
use super::held::Held;
use super::shared::Shared;
use crate::stats::add;
use crate::words;
use labelrelay_core::{EventSourceError, Settled};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// The most that are acknowledged together.
pub(super) const MOST: usize = 100;

/// As many as the queues of the clouds take at once: whoever has them waits for no others.
const ENOUGH: usize = 10;

/// How long an event that was handled waits for others that are held.
const WITHIN: Duration = Duration::from_millis(200);

/// Pauses before an acknowledgement is tried again: an event that is not acknowledged is handled again.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Acknowledges what comes, until nothing can come any more.
pub(super) async fn acknowledge<W: Work>(
    shared: Arc<Shared<W>>,
    mut handled: mpsc::Receiver<Arc<Held>>,
) {
    let mut batch = Vec::new();
    while handled.recv_many(&mut batch, MOST).await > 0 {
        let others = async {
            while batch.len() < ENOUGH && shared.held.len() > batch.len() {
                if handled.recv_many(&mut batch, MOST).await == 0 {
                    break;
                }
            }
        };
        // Whether time or others end it, what came is in the batch.
        let _ = timeout(WITHIN, others).await;
        all(&shared, &batch).await;
        for held in batch.drain(..) {
            shared.held.forget(&held);
        }
    }
}

async fn all<W: Work>(shared: &Shared<W>, batch: &[Arc<Held>]) {
    if let Err(reason) = shared.work.sync().await {
        let reason = words::one_line(&reason);
        tracing::error!(name: "not_acknowledged", events = batch.len(), reason, "the state could not be made durable: events were handled and not acknowledged; they come again");
        return;
    }
    let mut receipts = Vec::with_capacity(batch.len());
    for held in batch {
        receipts.push(held.freeze().await);
    }
    let receipts: Vec<&str> = receipts.iter().map(String::as_str).collect();
    match acknowledged(shared, &receipts).await {
        Ok(settled) => {
            let stale = settled.iter().filter(|one| **one == Settled::Stale).count();
            add(
                &shared.counters.acknowledged,
                batch.len() - stale.min(batch.len()),
            );
            if stale > 0 {
                tracing::warn!(name: "acknowledged_late", events = stale, "events were handled after their visibility timeout: they may come again");
            }
        }
        Err(error) => {
            tracing::error!(name: "not_acknowledged", events = batch.len(), reason = %error, "events were handled and not acknowledged; they come again");
        }
    }
}

async fn acknowledged<W: Work>(
    shared: &Shared<W>,
    receipts: &[&str],
) -> Result<Vec<Settled>, EventSourceError> {
    for pause in AGAIN {
        match shared.source.ack(receipts).await {
            Err(error) if error.may_pass => {
                tracing::debug!(name: "acknowledged_again", reason = %error, "an acknowledgement failed; tried again");
                sleep(pause).await;
            }
            done => return done,
        }
    }
    shared.source.ack(receipts).await
}
