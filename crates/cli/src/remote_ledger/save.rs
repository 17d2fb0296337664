//! Saves what changed, or everything.

use super::RemoteLedger;
use super::copy::LocalCopy;
use super::version::{Entry, Version, key};
use crate::error::CliError;
use bytes::Bytes;
use jiff::SignedDuration;
use labelrelay_core::ledger::LedgerError;
use labelrelay_core::{Payload, Spool as _};
use labelrelay_event::Digest;
use labelrelay_files::FileSpool;
use labelrelay_local::LedgerFile;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Watermarks alone are saved this often: without them, a run looks at more, and finds nothing new in it.
const WATERMARKS_EVERY: Duration = Duration::from_secs(10 * 60);

/// A save that took longer, because the program was stopped or its machine slept, has failed: until a key named it, its body
/// belonged to nobody, and Postgres removes such bodies when they are a day old.
const LONGEST_SAVE: SignedDuration = SignedDuration::from_hours(1);

const PIECE_BYTES: usize = 256 * 1024;

/// Why it is time to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Time went by.
    Now,
    /// The run ends.
    End,
}

/// Content of the file that is to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Changes,
}

impl RemoteLedger {
    /// Saves what the store does not have, if there is something worth it.
    pub(super) async fn save(&self, copy: &mut LocalCopy, when: When) -> Result<(), CliError> {
        let ledger = copy.file();
        if !ledger.exists() {
            return Ok(());
        }
        let read = ledger.clone();
        let changes = self.blocking(move || LedgerFile::changes(&read)).await?;
        let now = self.clock.monotonic();
        let is_quiet = changes.things == 0 && !changes.forgot && !copy.is_torn;
        if is_quiet && when == When::Now && now.saturating_sub(copy.saved) < WATERMARKS_EVERY {
            return Ok(());
        }
        let part = if changes.forgot || copy.wants_whole() {
            Part::Whole
        } else {
            Part::Changes
        };
        let taken = copy.folder.path().join("taken.db");
        let (from, to) = (ledger.clone(), taken.clone());
        // Until the store has it, only a save of everything would do; a failure puts it back.
        copy.is_torn = true;
        self.blocking(move || take(part, &from, &to)).await?;
        let saved = self.put(copy, part, &taken).await;
        match (&saved, part) {
            (Ok(()), _) => copy.is_torn = false,
            (Err(_), Part::Changes) => {
                let put_back = move || LedgerFile::put_back(&ledger, &taken);
                copy.is_torn = self.blocking(put_back).await.is_err();
            }
            (Err(_), Part::Whole) => {}
        }
        copy.saved = now;
        saved
    }

    /// Puts the file into the store, and takes away what it replaces.
    async fn put(&self, copy: &mut LocalCopy, part: Part, file: &Path) -> Result<(), CliError> {
        let (body, digest) = spooled(file, copy.folder.path()).await?;
        if matches!(&*copy.had, [only] if only.entry.ledger_sha256 == digest) {
            return Ok(());
        }
        let entry = Entry {
            ledger_bytes: body.len(),
            ledger_sha256: digest,
        };
        let text = serde_json::to_vec(&entry).map_err(|error| self.failed(error))?;
        let begun = self.clock.now();
        let key = key(begun)?;
        let version = Version { key, entry };
        let name = version.body();
        let saved = async {
            self.patiently(self.store.put_body(&name, &body)).await?;
            let put = self.store.put(&version.key, text.into());
            self.patiently(put).await?;
            if self.clock.now().duration_since(begun) > LONGEST_SAVE {
                // At once: no other save may come, and nobody can open a ledger of which a key is left alone.
                let _removed_by_the_next_save = self.remove(&version).await;
                return Err(self.failed("to save it took more than an hour; it is saved anew"));
            }
            Ok::<_, CliError>(())
        };
        if let Err(failure) = saved.await {
            // Removed by the next save, not now: it may come to be there yet, and would be a key without its ledger.
            copy.unsaved.push(version);
            return Err(failure);
        }
        let old = match part {
            Part::Whole => std::mem::take(&mut copy.had),
            Part::Changes => Vec::new(),
        };
        copy.had.push(version);
        for version in old.into_iter().chain(copy.unsaved.drain(..)) {
            // A version that stays is merged into the next one, which then takes it away.
            if let Err(error) = self.remove(&version).await {
                (self.tell)(&format!("an old version of the ledger stays: {error}"));
            }
        }
        Ok(())
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, CliError> {
        match spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| self.failed(error.message)),
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// Takes a part of the ledger into a new file.
fn take(part: Part, ledger: &Path, to: &Path) -> Result<(), LedgerError> {
    // Left by a save before.
    let _nothing_there = std::fs::remove_file(to);
    match part {
        Part::Changes => LedgerFile::take_changes(ledger, to),
        Part::Whole => {
            // First: what changes from now on may be missing in the copy, and is noted.
            LedgerFile::forget_changes(ledger)?;
            LedgerFile::snapshot(ledger, to)
        }
    }
}

/// The file as something that stores take, and its SHA-256.
async fn spooled(file: &Path, folder: &Path) -> Result<(Payload, String), CliError> {
    let failed = |error: labelrelay_core::SpoolError| CliError::failed(error);
    let spool = FileSpool::open(folder, u64::MAX).map_err(failed)?;
    let mut writer = spool.begin().await.map_err(failed)?;
    let mut digest = Sha256::new();
    let mut file = File::open(file)?;
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        digest.update(&piece);
        writer.write(Bytes::from(piece)).await.map_err(failed)?;
    }
    let body = writer.finish().await.map_err(failed)?;
    let digest = Digest::from_bytes(digest.finalize().into()).to_hex();
    Ok((Payload::from(body), digest))
}
