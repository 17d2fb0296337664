//! The events of a Storage Queue, for a consumer.
//!
//! The service has no dead letters and does not wait for messages. So rejected events go to another queue of the account,
//! and an empty queue is looked at once a second: each look costs as much as any other request.

mod account_queue;
mod dead_letters;
mod message;
mod open;
mod receipt;
mod too_often;

pub(crate) use account_queue::AccountQueue;

use azure_core::http::headers::HeaderName;
use azure_storage_queue::models::QueueClientReceiveMessagesOptions;
use dead_letters::DeadLetters;
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use labelrelay_core::event_source::check_visibility;
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use receipt::AzureReceipt;
use std::fmt;
use std::time::Duration;

/// Messages that one request receives at most.
const BATCH: usize = 32;

/// Requests under way at once for one call.
const AT_ONCE: usize = 8;

/// Pause between two looks at an empty queue.
const POLL: Duration = Duration::from_secs(1);

/// Longest that the service hides a message.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// Time for which a message is hidden while it becomes a dead letter: longer than both requests may take.
const WHILE_REJECTED: Duration = Duration::from_secs(120);

/// Least time for the dead letters of one receive, however short the visibility.
const SHORTEST_BURIAL: Duration = Duration::from_secs(1);

const POP_RECEIPT: HeaderName = HeaderName::from_static("x-ms-popreceipt");

type Answer<T> = Result<T, EventSourceError>;

/// A Storage Queue as a source of events.
pub struct StorageQueueSource {
    queue: AccountQueue,
    dead_letters: DeadLetters,
    /// Receives after which an event becomes a dead letter, if this source was told to see to that.
    max_receives: Option<u32>,
}

/// The role that allows to receive and to delete.
pub(crate) const PROCESSOR: &str = "Storage Queue Data Message Processor";

impl StorageQueueSource {
    async fn try_receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Answer<Vec<ReceivedEvent>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        // The service hides a message for a second at least.
        let seconds = self.seconds(visibility)?.max(1);
        let clock = &*self.queue.clock;
        let begun = clock.monotonic();
        loop {
            let events = self.receive_once(max.min(BATCH), seconds).await?;
            let limit = (visibility / 3).max(SHORTEST_BURIAL);
            let events = self.bury_too_often(events, limit).await;
            let left = wait.saturating_sub(clock.monotonic().saturating_sub(begun));
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
            clock.sleep(left.min(POLL)).await;
        }
    }

    /// One request.
    async fn receive_once(&self, max: usize, seconds: i32) -> Answer<Vec<ReceivedEvent>> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: i32::try_from(max).ok(),
            visibility_timeout: Some(seconds),
            ..QueueClientReceiveMessagesOptions::default()
        };
        let asked = async {
            let answer = self.queue.client.receive_messages(Some(options)).await?;
            answer.into_model()
        };
        let received = self.queue.answer(asked).await;
        let received = received.map_err(|failed| self.queue.error(&failed))?;
        let messages = received.items.into_iter().flatten();
        let events: Vec<_> = messages.map(message::event).collect();
        let senseless = events.iter().filter(|event| event.is_none()).count();
        let events: Vec<_> = events.into_iter().flatten().collect();
        if senseless == 0 {
            return Ok(events);
        }
        let (queue, problem) = (
            &self.queue.resource.what,
            "a message came without an id or a receipt",
        );
        if events.is_empty() {
            let cure = "look for a proxy that changes answers between here and the service";
            return Err(EventSourceError::new(queue, problem, cure).retryable());
        }
        // They keep no good one back, and come again.
        tracing::error!(name: "message_damaged", %queue, messages = senseless, problem, "messages did not arrive as they were queued, and are not handed out");
        Ok(events)
    }

    /// `event` has the receipt that is good afterwards, whatever became of it.
    async fn try_reject(&self, event: &mut ReceivedEvent, reason: &str) -> Answer<Settled> {
        // Nobody else gets it meanwhile; and a receipt that is no longer good makes no dead letter.
        match self.keep(&event.receipt, WHILE_REJECTED).await? {
            Extended::Until(receipt) => event.receipt = receipt,
            Extended::Stale => return Ok(Settled::Stale),
        }
        self.dead_letters.send(event, reason).await?;
        self.delete(&event.receipt).await
    }

    async fn delete(&self, receipt: &str) -> Answer<Settled> {
        let Some(receipt) = AzureReceipt::parse(receipt) else {
            return Ok(Settled::Stale);
        };
        let asked = self
            .queue
            .client
            .delete_message(receipt.id, receipt.pop, None);
        match self.queue.answer(asked).await {
            Ok(_) => Ok(Settled::Done),
            Err(failed) if failed.is_stale() => Ok(Settled::Stale),
            Err(failed) => Err(self.queue.error(&failed)),
        }
    }

    /// Hides a message for `time` from now on; that gives it another receipt.
    async fn keep(&self, receipt: &str, time: Duration) -> Answer<Extended> {
        let seconds = self.seconds(time)?;
        let Some(receipt) = AzureReceipt::parse(receipt) else {
            return Ok(Extended::Stale);
        };
        let client = &self.queue.client;
        let asked = client.update_message(receipt.id, receipt.pop, seconds, None);
        let answer = match self.queue.answer(asked).await {
            Ok(answer) => answer,
            Err(failed) if failed.is_stale() => return Ok(Extended::Stale),
            Err(failed) => return Err(self.queue.error(&failed)),
        };
        let Some(pop) = answer.headers().get_optional_str(&POP_RECEIPT) else {
            let problem = "the answer has no new receipt";
            let cure = "look for a proxy that changes answers between here and the service";
            return Err(
                EventSourceError::new(&self.queue.resource.what, problem, cure).retryable(),
            );
        };
        Ok(Extended::Until(AzureReceipt { pop, ..receipt }.to_text()))
    }

    /// A time in whole seconds, not less than it.
    fn seconds(&self, time: Duration) -> Answer<i32> {
        check_visibility(&self.queue.resource.what, time, LONGEST)?;
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        // Of a week, nothing is cut.
        Ok(i32::try_from(seconds).unwrap_or(i32::MAX))
    }
}

/// The outcomes of several requests, in their order. All of them are made, whatever becomes of one.
async fn all<F: Future<Output = Answer<Settled>>>(requests: Vec<F>) -> Answer<Vec<Settled>> {
    let outcomes: Vec<_> = iter(requests).buffered(AT_ONCE).collect().await;
    outcomes.into_iter().collect()
}

impl EventSource for StorageQueueSource {
    fn limits_receives(&self) -> bool {
        self.max_receives.is_some()
    }

    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Answer<Vec<ReceivedEvent>>> {
        Box::pin(self.try_receive(max, visibility, wait))
    }

    fn ack<'a>(&'a self, receipts: &'a [&'a str]) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        let requests = receipts.iter().map(|receipt| self.delete(receipt));
        Box::pin(all(requests.collect()))
    }

    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        let back = move |receipt: &'a &'a str| async move {
            let kept = self.keep(receipt, after.min(LONGEST)).await?;
            Ok(match kept {
                Extended::Until(_) => Settled::Done,
                Extended::Stale => Settled::Stale,
            })
        };
        Box::pin(all(receipts.iter().map(back).collect()))
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Answer<Extended>> {
        Box::pin(self.keep(receipt, visibility))
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Answer<Settled>> {
        Box::pin(self.try_reject(event, reason))
    }
}

impl fmt::Debug for StorageQueueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageQueueSource({})", self.queue.resource.what)
    }
}
