//! Events that were received too often: the service itself ends none.

use super::{AT_ONCE, StorageQueueSource};
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use labelrelay_core::clock::within;
use labelrelay_core::event_source::{bury, split_too_often};
use labelrelay_core::{ReceivedEvent, Settled};
use std::time::Duration;

impl StorageQueueSource {
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
        let count = too_often.len();
        let each = iter(too_often).map(|event| self.bury(event));
        let buried = each.buffer_unordered(AT_ONCE).collect::<Vec<()>>();
        if within(&*self.queue.clock, limit, buried).await.is_err() {
            let queue = &self.queue.resource.what;
            tracing::error!(name: "events_not_buried", %queue, events = count, "not all that was received too often could be made a dead letter in time for the events that were received with it; tried again when it comes again");
        }
        sound
    }

    /// Makes a dead letter of an event. If that fails, it is received again.
    async fn bury(&self, event: ReceivedEvent) {
        let burial = bury(self, event).await;
        let (queue, place, times) = (&self.queue.resource.what, &burial.place, burial.times);
        match &burial.outcome {
            // Others have it again, and will see the same.
            Ok(Settled::Stale) => {}
            Ok(Settled::Done) => {
                tracing::warn!(name: "event_buried", %queue, %place, times, "an event was received too often, and is a dead letter now");
            }
            Err(error) => {
                tracing::error!(name: "event_not_buried", %queue, %place, times, %error, "an event was received too often, and could not be made a dead letter; tried again when it comes again");
            }
        }
    }
}
