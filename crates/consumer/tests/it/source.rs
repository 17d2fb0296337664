//! A queue in memory that goes by tokio's clock, which a test lets stand still, and that tells what was done to it.

use bytes::Bytes;
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

type Answer<T> = Result<T, EventSourceError>;

pub(crate) struct Source {
    messages: Mutex<Vec<Message>>,
    receive_errors: Mutex<VecDeque<EventSourceError>>,
    ack_errors: Mutex<VecDeque<EventSourceError>>,
    reject_errors: Mutex<VecDeque<EventSourceError>>,
    /// The queue makes no dead letters of what was received too often.
    pub(crate) counts_nothing: AtomicBool,
    /// Faults of a queue's client.
    pub(crate) ack_panics: AtomicBool,
    pub(crate) retry_panics: AtomicBool,
    /// The message whose extension takes very long.
    pub(crate) slow_extension: AtomicUsize,
    /// Messages of one receive.
    pub(crate) most_at_once: AtomicUsize,
    /// Calls of `ack`, with how many receipts each had.
    pub(crate) acks: Mutex<Vec<usize>>,
}

#[derive(Clone)]
struct Message {
    envelope: Bytes,
    group: Option<String>,
    receives: u32,
    receipt: String,
    hidden_until: Instant,
    end: Option<End>,
    extended: usize,
    retries: Vec<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Acknowledged,
    Rejected(String),
}

impl Default for Source {
    fn default() -> Self {
        Self {
            messages: Mutex::default(),
            receive_errors: Mutex::default(),
            ack_errors: Mutex::default(),
            reject_errors: Mutex::default(),
            counts_nothing: AtomicBool::default(),
            ack_panics: AtomicBool::default(),
            retry_panics: AtomicBool::default(),
            slow_extension: AtomicUsize::new(usize::MAX),
            most_at_once: AtomicUsize::new(usize::MAX),
            acks: Mutex::default(),
        }
    }
}

impl Source {
    pub(crate) fn of(envelopes: impl IntoIterator<Item = Vec<u8>>) -> Arc<Self> {
        let source = Arc::new(Self::default());
        for envelope in envelopes {
            source.send(envelope);
        }
        source
    }

    pub(crate) fn send(&self, envelope: Vec<u8>) {
        self.send_in(None, envelope);
    }

    /// The queue keeps the order of a group: as long as some of it are hidden, it hands out none of it.
    pub(crate) fn send_in(&self, group: Option<&str>, envelope: Vec<u8>) {
        self.messages.lock().unwrap().push(Message {
            envelope: envelope.into(),
            group: group.map(str::to_owned),
            receives: 0,
            receipt: String::new(),
            hidden_until: Instant::now(),
            end: None,
            extended: 0,
            retries: Vec::new(),
        });
    }

    /// The next receives fail so.
    pub(crate) fn fail_receives(&self, errors: impl IntoIterator<Item = EventSourceError>) {
        self.receive_errors.lock().unwrap().extend(errors);
    }

    /// The next acknowledgements fail so.
    pub(crate) fn fail_acks(&self, errors: impl IntoIterator<Item = EventSourceError>) {
        self.ack_errors.lock().unwrap().extend(errors);
    }

    /// The next rejections fail so. Each gives the event another receipt all the same, as Azure does.
    pub(crate) fn fail_rejects(&self, errors: impl IntoIterator<Item = EventSourceError>) {
        self.reject_errors.lock().unwrap().extend(errors);
    }

    pub(crate) fn ends(&self) -> Vec<Option<End>> {
        self.all(|message| message.end.clone())
    }

    pub(crate) fn are_all_acknowledged(&self) -> bool {
        self.ends()
            .iter()
            .all(|end| *end == Some(End::Acknowledged))
    }

    pub(crate) fn receives(&self) -> Vec<u32> {
        self.all(|message| message.receives)
    }

    pub(crate) fn extensions(&self) -> Vec<usize> {
        self.all(|message| message.extended)
    }

    /// Pauses with which each was given back.
    pub(crate) fn retries(&self) -> Vec<Vec<Duration>> {
        self.all(|message| message.retries.clone())
    }

    fn all<T>(&self, of: impl Fn(&Message) -> T) -> Vec<T> {
        self.messages.lock().unwrap().iter().map(of).collect()
    }

    fn take(&self, max: usize, visibility: Duration) -> Vec<ReceivedEvent> {
        let now = Instant::now();
        let mut messages = self.messages.lock().unwrap();
        let hidden = messages.iter();
        let hidden = hidden.filter(|message| message.end.is_none() && message.hidden_until > now);
        let blocked: HashSet<_> = hidden.filter_map(|message| message.group.clone()).collect();
        let is_blocked = |message: &Message| {
            let group = message.group.as_ref();
            group.is_some_and(|group| blocked.contains(group))
        };
        let all = messages.iter_mut().enumerate();
        let taken = all
            .filter(|(_, message)| message.end.is_none() && message.hidden_until <= now)
            .filter(|(_, message)| !is_blocked(message))
            .take(max.min(self.most_at_once.load(Ordering::Relaxed)));
        taken
            .map(|(at, message)| {
                message.receives += 1;
                message.hidden_until = now + visibility;
                message.receipt = format!("{at}/{}/0", message.receives);
                let place = format!("message {at}");
                let event =
                    ReceivedEvent::new(message.envelope.clone(), message.receipt.clone(), place)
                        .received(message.receives);
                match &message.group {
                    Some(group) => event.in_group(group),
                    None => event,
                }
            })
            .collect()
    }

    /// Does it to the message whose receipt this is, if it is good still.
    fn settle(&self, receipt: &str, change: impl FnOnce(&mut Message)) -> Settled {
        let mut messages = self.messages.lock().unwrap();
        let found = messages
            .iter_mut()
            .find(|message| message.receipt == receipt && message.end.is_none());
        let Some(message) = found else {
            return Settled::Stale;
        };
        change(message);
        Settled::Done
    }
}

/// An error that passes, or one that does not.
pub(crate) fn error(passes: bool) -> EventSourceError {
    let error = EventSourceError::new("the queue", "a fault of the test", "nothing helps");
    if passes { error.retryable() } else { error }
}

fn ready<'a, T: Send + 'a>(answer: Answer<T>) -> BoxFuture<'a, Answer<T>> {
    Box::pin(std::future::ready(answer))
}

impl EventSource for Source {
    fn limits_receives(&self) -> bool {
        !self.counts_nothing.load(Ordering::Relaxed)
    }

    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Answer<Vec<ReceivedEvent>>> {
        Box::pin(async move {
            let error = self.receive_errors.lock().unwrap().pop_front();
            if let Some(error) = error {
                return Err(error);
            }
            let begun = Instant::now();
            loop {
                let taken = self.take(max, visibility);
                if !taken.is_empty() || begun.elapsed() >= wait {
                    return Ok(taken);
                }
                sleep(Duration::from_millis(100)).await;
            }
        })
    }

    fn ack<'a>(&'a self, receipts: &'a [&'a str]) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        assert!(
            !self.ack_panics.load(Ordering::Relaxed),
            "a fault of the test"
        );
        let error = self.ack_errors.lock().unwrap().pop_front();
        if let Some(error) = error {
            return ready(Err(error));
        }
        self.acks.lock().unwrap().push(receipts.len());
        let settle =
            |receipt: &&str| self.settle(receipt, |message| message.end = Some(End::Acknowledged));
        ready(Ok(receipts.iter().map(settle).collect()))
    }

    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        assert!(
            !self.retry_panics.load(Ordering::Relaxed),
            "a fault of the test"
        );
        let settle = |receipt: &&str| {
            self.settle(receipt, |message| {
                message.hidden_until = Instant::now() + after;
                message.receipt.clear();
                message.retries.push(after);
            })
        };
        ready(Ok(receipts.iter().map(settle).collect()))
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Answer<Extended>> {
        // Each extension gives another receipt, as Azure does.
        let mut renewed = String::new();
        let settled = self.settle(receipt, |message| {
            message.extended += 1;
            message.hidden_until = Instant::now() + visibility;
            message.receipt = format!("{receipt}+");
            renewed.clone_from(&message.receipt);
        });
        let slow = self.slow_extension.load(Ordering::Relaxed);
        let is_slow = receipt.starts_with(&format!("{slow}/"));
        let extended = match settled {
            Settled::Done => Extended::Until(renewed),
            Settled::Stale => Extended::Stale,
        };
        Box::pin(async move {
            if is_slow {
                sleep(Duration::from_secs(25)).await;
            }
            Ok(extended)
        })
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Answer<Settled>> {
        let error = self.reject_errors.lock().unwrap().pop_front();
        if let Some(error) = error {
            self.settle(&event.receipt, |message| message.receipt.push('!'));
            event.receipt.push('!');
            return ready(Err(error));
        }
        ready(Ok(self.settle(&event.receipt, |message| {
            message.end = Some(End::Rejected(reason.to_owned()));
        })))
    }
}
