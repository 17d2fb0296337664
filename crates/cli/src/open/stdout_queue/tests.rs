//! The queue `stdout:` with a reader that the test holds.

use super::*;
use labelrelay_event::{Attributes, Digest, EventType};
use labelrelay_startup::SystemClock;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;

/// Says when a write begins, and then waits for what the test lets happen to it.
struct Pipe {
    begun: Sender<()>,
    fate: Receiver<Fate>,
    written: Arc<Mutex<Vec<u8>>>,
}

enum Fate {
    Taken,
    /// So many bytes are taken, then the pipe is broken or the disk full.
    Broken(usize, ErrorKind),
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.begun.send(());
        match self.fate.recv() {
            Err(_) | Ok(Fate::Taken) => {
                self.written.lock().unwrap().extend(bytes);
                Ok(bytes.len())
            }
            Ok(Fate::Broken(0, kind)) => Err(kind.into()),
            Ok(Fate::Broken(taken, _)) => {
                self.written.lock().unwrap().extend(&bytes[..taken]);
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Held {
    queue: StdoutQueue,
    begun: Receiver<()>,
    fates: RefCell<Option<Sender<Fate>>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Held {
    fn new() -> Self {
        let ((begins, begun), (fate, fates)) = (channel(), channel());
        let written = Arc::default();
        let pipe = Pipe {
            begun: begins,
            fate: fates,
            written: Arc::clone(&written),
        };
        Self {
            queue: StdoutQueue::writing_to(pipe, Arc::new(SystemClock::new())).unwrap(),
            begun,
            fates: RefCell::new(Some(fate)),
            written,
        }
    }

    /// From now on every write succeeds at once.
    fn release(&self) {
        self.fates.replace(None);
    }

    /// Fate of the write that is being made, or of the next one.
    fn next(&self, fate: Fate) {
        self.fates.borrow().as_ref().unwrap().send(fate).unwrap();
    }

    fn written(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

fn message(id: &str) -> OutboundMessage {
    let attributes = Attributes::new(
        id,
        "/x",
        &EventType::from_static("a.b"),
        &Digest::of(id.as_bytes()),
        "2026-01-01T00:00:00Z",
    );
    OutboundMessage::new(attributes, format!("{{\"id\":\"{id}\"}}"))
}

#[tokio::test]
async fn an_attempt_that_was_given_up_while_it_waited_is_not_written() {
    let held = Held::new();
    let (one, two) = (message("1"), message("2"));
    let mut first = held.queue.send(&one);
    assert!(poll_once(&mut first).is_pending());
    held.begun.recv().unwrap();
    let mut given_up = held.queue.send(&two);
    assert!(poll_once(&mut given_up).is_pending());
    drop(given_up);
    let second = held.queue.send(&two);
    held.next(Fate::Taken);
    held.release();
    assert!(!first.await.unwrap().repeat);
    assert!(!second.await.unwrap().repeat);
    assert_eq!(held.written(), "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
}

#[tokio::test]
async fn an_attempt_that_was_given_up_while_it_was_written_is_not_written_again() {
    let held = Held::new();
    let one = message("1");
    let mut given_up = held.queue.send(&one);
    assert!(poll_once(&mut given_up).is_pending());
    held.begun.recv().unwrap();
    drop(given_up);
    held.release();
    assert!(held.queue.send(&one).await.unwrap().repeat);
    // A delivery of the same event later is one more line: `stdout:` keeps nothing to compare with.
    assert!(!held.queue.send(&one).await.unwrap().repeat);
    assert_eq!(held.written(), "{\"id\":\"1\"}\n{\"id\":\"1\"}\n");
}

#[tokio::test]
async fn a_reader_that_is_gone_is_said_and_not_tried_again() {
    let held = Held::new();
    held.next(Fate::Broken(0, ErrorKind::BrokenPipe));
    let error = held.queue.send(&message("1")).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Unavailable);
    assert!(!error.retryable);
    assert!(error.message.contains("its reader has ended"), "{error}");
    held.next(Fate::Broken(0, ErrorKind::BrokenPipe));
    let error = held.queue.check().await.unwrap_err();
    assert!(error.message.contains("its reader has ended"), "{error}");
}

#[tokio::test]
async fn half_a_line_spoils_no_other_one() {
    let held = Held::new();
    held.next(Fate::Broken(4, ErrorKind::StorageFull));
    held.next(Fate::Broken(0, ErrorKind::StorageFull));
    let error = held.queue.send(&message("1")).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Full);
    held.release();
    held.queue.check().await.unwrap();
    held.queue.send(&message("2")).await.unwrap();
    assert_eq!(held.written(), "{\"id\n{\"id\":\"2\"}\n");
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_neither_check_nor_thread() {
    let held = Held::new();
    let one = message("1");
    let mut first = held.queue.send(&one);
    assert!(poll_once(&mut first).is_pending());
    held.begun.recv().unwrap();
    // On the one thread of this test, on which a check that blocks would never end.
    let error = held.queue.check().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Late);
    held.next(Fate::Taken);
    held.next(Fate::Taken);
    first.await.unwrap();
    held.queue.check().await.unwrap();
}

/// Polls once.
fn poll_once<T>(future: &mut BoxFuture<'_, T>) -> Poll<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    future.as_mut().poll(&mut context)
}
