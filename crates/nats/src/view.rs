//! A look into a stream. It makes nothing, and takes nothing.
//!
//! A server gives one message at a time to whoever looks: the first one from a place on. Of a message that was handed out,
//! it does not tell whether it is hidden or due again, nor how often it was received.

use crate::answers::{ConsumerProgress, StoredMessage, StreamInfo, found, read};
use crate::failure::Failure;
use crate::server::Servers;
use async_nats::Message;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use labelrelay_core::QueueErrorKind::Misconfigured;
use labelrelay_core::time::parse;
use labelrelay_core::{BoxFuture, EventSourceError, QueueView, ViewPage, ViewedEvent, ViewedState};
use serde_json::json;
use std::collections::VecDeque;
use std::fmt;

/// Bytes of all envelopes of a page, or one envelope more.
const BYTES: usize = 8 * 1024 * 1024;

/// The events of a stream, to look at.
pub(crate) struct NatsView(Servers);

impl NatsView {
    pub(crate) fn new(servers: Servers) -> Self {
        Self(servers)
    }

    async fn try_page(&self, page: ViewPage) -> Result<Vec<ViewedEvent>, Failure> {
        let progress = self.progress().await?;
        let last = self.last().await?;
        // A stream that keeps what was acknowledged shows no more of it.
        let after = page.after.unwrap_or(0).max(progress.ack_floor.stream_seq);
        let first = after.saturating_add(1);
        let last = match page.before {
            Some(before) => last.min(before.saturating_sub(1)),
            None => last,
        };
        let most = page.max.max(1);
        let mut events = if page.newest_first {
            self.newest(first, last, most).await?
        } else {
            self.oldest(first, last, most).await?
        };
        for event in &mut events {
            if event.number <= progress.delivered.stream_seq {
                event.state = ViewedState::Hidden;
                event.receives = 1;
            }
        }
        Ok(events)
    }

    async fn oldest(
        &self,
        first: u64,
        last: u64,
        most: usize,
    ) -> Result<Vec<ViewedEvent>, Failure> {
        let (mut events, mut bytes, mut next) = (Vec::new(), 0, first);
        while events.len() < most && bytes < BYTES {
            let Some(event) = self.first_of(next, last).await? else {
                break;
            };
            bytes += event.envelope.len();
            next = event.number.saturating_add(1);
            events.push(event);
        }
        Ok(events)
    }

    /// Nobody can be asked for the message before a place. So the places are halved until they have the newest event, and
    /// no more of them are left than are wanted.
    async fn newest(
        &self,
        first: u64,
        last: u64,
        most: usize,
    ) -> Result<Vec<ViewedEvent>, Failure> {
        let Some(event) = self.first_of(first, last).await? else {
            return Ok(Vec::new());
        };
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        // There is an event at `low`, and none behind `high`.
        let (mut low, mut high) = (event.number, last);
        while high - low >= most {
            let middle = low + (high - low).div_ceil(2);
            match self.first_of(middle, high).await? {
                Some(event) => low = event.number,
                None => high = middle - 1,
            }
        }
        let (mut events, mut bytes, mut next) = (VecDeque::new(), 0, low);
        while let Some(event) = self.first_of(next, high).await? {
            bytes += event.envelope.len();
            next = event.number.saturating_add(1);
            events.push_front(event);
            // Older ones are on the next page.
            while bytes > BYTES && events.len() > 1 {
                let older = events.pop_back();
                bytes -= older.map_or(0, |event| event.envelope.len());
            }
        }
        Ok(events.into())
    }

    /// The first event from one place to another.
    async fn first_of(&self, first: u64, last: u64) -> Result<Option<ViewedEvent>, Failure> {
        if first > last {
            return Ok(None);
        }
        let url = &self.0.url;
        let subject = format!("$JS.API.STREAM.MSG.GET.{}", url.stream);
        let wanted = json!({"seq": first, "next_by_subj": url.subject});
        let answer = self.ask(&subject, wanted.to_string().into()).await?;
        match found(&answer.payload)? {
            Some(message) if message.seq <= last => viewed(&message).map(Some),
            _ => Ok(None),
        }
    }

    /// Place of the stream's newest message.
    async fn last(&self) -> Result<u64, Failure> {
        let subject = format!("$JS.API.STREAM.INFO.{}", self.0.url.stream);
        let answer = self.ask(&subject, Bytes::new()).await?;
        let info: StreamInfo = read(&answer.payload)?;
        Ok(info.state.last_seq)
    }

    async fn progress(&self) -> Result<ConsumerProgress, Failure> {
        let url = &self.0.url;
        let subject = format!("$JS.API.CONSUMER.INFO.{}.{}", url.stream, url.consumer);
        let answer = self.ask(&subject, Bytes::new()).await;
        match answer.and_then(|answer| read(&answer.payload)) {
            // Nobody has consumed yet.
            Err(failure) if failure.is_absent && failure.fault.kind == Misconfigured => {
                Ok(ConsumerProgress::default())
            }
            progress => progress,
        }
    }

    /// A second time if the first one failed: between two looks, somebody may read for longer than a server waits for a
    /// sign of life.
    async fn ask(&self, subject: &str, request: Bytes) -> Result<Message, Failure> {
        match self.0.ask(subject, None, request.clone()).await {
            Err(failure) if failure.fault.is_retryable() => {
                self.0.ask(subject, None, request).await
            }
            answered => answered,
        }
    }
}

/// An event that nobody has received, as far as the message tells.
fn viewed(message: &StoredMessage) -> Result<ViewedEvent, Failure> {
    let nonsense = |_| Failure::unproven("a message is not in base64");
    let envelope = STANDARD.decode(&message.data).map_err(nonsense)?;
    let queued_ms = match parse(&message.time) {
        Some(time) => time.as_millisecond(),
        None => 0,
    };
    Ok(ViewedEvent {
        number: message.seq,
        queued_ms,
        state: ViewedState::Ready,
        receives: 0,
        reason: None,
        envelope: envelope.into(),
    })
}

impl QueueView for NatsView {
    fn page(&self, page: ViewPage) -> BoxFuture<'_, Result<Vec<ViewedEvent>, EventSourceError>> {
        Box::pin(async move {
            let looked = self.try_page(page).await;
            looked.map_err(|failure| failure.fault.of_source(self.0.resource()))
        })
    }

    /// A stream numbers its messages as it stores them.
    fn shows_in_order(&self) -> bool {
        true
    }
}

impl fmt::Debug for NatsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsView({})", self.0.resource())
    }
}
