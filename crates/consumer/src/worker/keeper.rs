//! Keeps hidden what is held, and keeps what the work itself holds.

use super::Work;
use super::held::Held;
use super::shared::Shared;
use crate::words;
use labelrelay_core::Extended;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Looks at all that is held, again and again, until it is dropped.
pub(super) async fn keep<W: Work>(shared: Arc<Shared<W>>) {
    let visibility = shared.settings.visibility;
    let third = visibility / 3;
    let mut ticks = interval(third / 4);
    // After a time in which this machine slept, one look is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut extensions = JoinSet::new();
    let mut kept = Instant::now();
    loop {
        ticks.tick().await;
        while extensions.try_join_next().is_some() {}
        if kept.elapsed() >= third {
            kept = Instant::now();
            let shared = Arc::clone(&shared);
            extensions.spawn(async move {
                if let Err(reason) = shared.work.keep(visibility).await {
                    let reason = words::one_line(&reason);
                    tracing::error!(name: "leases_not_kept", reason, "the leases could not be kept");
                }
            });
        }
        // One that takes long keeps no other from being extended.
        for held in shared.held.ending_within(2 * third) {
            let shared = Arc::clone(&shared);
            extensions.spawn(async move { extend(&shared, &held, visibility).await });
        }
    }
}

async fn extend<W: Work>(shared: &Shared<W>, held: &Held, visibility: Duration) {
    let Some(mut receipt) = held.extending() else {
        return;
    };
    let asked = Instant::now();
    match shared.source.extend(&receipt.token, visibility).await {
        Ok(Extended::Until(token)) => {
            receipt.token = token;
            held.hide_until(asked + visibility);
        }
        Ok(Extended::Stale) => {
            let event = words::name(&held.event);
            tracing::warn!(name: "event_lost_sight_of", event, "the queue no longer keeps an event that is worked on: another consumer may have it too");
            // Nothing can be done about it, and once is often enough to say so.
            held.hide_until(asked + Duration::from_secs(365 * 86_400));
        }
        Err(error) => {
            let event = words::name(&held.event);
            tracing::warn!(name: "event_not_extended", event, reason = %error, "an event that is worked on could not be kept hidden; tried again");
        }
    }
}
