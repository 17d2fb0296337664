//! The embedded queue as a source of events, beside a running owner.
//!
//! A queue file blocks, and one thread may use it at a time. So a thread of its own has it, and is told what to do. A
//! receive that waits keeps nothing else from being done meanwhile. It looks with a read, which no writer waits for, and
//! writes only when there is something to take.

use crate::queue_file::{Acknowledgement, Delivery, MAX_VISIBILITY, QueueFile};
use crate::queue_file_error::{FileError, OpenError};
use futures_channel::oneshot;
use labelrelay_core::{
    BoxFuture, Clock, EventSource, EventSourceError, Extended, ReceivedEvent, Settled,
};
use std::collections::VecDeque;
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Pause between two looks at the file while a receive waits: other processes write it, and nothing tells of it.
const POLL: Duration = Duration::from_millis(50);

type Answer<T> = Result<T, EventSourceError>;
type Work = Box<dyn FnOnce(&QueueFile) + Send>;

enum Command {
    Receive(Receive),
    Other(Work),
}

struct Receive {
    max: usize,
    visibility: Duration,
    begun: Instant,
    wait: Duration,
    answer: oneshot::Sender<Answer<Vec<ReceivedEvent>>>,
}

/// The events of a queue file. Its dead letters are in the same file, so it always has a place for them.
///
/// An envelope that was damaged where it lay is handed out as it is. Whoever reads it rejects it.
#[derive(Debug)]
pub struct FileSource {
    commands: mpsc::Sender<Command>,
    resource: Arc<str>,
}

impl FileSource {
    /// Opens the queue file at `path`.
    ///
    /// # Errors
    /// [`EventSourceError`] when there is no such file, or when it cannot be written.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Answer<Self> {
        let resource: Arc<str> = path.as_ref().display().to_string().into();
        let queue = QueueFile::open(path, clock).map_err(|error| open_error(&resource, &error))?;
        let (commands, inbox) = mpsc::channel();
        let name = Arc::clone(&resource);
        std::thread::Builder::new()
            .name("queue-source".to_owned())
            .spawn(move || run(&queue, &inbox, &name))
            .map_err(|error| {
                EventSourceError::new(
                    &*resource,
                    format!("the system gave no thread ({error})"),
                    "allow this process more threads",
                )
            })?;
        Ok(Self { commands, resource })
    }

    /// Runs `work` on the thread that has the file.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&QueueFile) -> Result<T, FileError> + Send + 'static,
    ) -> BoxFuture<'_, Answer<T>> {
        let (sender, answer) = oneshot::channel();
        let resource = Arc::clone(&self.resource);
        let work: Work = Box::new(move |queue| {
            // An answer that nobody waits for any more is of no use.
            let _ = sender.send(work(queue).map_err(|error| file_error(&resource, &error)));
        });
        self.tell(Command::Other(work), answer)
    }

    fn tell<T: Send + 'static>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Answer<T>>,
    ) -> BoxFuture<'_, Answer<T>> {
        let told = self.commands.send(command);
        Box::pin(async move {
            told.map_err(|_| self.ended())?;
            answer.await.map_err(|_| self.ended())?
        })
    }

    /// Refuses a time for which the file hides no event: the event would be others' while it is worked on.
    fn check(&self, visibility: Duration) -> Answer<()> {
        if visibility <= MAX_VISIBILITY {
            return Ok(());
        }
        let problem = format!("it hides no event for {} seconds", visibility.as_secs());
        let cure = "ask for 12 hours at most";
        Err(EventSourceError::new(&*self.resource, problem, cure))
    }

    fn ended(&self) -> EventSourceError {
        EventSourceError::new(
            &*self.resource,
            "the thread that reads the queue has ended",
            "start this process again",
        )
    }
}

impl EventSource for FileSource {
    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Answer<Vec<ReceivedEvent>>> {
        if let Err(error) = self.check(visibility) {
            return Box::pin(ready(Err(error)));
        }
        let (sender, answer) = oneshot::channel();
        let receive = Receive {
            max,
            visibility,
            begun: Instant::now(),
            wait,
            answer: sender,
        };
        self.tell(Command::Receive(receive), answer)
    }

    fn ack<'a>(&'a self, receipts: &'a [&'a str]) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        let receipts = owned(receipts);
        self.ask(move |queue| Ok(all_settled(queue.acknowledge_all(&borrowed(&receipts))?)))
    }

    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        let receipts = owned(receipts);
        self.ask(move |queue| Ok(all_settled(queue.release_all(&borrowed(&receipts), after)?)))
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Answer<Extended>> {
        if let Err(error) = self.check(visibility) {
            return Box::pin(ready(Err(error)));
        }
        let receipt = receipt.to_owned();
        self.ask(move |queue| {
            let kept = one_settled(queue.extend_all(&[&receipt], visibility)?);
            Ok(match kept {
                Settled::Done => Extended::Until(receipt),
                Settled::Stale => Extended::Stale,
            })
        })
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Answer<Settled>> {
        let (receipt, reason) = (event.receipt.clone(), reason.to_owned());
        self.ask(move |queue| Ok(one_settled(queue.bury_all(&[&receipt], Some(&reason))?)))
    }
}

/// Does what it is told until nobody can tell it anything any more.
fn run(queue: &QueueFile, inbox: &mpsc::Receiver<Command>, resource: &str) {
    let mut waiting = VecDeque::new();
    let mut looked = Instant::now();
    loop {
        let command = if waiting.is_empty() {
            let ended = |_| mpsc::RecvTimeoutError::Disconnected;
            inbox.recv().map_err(ended)
        } else {
            inbox.recv_timeout(POLL.saturating_sub(looked.elapsed()))
        };
        match command {
            Ok(Command::Other(work)) => work(queue),
            Ok(Command::Receive(receive)) => waiting.extend(try_receive(queue, receive, resource)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        // Also between commands that follow each other closely: they must not keep a receive from its events.
        if looked.elapsed() >= POLL {
            for receive in std::mem::take(&mut waiting) {
                waiting.extend(try_receive(queue, receive, resource));
            }
            looked = Instant::now();
        }
    }
}

/// Receives, and gives the command back if it has to wait.
fn try_receive(queue: &QueueFile, receive: Receive, resource: &str) -> Option<Receive> {
    if receive.answer.is_canceled() {
        return None;
    }
    let received = if queue.may_receive() {
        queue.receive(receive.max, receive.visibility)
    } else {
        Ok(Vec::new())
    };
    let has_none = matches!(&received, Ok(deliveries) if deliveries.is_empty());
    if has_none && receive.max > 0 && receive.begun.elapsed() < receive.wait {
        return Some(receive);
    }
    let answer = received
        .map(|deliveries| deliveries.into_iter().map(event).collect())
        .map_err(|error| file_error(resource, &error));
    if let Err(Ok(unwanted)) = receive.answer.send(answer) {
        let receipts: Vec<&str> = unwanted
            .iter()
            .map(|event: &ReceivedEvent| event.receipt.as_str())
            .collect();
        // Should it fail, they are received again when their visibility runs out.
        let _ = queue.release_all(&receipts, Duration::ZERO);
    }
    None
}

fn event(delivery: Delivery) -> ReceivedEvent {
    ReceivedEvent::new(
        delivery.envelope,
        delivery.receipt,
        format!("event {}", delivery.seq),
    )
    .received(delivery.receive_count)
}

fn owned(receipts: &[&str]) -> Vec<String> {
    receipts.iter().map(|&receipt| receipt.to_owned()).collect()
}

fn borrowed(receipts: &[String]) -> Vec<&str> {
    receipts.iter().map(String::as_str).collect()
}

fn all_settled(all: Vec<Acknowledgement>) -> Vec<Settled> {
    all.into_iter().map(settled).collect()
}

fn one_settled(all: Vec<Acknowledgement>) -> Settled {
    all.into_iter().next().map_or(Settled::Stale, settled)
}

fn settled(acknowledgement: Acknowledgement) -> Settled {
    match acknowledgement {
        Acknowledgement::Done => Settled::Done,
        Acknowledgement::Stale | Acknowledgement::Malformed => Settled::Stale,
    }
}

fn open_error(resource: &str, error: &OpenError) -> EventSourceError {
    let passes = error.is_retryable();
    with_its_cure(resource, &error.to_string(), passes)
}

fn file_error(resource: &str, error: &FileError) -> EventSourceError {
    let passes = matches!(error, FileError::Locked(_) | FileError::Full(_));
    with_its_cure(resource, &error.to_string(), passes)
}

/// The errors of a queue file end with their cure, behind the last colon.
fn with_its_cure(resource: &str, message: &str, passes: bool) -> EventSourceError {
    let (problem, cure) = message
        .rsplit_once(": ")
        .unwrap_or((message, "see `labelrelay queue stats`"));
    let error = EventSourceError::new(resource, problem, cure);
    if passes { error.retryable() } else { error }
}
