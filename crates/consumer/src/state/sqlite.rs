//! State in an `SQLite` file, for the processes of one host.
//!
//! `SQLite` blocks, so a thread of its own has the file, and is told what to do.

use super::sqlite_file::File;
use super::{Known, State, StateError};
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce(&mut File) + Send>;

/// Remembers in a file. Each step is a transaction, which survives the end of the process; what was acknowledged
/// survives a loss of power too.
#[derive(Debug)]
pub struct SqliteState(mpsc::Sender<Work>);

impl SqliteState {
    /// Opens the file at `path`, and makes it when there is none.
    ///
    /// # Errors
    /// When it cannot be used, or is of a newer version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| {
            let message = format!("{} cannot be used: {error}", path.display());
            StateError::new(message).caused_by(error)
        })??;
        let (sender, inbox) = mpsc::channel::<Work>();
        std::thread::Builder::new()
            .name("consumer-state".to_owned())
            .spawn(move || run(file, &inbox))
            .map_err(|error| {
                StateError::new("the system gave no thread: allow this process more")
                    .caused_by(error)
            })?;
        Ok(Self(sender))
    }

    /// Runs `work` on the thread that has the file.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut File) -> Result<T, StateError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StateError>> {
        let (sender, answer) = oneshot::channel();
        let work: Work = Box::new(move |file| {
            // An answer that nobody waits for any more is of no use.
            let _ = sender.send(work(file));
        });
        let told = self.0.send(work);
        Box::pin(async move {
            let ended =
                || StateError::new("the thread that has the file ended: start this process again");
            told.map_err(|_| ended())?;
            answer.await.map_err(|_| ended())?
        })
    }
}

fn run(mut file: File, inbox: &mpsc::Receiver<Work>) {
    while let Ok(work) = inbox.recv() {
        work(&mut file);
    }
    // Nobody need wait for them to run out. If it fails, they do.
    let _ = file.free_leases();
}

impl State for SqliteState {
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        let event = event.to_owned();
        self.ask(move |file| file.was_handled(&event))
    }

    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>> {
        let event = event.to_owned();
        self.ask(move |file| file.handled(&event))
    }

    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>> {
        let (key, parents) = (key.clone(), parents.to_vec());
        self.ask(move |file| file.enter(&key, &parents, lease, comes))
    }

    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        let (key, known, event) = (key.clone(), known.cloned(), event.map(str::to_owned));
        self.ask(move |file| file.leave(&key, known.as_ref(), event.as_deref()))
    }

    fn keep(&self, lease: Duration) -> BoxFuture<'_, Result<(), StateError>> {
        self.ask(move |file| file.keep(lease))
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        let (key, until) = (key.clone(), until.to_owned());
        self.ask(move |file| file.remove(&key, &until))
    }

    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>> {
        let key = key.clone();
        self.ask(move |file| file.below(&key))
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>> {
        self.ask(File::sync)
    }
}
