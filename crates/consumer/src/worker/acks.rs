//! Acknowledges several events at a time.

use super::Work;
use super::held::Held;
use super::shared::Shared;
use crate::spread::spread;
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

/// Time that an event that was handled waits for others that are held.
const WITHIN: Duration = Duration::from_millis(200);

/// Pause when all that were handled are being extended.
const LATER: Duration = Duration::from_millis(50);

/// Pauses before an acknowledgement is tried again: an event that is not acknowledged is handled again.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Acknowledges what comes, until nothing can come any more.
///
/// # Errors
/// The queue's, if nothing could ever be acknowledged, and somebody has to put that right: all that is received would be
/// handled again and again.
pub(super) async fn acknowledge<W: Work>(
    shared: Arc<Shared<W>>,
    mut handled: mpsc::Receiver<Arc<Held>>,
) -> Result<(), EventSourceError> {
    let mut batch = Vec::new();
    let mut has_acknowledged = false;
    while !batch.is_empty() || handled.recv_many(&mut batch, MOST).await > 0 {
        let others = async {
            while batch.len() < ENOUGH && shared.held.len() > batch.len() {
                if handled.recv_many(&mut batch, MOST).await == 0 {
                    break;
                }
            }
        };
        // Ended by time or by others: what came is in the batch.
        let _ = timeout(WITHIN, others).await;
        let later = all(&shared, &batch, &mut has_acknowledged).await?;
        if later.len() == batch.len() {
            sleep(LATER).await;
        }
        for held in std::mem::replace(&mut batch, later) {
            if !batch.iter().any(|later| Arc::ptr_eq(later, &held)) {
                shared.held.forget(&held);
            }
        }
        while batch.len() < MOST
            && let Ok(held) = handled.try_recv()
        {
            batch.push(held);
        }
    }
    Ok(())
}

/// Acknowledges those that nobody extends right now, and returns the others: an extension that hangs must not keep the rest
/// from being acknowledged, nor from being extended meanwhile.
async fn all<W: Work>(
    shared: &Shared<W>,
    batch: &[Arc<Held>],
    has_acknowledged: &mut bool,
) -> Result<Vec<Arc<Held>>, EventSourceError> {
    if let Err(reason) = shared.work.sync().await {
        let reason = words::one_line(&reason);
        tracing::error!(name: "not_acknowledged", events = batch.len(), reason, "the state could not be made durable: events were handled and not acknowledged; they come again");
        return Ok(Vec::new());
    }
    let mut receipts = Vec::with_capacity(batch.len());
    let mut later = Vec::new();
    for held in batch {
        match held.try_freeze() {
            Some(receipt) => receipts.push(receipt),
            None => later.push(Arc::clone(held)),
        }
    }
    if receipts.is_empty() {
        return Ok(later);
    }
    let receipts: Vec<&str> = receipts.iter().map(String::as_str).collect();
    match acknowledged(shared, &receipts).await {
        Ok(settled) => {
            *has_acknowledged = true;
            let stale = settled.iter().filter(|one| **one == Settled::Stale).count();
            let done = receipts.len() - stale.min(receipts.len());
            add(&shared.counters.acknowledged, done);
            if stale > 0 {
                tracing::warn!(name: "acknowledged_late", events = stale, "events were handled after their visibility timeout: they may come again");
            }
        }
        Err(error) => {
            tracing::error!(name: "not_acknowledged", events = receipts.len(), reason = %error, "events were handled and not acknowledged; they come again");
            if !error.retryable && !*has_acknowledged {
                return Err(error);
            }
        }
    }
    Ok(later)
}

async fn acknowledged<W: Work>(
    shared: &Shared<W>,
    receipts: &[&str],
) -> Result<Vec<Settled>, EventSourceError> {
    for pause in AGAIN {
        match shared.source.ack(receipts).await {
            Err(error) if error.retryable => {
                tracing::debug!(name: "acknowledged_again", reason = %error, "an acknowledgement failed; tried again");
                sleep(spread(pause)).await;
            }
            done => return done,
        }
    }
    shared.source.ack(receipts).await
}
