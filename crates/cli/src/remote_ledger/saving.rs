//! Saves a copy now and then, and at the end.

use super::RemoteLedger;
use super::copy::LocalCopy;
use super::save::When;
use crate::error::CliError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// While a run goes on.
const SAVE_EVERY: Duration = Duration::from_secs(60);

pub(crate) struct Saving {
    task: JoinHandle<Result<(), CliError>>,
    end: oneshot::Sender<()>,
}

impl Saving {
    pub(crate) fn begin(remote: Arc<RemoteLedger>, mut copy: LocalCopy) -> Self {
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(SAVE_EVERY, &mut ended).await.is_err() {
                // What other replicas accepted, a pull need not send again. First: of several who have each saved everything,
                // the next one then makes one of that, and no other does.
                tokio::select! {
                    caught_up = remote.catch_up(&mut copy) => {
                        if let Err(failure) = caught_up {
                            (remote.tell)(failure.message());
                        }
                    }
                    _ = &mut ended => break,
                }
                if let Err(failure) = remote.save(&mut copy, When::Now).await {
                    // The last one decides.
                    (remote.tell)(failure.message());
                }
            }
            remote.save(&mut copy, When::End).await
        });
        Self { task, end }
    }

    /// Saves what was recorded, whatever became of the run.
    pub(crate) async fn end(self) -> Result<(), CliError> {
        drop(self.end);
        self.task.await.unwrap_or_else(|broke| {
            Err(CliError::failed(format_args!(
                "saving the ledger broke down: {broke}"
            )))
        })
    }
}
