//! The thread that has the dataset: events come to it, and their verdicts go back. It may write a snapshot for minutes, and
//! what waits for it stays hidden from other consumers meanwhile: extending it is the work of other threads.

use super::keeper::Keeper;
use crate::error::CliError;
use bytes::Bytes;
use labelrelay_event::{Event, EventError};
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};

/// What comes to the thread.
pub(super) enum Message {
    Fold(Job),
    /// Nothing else comes: write the last snapshot.
    End,
}

/// An event, and where its verdict goes.
pub(super) struct Job {
    pub(super) content: Content,
    /// The queue's own name of the event.
    pub(super) place: String,
    pub(super) verdict: oneshot::Sender<Verdict>,
}

pub(super) enum Content {
    Envelope(Bytes),
    /// A claimed one, with its body.
    Fetched(Box<Event<'static>>),
}

/// What became of an event.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The dataset has it on the disk.
    Done,
    /// Its body has to be fetched first.
    Claimed,
    /// Noted as such on the disk.
    Unreadable(EventError),
}

impl Job {
    pub(super) fn event(&self) -> Result<Event<'_>, EventError> {
        match &self.content {
            Content::Envelope(envelope) => Event::parse(envelope),
            Content::Fetched(event) => Ok(Event::clone(event)),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.content {
            Content::Envelope(envelope) => envelope.len(),
            Content::Fetched(event) => event.raw().map_or(0, <[u8]>::len),
        }
    }
}

pub(super) struct Folder {
    door: mpsc::Sender<Message>,
    thread: JoinHandle<Result<(), CliError>>,
    alive: watch::Receiver<()>,
}

impl Folder {
    pub(super) fn start(mut keeper: Keeper) -> io::Result<Self> {
        let (door, messages) = mpsc::channel();
        let (lives, alive) = watch::channel(());
        let thread = std::thread::Builder::new()
            .name("dataset".to_owned())
            .spawn(move || {
                let _lives = lives;
                keeper.run(&messages)
            })?;
        Ok(Self {
            door,
            thread,
            alive,
        })
    }

    pub(super) fn door(&self) -> mpsc::Sender<Message> {
        self.door.clone()
    }

    /// Completes once the thread has ended, for whatever reason.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut alive = self.alive.clone();
        // Nothing is ever sent: an error says that the sender is gone.
        async move { while alive.changed().await.is_ok() {} }
    }

    /// Lets the thread write the last snapshot, and waits for its end.
    ///
    /// # Errors
    /// Whatever ended it before, or kept it from writing.
    pub(super) async fn end(self) -> Result<(), CliError> {
        // One that has ended says why.
        let _ = self.door.send(Message::End);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        let bug = || {
            CliError::failed(
                "the thread that writes the dataset ended, which is a bug: please report it; what was not acknowledged comes again",
            )
        };
        joined.map_err(|_| bug())?.map_err(|_| bug())?
    }
}
