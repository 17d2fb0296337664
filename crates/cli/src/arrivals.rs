//! Events that a queue took, for whoever records them. Nothing waits for that: an event that is not noted is one that
//! a pull may send once more, with the same id.

use crate::queue_records::data;
use labelrelay_core::OutboundMessage;
use labelrelay_core::observed_queue::SendObserver;
use labelrelay_core::traces::is_about_one;
use labelrelay_event::Attributes;
use labelrelay_reconcile::LiveEvent;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};

/// Events that wait to be recorded.
const WAITING: usize = 8192;

/// Bytes of their envelopes, as far as those are needed.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// An event that a queue took.
pub(crate) enum Arrival {
    /// An event.
    Event {
        attributes: Arc<Attributes>,
        /// The envelope, where the attributes do not say everything.
        envelope: Option<bytes::Bytes>,
    },
    /// Nothing comes any more.
    End,
}

/// The places where events are noted, one for each source that is recorded. Nothing is noted of any other.
#[derive(Default)]
pub(crate) struct Arrivals {
    of: RwLock<Vec<Noted>>,
}

struct Noted {
    source: String,
    sender: SyncSender<Arrival>,
    bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
}

/// The other end: what arrived at one source.
pub(crate) struct Arrived {
    receiver: Receiver<Arrival>,
    bytes: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    has_ended: bool,
}

impl Arrivals {
    /// Notes the events of this source from now on.
    pub(crate) fn of(&self, source: &str) -> Arrived {
        let (sender, receiver) = sync_channel(WAITING);
        let (bytes, lost) = (Arc::default(), Arc::default());
        let mut all = self.of.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever had it before never began, or has ended: only one is told of each event.
        all.retain(|noted| noted.source != source);
        all.push(Noted {
            source: source.to_owned(),
            sender,
            bytes: Arc::clone(&bytes),
            lost: Arc::clone(&lost),
        });
        drop(all);
        Arrived {
            receiver,
            bytes,
            lost,
            has_ended: false,
        }
    }

    /// Says that nothing comes any more. Waits until there is room to say so.
    pub(crate) fn end(&self) {
        let all = self.of.read().unwrap_or_else(PoisonError::into_inner);
        let senders: Vec<_> = all.iter().map(|noted| noted.sender.clone()).collect();
        drop(all);
        for sender in senders {
            // An error means that the recorder has ended already.
            let _ = sender.send(Arrival::End);
        }
    }

    fn note(&self, message: &OutboundMessage) {
        let source = message.source().trim_start_matches('/');
        let all = self.of.read().unwrap_or_else(PoisonError::into_inner);
        let Some(noted) = all.iter().find(|noted| noted.source == source) else {
            return;
        };
        let envelope = (!is_about_one(&message.attributes)).then(|| message.body.clone());
        let bytes = envelope.as_ref().map_or(0, bytes::Bytes::len);
        let before = noted.bytes.fetch_add(bytes, Ordering::Relaxed);
        if bytes > 0 && before.saturating_add(bytes) > WAITING_BYTES {
            noted.lose(bytes);
            return;
        }
        let event = Arrival::Event {
            attributes: Arc::clone(&message.attributes),
            envelope,
        };
        match noted.sender.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => noted.lose(bytes),
        }
    }
}

impl Noted {
    fn lose(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
    }
}

impl Arrived {
    /// The next event, and what else is there, `max` at most. Waits for the first one; `None` at the end.
    pub(crate) fn next(&mut self, max: usize) -> Option<Vec<LiveEvent>> {
        if self.has_ended {
            return None;
        }
        let mut arrival = self.receiver.recv().ok();
        let mut events = Vec::new();
        while let Some(event) = arrival.and_then(|arrival| self.read(arrival)) {
            events.push(event);
            if events.len() >= max {
                return Some(events);
            }
            match self.receiver.try_recv() {
                Ok(next) => arrival = Some(next),
                Err(_) => return Some(events),
            }
        }
        self.has_ended = true;
        (!events.is_empty()).then_some(events)
    }

    /// Number of events that were not noted, because too many waited.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn read(&self, arrival: Arrival) -> Option<LiveEvent> {
        let Arrival::Event {
            attributes,
            envelope,
        } = arrival
        else {
            return None;
        };
        let bytes = envelope.as_ref().map_or(0, bytes::Bytes::len);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some(LiveEvent {
            seq: 0,
            attributes: Arc::unwrap_or_clone(attributes),
            data: envelope.as_deref().and_then(data),
        })
    }
}

/// Notes the events of a queue once it has them.
pub(crate) struct NotesArrivals(pub(crate) Arc<Arrivals>);

impl SendObserver for NotesArrivals {
    async fn sent(&self, message: &OutboundMessage) {
        self.0.note(message);
    }
}
