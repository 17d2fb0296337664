//! Watches the embedded queue for as long as `serve` runs, and tells what somebody has to know of it though no
//! delivery brings it to light.

use super::delivery_lines::DeliveryLines;
use labelrelay_core::{Clock, chain};
use labelrelay_http::admin::{LedgerGauges, Metrics, QueueGauges};
use labelrelay_local::{
    DeadLetter, EmbeddedQueue, FileError, LedgerFigures, OpenError, QueueFile, QueueStats,
};
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);

/// Time for which a file is looked through for damage, once.
const EXAMINED_FOR: Duration = Duration::from_secs(1);

/// Dead letters that are told of one by one in one round; of more, how many.
const TOLD: u64 = 20;

/// Result of one round.
struct Seen {
    stats: QueueStats,
    died: Vec<DeadLetter>,
}

pub(super) async fn watch(
    queue: Arc<EmbeddedQueue>,
    metrics: Arc<Metrics>,
    lines: DeliveryLines,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut displaced = None;
    let (mut damaged, mut examined) = (false, false);
    let mut ledger = None;
    let mut file = None;
    let mut dead = None;
    loop {
        tell(&mut displaced, queue.displaced());
        let now = queue.ledger();
        tell_of_ledger(ledger.as_ref(), now.as_ref());
        ledger = now;
        if displaced.is_some() {
            metrics.set_queue(None);
            file = None;
        } else {
            let (path, clock) = (queue.path().to_owned(), Arc::clone(&clock));
            let (before, had) = (dead, file.take());
            let examine = !std::mem::replace(&mut examined, true);
            let polled = tokio::task::spawn_blocking(move || {
                let mut file = match had {
                    Some(file) => file,
                    None => QueueFile::open(path, clock).map_err(|error| {
                        // It was a queue when `serve` opened it.
                        let is_damage =
                            error.is_damage() || matches!(error, OpenError::Foreign { .. });
                        is_damage.then(|| chain(&error))
                    })?,
                };
                let looked = if examine {
                    file.check_structure(EXAMINED_FOR)
                } else {
                    Ok(())
                };
                match looked.and_then(|()| poll(&file, before)) {
                    Ok(seen) => Ok((file, seen)),
                    Err(error @ FileError::Damaged { .. }) => Err(Some(chain(&error))),
                    // It passes.
                    Err(_) => Err(None),
                }
            });
            match polled.await {
                Ok(Ok((had, seen))) => {
                    file = Some(had);
                    damaged = false;
                    metrics.set_queue(Some(figures(&seen.stats, ledger.as_ref())));
                    lines.queue(&seen.stats);
                    tell_dead(&seen, dead);
                    dead = Some(seen.stats.dead_letters);
                }
                Ok(Err(Some(reason))) => {
                    metrics.set_queue(None);
                    if !std::mem::replace(&mut damaged, true) {
                        tracing::error!(name: "queue_damaged", reason, "the queue file is damaged: consumers cannot read all of it");
                    }
                }
                Ok(Err(None)) | Err(_) => {}
            }
        }
        // Between two rounds, so that the file is closed when this ends: the owner closes it last.
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = &mut stop => break,
        }
    }
}

fn poll(file: &QueueFile, before: Option<u64>) -> Result<Seen, FileError> {
    let stats = file.watched()?;
    let new = before.map_or(0, |before| stats.dead_letters.saturating_sub(before));
    let died = if new > 0 {
        file.newest_dead(usize::try_from(new.min(TOLD)).unwrap_or_default())?
    } else {
        Vec::new()
    };
    Ok(Seen { stats, died })
}

fn figures(stats: &QueueStats, ledger: Option<&LedgerFigures>) -> QueueGauges {
    QueueGauges {
        ready: stats.ready,
        in_flight: stats.in_flight,
        dead: stats.dead,
        dead_letters: stats.dead_letters,
        oldest_ready_age: stats.oldest_ready_age.unwrap_or_default(),
        file_bytes: stats.file_bytes,
        ledger: ledger.map(|ledger| LedgerGauges {
            is_off: ledger.off.is_some(),
            behind: ledger.behind,
            things: ledger.things,
            forgotten: ledger.forgotten,
            missed: ledger.missed,
        }),
    }
}

fn tell_dead(seen: &Seen, before: Option<u64>) {
    for dead in seen.died.iter().rev() {
        if !dead.is_readable {
            tracing::error!(
                name: "dead_letter",
                seq = dead.seq,
                "an event is a dead letter: the part of the queue file that holds it is damaged, and no consumer can have it",
            );
            continue;
        }
        let why = match &dead.reason {
            Some(_) => "it was rejected",
            None => "received too often, never acknowledged",
        };
        tracing::error!(
            name: "dead_letter",
            seq = dead.seq,
            id = dead.id,
            "type" = dead.event_type,
            subject = dead.subject,
            receive_count = dead.receive_count,
            reason = dead.reason,
            "an event is a dead letter: {why}; `labelrelay events list --dead` lists them",
        );
    }
    let new = before.map_or(0, |before| seen.stats.dead_letters.saturating_sub(before));
    let told = seen.died.len() as u64;
    if new > told {
        tracing::error!(name: "dead_letters", events = new - told, "more events became dead letters");
    }
}

/// Says once that the queue's files were not what they were, and once that they are again.
fn tell(before: &mut Option<String>, now: Option<String>) {
    if *before == now {
        return;
    }
    match &now {
        Some(reason) => {
            tracing::error!(name: "queue_displaced", reason, "the queue's files are not what they were: nothing is stored in them");
        }
        None => {
            tracing::info!(name: "queue_back", "the queue's files are back, and take events again");
        }
    }
    *before = now;
}

/// Says once that the ledger is off, that it waits, that it works again, and how much it forgot.
fn tell_of_ledger(before: Option<&LedgerFigures>, now: Option<&LedgerFigures>) {
    let Some(now) = now else {
        return;
    };
    let none = LedgerFigures::default();
    let before = before.unwrap_or(&none);
    if let (Some(reason), true) = (&now.off, before.off != now.off) {
        tracing::warn!(name: "derives_nothing", reason, "no events are derived until `serve` starts again; deliveries are queued as they come. If it happens again, set `derive = false` in `[embedded_queue]`, or move the queue file away");
    }
    match (&before.waits, &now.waits) {
        (None, Some(reason)) => {
            tracing::warn!(name: "derives_later", reason, behind = now.behind, "deliveries are queued as they come, and events are derived from them later");
        }
        (Some(_), None) if now.off.is_none() => {
            tracing::info!(name: "derives_again", behind = now.behind, "events are derived again, from those that were queued meanwhile first");
        }
        _ => {}
    }
    if now.forgotten > before.forgotten {
        let forgotten = now.forgotten - before.forgotten;
        tracing::warn!(name: "ledger_forgot", forgotten, "what was known of tasks or annotations is damaged in the queue file: nothing is derived from it, and the others are as they were");
    }
    if now.missed > before.missed {
        let missed = now.missed - before.missed;
        tracing::warn!(name: "ledger_missed", missed, "events were acknowledged and pruned before events were derived from them: nothing is derived from these. `retain_acknowledged_s` in `[embedded_queue]` keeps them for longer");
    }
}
