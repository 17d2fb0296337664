//! Takes events into the dataset, many in one transaction, and writes snapshots when they are due.

use super::Args;
use super::job::{Job, Message, Verdict};
use crate::dataset::words::of_snapshot;
use crate::error::CliError;
use crate::output::{print, print_json};
use labelrelay_dataset::{Options, Publisher, Snapshot, Store};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Events of one transaction.
const BATCH: usize = super::TOGETHER;

/// Bytes of one transaction, about.
const BYTES: usize = 16 * 1024 * 1024;

/// Time from the start to the first snapshot, if it goes on: what waits on the queue is in it.
const FIRST: Duration = Duration::from_millis(500);

pub(super) struct Keeper {
    store: Store,
    /// Brings snapshots to an object store, on the runtime of the others.
    publisher: Option<(Publisher, Handle)>,
    options: Options,
    /// As the user wrote it.
    dir: PathBuf,
    is_json: bool,
    /// The least time between two snapshots; `None` if there is one, at the end.
    every: Option<Duration>,
    /// The snapshot that was told of last.
    told: Option<Snapshot>,
}

impl Keeper {
    /// Must be called within a Tokio runtime if something is to be published.
    pub(super) fn new(store: Store, publisher: Option<Publisher>, args: &Args) -> Self {
        Self {
            store,
            publisher: publisher.map(|publisher| (publisher, Handle::current())),
            options: args.export.options(),
            dir: args.place.dir(),
            is_json: args.json,
            every: args.follow.then_some(args.every),
            told: None,
        }
    }

    /// Works until the end is told, or nobody can tell anything any more.
    pub(super) fn run(&mut self, messages: &Receiver<Message>) -> Result<(), CliError> {
        let mut written = Instant::now();
        let mut pause = self.every.map(|every| every.min(FIRST));
        let mut ends = false;
        while !ends {
            let message = match pause {
                Some(pause) => messages.recv_timeout(pause.saturating_sub(written.elapsed())),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Fold(first)) => {
                    let (batch, is_last) = gather(first, messages);
                    self.fold(batch)?;
                    ends = is_last;
                }
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => ends = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if ends || pause.is_some_and(|pause| written.elapsed() >= pause) {
                self.write(ends)?;
                (written, pause) = (Instant::now(), self.every);
            }
        }
        Ok(())
    }

    /// Takes events in, and lets those who wait for it know once that is on the disk.
    fn fold(&mut self, batch: Vec<Job>) -> Result<(), CliError> {
        let folded = self.store.fold(batch.iter().map(Job::event))?;
        let verdicts: Vec<_> = folded.into_iter().map(Verdict::of).collect();
        let unreadable = batch.iter().zip(&verdicts).filter_map(|(job, verdict)| {
            let Verdict::Unreadable(error) = verdict else {
                return None;
            };
            let name = error.event_id().unwrap_or(&job.place);
            Some((name, error.reason()))
        });
        let unreadable: Vec<_> = unreadable.collect();
        if !unreadable.is_empty() {
            self.store.note_unreadable(&unreadable)?;
        }
        for (job, verdict) in batch.into_iter().zip(verdicts) {
            // If nobody waits for it any more, the event comes again, and changes nothing then.
            let _ = job.verdict.send(verdict);
        }
        Ok(())
    }

    fn write(&mut self, is_last: bool) -> Result<(), CliError> {
        self.store.take_left_verdict()?;
        let snapshot = labelrelay_dataset::write(&mut self.store, &self.options)?;
        if let Some((publisher, runtime)) = &mut self.publisher {
            match runtime.block_on(publisher.publish(&self.store, &snapshot)) {
                // The next turn publishes what is there then.
                Err(error) if error.retryable && !is_last => {
                    tracing::warn!(name: "not_published", %error, "the snapshot was not published; tried again at the next turn");
                }
                published => published?,
            }
        }
        if self.told.as_ref() == Some(&snapshot) {
            return Ok(());
        }
        if self.is_json {
            print_json(&snapshot)?;
        } else {
            print(format_args!("{}", of_snapshot(&snapshot, &self.dir)))?;
        }
        self.told = Some(snapshot);
        Ok(())
    }
}

/// The first event, and those that came by now; `true` if nothing else comes.
fn gather(first: Job, messages: &Receiver<Message>) -> (Vec<Job>, bool) {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while batch.len() < BATCH && bytes < BYTES {
        match messages.try_recv() {
            Ok(Message::Fold(job)) => {
                bytes += job.bytes();
                batch.push(job);
            }
            Ok(Message::End) => return (batch, true),
            Err(_) => break,
        }
    }
    (batch, false)
}
