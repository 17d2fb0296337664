//! The place where `serve` keeps its ledger: beside the embedded queue, in a file of this machine, or in a store.

use crate::error::CliError;
use crate::local_dir::LocalDir;
use crate::remote_ledger::{RemoteLedger, Saving};
use labelrelay_core::ledger::LedgerError;
use labelrelay_local::LedgerFile;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// The last save of a ledger in a store takes no longer.
const SAVE_WITHIN: Duration = Duration::from_secs(5);

pub(super) enum LedgerLocation {
    /// Beside the embedded queue. `labelrelay pull` goes by the same file, so it is open during a run only.
    Beside {
        queue: PathBuf,
        ledger: PathBuf,
        /// Several sources have one file.
        turn: Arc<Mutex<()>>,
    },
    /// A file in the directory of our own, which is made if need be.
    File { local_dir: LocalDir, source: String },
    /// A store, which gets what changed.
    Store(Arc<RemoteLedger>),
}

/// A ledger that stays open as long as `serve` runs.
pub(super) struct Held {
    pub(super) ledger: LedgerFile,
    pub(super) recorder: Option<JoinHandle<()>>,
    saving: Option<Saving>,
}

impl LedgerLocation {
    /// Opens the ledger of a queue that is no file.
    pub(super) async fn hold(&self, source: &str, server: &str) -> Result<Held, String> {
        let said = |error: CliError| error.message().to_owned();
        match self {
            Self::Beside { ledger, .. } => Ok(Held {
                ledger: LedgerFile::open(ledger, source, server).map_err(|error| told(&error))?,
                recorder: None,
                saving: None,
            }),
            Self::File { local_dir, source } => {
                local_dir.make().map_err(said)?;
                let file = local_dir.ledger_file(source);
                Ok(Held {
                    ledger: LedgerFile::open(&file, source, server)
                        .map_err(|error| told(&error))?,
                    recorder: None,
                    saving: None,
                })
            }
            Self::Store(remote) => {
                remote.check().await.map_err(said)?;
                let copy = remote.fetch().await.map_err(said)?;
                let file = copy.file();
                let named = |error: LedgerError| said(remote.says(error.into(), &file));
                let mut ledger = LedgerFile::open(&file, source, server).map_err(named)?;
                ledger.track().map_err(named)?;
                Ok(Held {
                    ledger,
                    recorder: None,
                    saving: Some(Saving::begin(Arc::clone(remote), copy)),
                })
            }
        }
    }
}

impl Held {
    /// Waits until the last delivery is recorded, and saves what a store does not have yet.
    pub(super) async fn close(self, source: &str) {
        if let Some(recorder) = self.recorder {
            // A panic of it was printed where it happened.
            let _ = spawn_blocking(move || recorder.join()).await;
        }
        drop(self.ledger);
        let Some(saving) = self.saving else {
            return;
        };
        let reason = match tokio::time::timeout(SAVE_WITHIN, saving.end()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.message().to_owned(),
            Err(_) => format!("not within {} s", SAVE_WITHIN.as_secs()),
        };
        tracing::warn!(name: "ledger_not_saved", source, reason, "the ledger's last changes are lost: the next start may send some events again, with the same ids");
    }
}

/// A ledger's error in words.
pub(super) fn told(error: &LedgerError) -> String {
    crate::error::chain(error)
}
