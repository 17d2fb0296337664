//! Events that were received too often, where the queue itself does not end them.

use super::SqsSource;
use futures_util::future::join_all;
use labelrelay_core::event_source::split_too_often;
use labelrelay_core::{ReceivedEvent, Settled};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

impl SqsSource {
    /// Makes dead letters of what was received too often, and returns the others. All together takes no longer than `limit`:
    /// the others are hidden from everybody meanwhile. What is not done by then is received again.
    pub(super) async fn bury_too_often(
        &self,
        events: Vec<ReceivedEvent>,
        limit: Duration,
    ) -> Vec<ReceivedEvent> {
        let (too_often, sound) = split_too_often(events, self.max_receives);
        if too_often.is_empty() {
            return sound;
        }
        let end = Instant::now() + limit;
        let buried = join_all(too_often.iter().map(|event| self.bury(event, end))).await;
        let left = too_often.iter().zip(buried).filter(|(_, buried)| !buried);
        let broken: HashSet<_> = left.filter_map(|(event, _)| event.group.clone()).collect();
        let (held_back, sound): (Vec<_>, Vec<_>) = sound.into_iter().partition(|event| {
            let group = event.group.as_ref();
            group.is_some_and(|group| broken.contains(group))
        });
        self.hold_back(&held_back, end).await;
        sound
    }

    /// Makes a dead letter of an event, and tells whether it is one. Else it is received again.
    async fn bury(&self, event: &ReceivedEvent, end: Instant) -> bool {
        let times = event.receive_count.unwrap_or(0).saturating_sub(1);
        let reason = format!("received {times} times and never acknowledged");
        let (queue, place) = (&self.queue.location.name, &event.place);
        let error = match timeout_at(end, self.try_reject(event, &reason)).await {
            Ok(Ok(Settled::Done)) => {
                tracing::warn!(name: "event_buried", %queue, %place, times, "an event was received too often, and is a dead letter now");
                return true;
            }
            // Others have it again, and will see the same. What follows it in its group has to wait for them.
            Ok(Ok(Settled::Stale)) => return false,
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                "it was not done in time for the events that were received with it".to_owned()
            }
        };
        tracing::error!(name: "event_not_buried", %queue, %place, times, %error, "an event was received too often, and could not be made a dead letter; tried again when it comes again");
        false
    }

    /// Gives back what may not overtake an event of its group. What cannot be given back comes when its visibility runs out.
    async fn hold_back(&self, events: &[ReceivedEvent], end: Instant) {
        if events.is_empty() {
            return;
        }
        let receipts: Vec<_> = events.iter().map(|event| event.receipt.as_str()).collect();
        let _ = timeout_at(end, self.hide(&receipts, Duration::ZERO)).await;
    }
}
