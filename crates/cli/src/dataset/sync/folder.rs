//! The thread that has the dataset: events come to it, and their verdicts go back. It may write a snapshot for minutes, and
//! what waits for it stays hidden from other consumers meanwhile: extending it is the work of other threads.

use super::job::Message;
use super::keeper::Keeper;
use crate::error::CliError;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::watch;

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
