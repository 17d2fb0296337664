//! The work on one event: the dataset takes it in.

use super::job::{Content, Job, Message, Verdict};
use bytes::Bytes;
use labelrelay_consumer::{Outcome, Slots, Work, fetch_body, whole_envelope};
use labelrelay_core::{BlobStore, BoxFuture, ReceivedEvent};
use labelrelay_event::{Event, EventError, S3Pointer};
use std::sync::{Arc, mpsc};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

/// Bodies from the blob store that are in memory at the same time: each may be of 100 MB.
const BODIES: usize = 2;

/// Hands events to the thread that has the dataset, and waits until they are on the disk.
pub(super) struct Folding {
    door: mpsc::Sender<Message>,
    stores: Vec<Arc<dyn BlobStore>>,
    bodies: Semaphore,
}

impl Folding {
    pub(super) fn new(door: mpsc::Sender<Message>, blobs: Option<Arc<dyn BlobStore>>) -> Self {
        Self {
            door,
            stores: blobs.into_iter().collect(),
            bodies: Semaphore::new(BODIES),
        }
    }

    /// `None` if the thread has ended: the others can have the event.
    async fn fold(&self, content: Content, place: &str) -> Option<Verdict> {
        let (verdict, answer) = oneshot::channel();
        let job = Job {
            content,
            place: place.to_owned(),
            verdict,
        };
        // A job that was not sent goes here, and with it the sender of its verdict.
        if self.door.send(Message::Fold(job)).is_err() {
            return None;
        }
        answer.await.ok()
    }

    async fn event(&self, received: &ReceivedEvent, slots: &Slots) -> Outcome {
        let envelope = match self.envelope(received, slots).await {
            Ok(envelope) => envelope,
            Err(outcome) => return outcome,
        };
        match self
            .fold(Content::Envelope(envelope.clone()), &received.place)
            .await
        {
            None => Outcome::NotBegun,
            Some(Verdict::Done) => Outcome::Done,
            Some(Verdict::Unreadable(error)) => rejected(&error),
            Some(Verdict::Claimed) => self.claimed(&envelope, &received.place, slots).await,
        }
    }

    /// The envelope, whole: SQS may hold a pointer to it.
    async fn envelope(&self, received: &ReceivedEvent, slots: &Slots) -> Result<Bytes, Outcome> {
        if S3Pointer::parse(&received.envelope).is_none() {
            return Ok(received.envelope.clone());
        }
        let Some(_slot) = self.slot(slots).await else {
            return Err(Outcome::NotBegun);
        };
        whole_envelope(received, &self.stores).await
    }

    /// One of the places for what is fetched. After a stop there is none: nobody waits for hundreds of bodies.
    async fn slot(&self, slots: &Slots) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            biased;
            () = slots.stopping() => None,
            // Closed by nobody.
            slot = self.bodies.acquire() => slot.ok(),
        }
    }

    /// The same with the body from the blob store. One that is not there, or damaged, may come back: it is not rejected at
    /// once, but becomes a dead letter when the event was received too often.
    async fn claimed(&self, envelope: &[u8], place: &str, slots: &Slots) -> Outcome {
        let Some(_slot) = self.slot(slots).await else {
            return Outcome::NotBegun;
        };
        let event = match Event::parse(envelope) {
            Ok(event) => event,
            Err(error) => return rejected(&error),
        };
        let fetched = match fetch_body(&event, &self.stores).await {
            Ok(fetched) => fetched,
            Err(outcome) => return outcome,
        };
        match self.fold(Content::Fetched(Box::new(fetched)), place).await {
            Some(Verdict::Done) => Outcome::Done,
            Some(Verdict::Unreadable(error)) => rejected(&error),
            Some(Verdict::Claimed) | None => Outcome::NotBegun,
        }
    }
}

/// No other consumer of this version can read it, and its bytes do not change. A dead letter can be brought back.
fn rejected(error: &EventError) -> Outcome {
    Outcome::Rejected {
        reason: format!("{:?}: {}", error.kind(), error.reason()),
    }
}

impl Work for Folding {
    fn work<'a>(&'a self, event: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let Some(_slot) = slots.take().await else {
                return Outcome::NotBegun;
            };
            self.event(event, slots).await
        })
    }
}
