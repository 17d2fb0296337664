//! The ways of handing an event on, and what they have in common.

use crate::error::CliError;
use crate::telemetry::Spans;
use labelrelay_consumer::{Outcome, Slots, Work, whole_envelope};
use labelrelay_core::{BlobStore, BoxFuture, ReceivedEvent};
use labelrelay_event::{Attributes, Event, EventError};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// A way of handing an event on. Object-safe.
pub(super) trait Mode: Send + Sync + 'static {
    /// Hands one event on, and waits for what became of it.
    fn hand_on<'a>(
        &'a self,
        attributes: &'a Attributes,
        event: &'a ReceivedEvent,
        slots: &'a Slots,
    ) -> BoxFuture<'a, Outcome>;
}

/// Problem after which a way can hand nothing on.
#[derive(Debug)]
pub(super) enum Problem {
    Output(io::Error),
    Receiver(String),
}

impl Problem {
    pub(super) fn to_error(&self) -> CliError {
        match self {
            Self::Output(error) => io::Error::new(error.kind(), error.to_string()).into(),
            Self::Receiver(problem) => CliError::failed(problem),
        }
    }
}

/// The problem, once there is one. Closed once nothing can be handed on for another reason.
pub(super) type Broken = watch::Receiver<Option<Problem>>;

/// Hands on what can be read. The rest stays on the queue until it is a dead letter: whoever gets events can believe them.
pub(super) struct Readable {
    pub(super) mode: Box<dyn Mode>,
    /// Stores of envelopes that a message is a pointer to.
    pub(super) stores: Vec<Arc<dyn BlobStore>>,
    pub(super) spans: Spans,
}

impl Work for Readable {
    fn work<'a>(&'a self, event: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let Some(_slot) = slots.take().await else {
                return Outcome::NotBegun;
            };
            let envelope = match whole_envelope(event, &self.stores).await {
                Ok(envelope) => envelope,
                Err(outcome) => return outcome,
            };
            match attributes(&envelope) {
                Ok(mut attributes) => {
                    // The envelope stays as it is: its span is the sender's, or the relay's.
                    let span = self.spans.begin_event(&mut attributes);
                    let mut whole = event.clone();
                    whole.envelope = envelope;
                    let outcome = self.mode.hand_on(&attributes, &whole, slots).await;
                    self.spans.end_event(span, &outcome);
                    outcome
                }
                Err(error) => Outcome::unreadable(&error),
            }
        })
    }
}

/// The attributes of an envelope whose body, if it is in there, is what the sender sent.
fn attributes(envelope: &[u8]) -> Result<Attributes, EventError> {
    let event = Event::parse(envelope)?;
    if !event.is_claimed() {
        event.verify()?;
    }
    Ok(event.attributes().clone())
}
