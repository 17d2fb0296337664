//! A ledger that lies in a store between runs, for queues that are no file of this machine.
//!
//! Each save is an object of its own, a *version*, and takes away the versions that went into it. So nothing is
//! overwritten: what two runs at once have saved lies there side by side, and whoever comes next makes one ledger
//! of both. A run that is killed has saved what it did up to a minute before; the rest is found, and sent, again.

use crate::error::CliError;
use crate::output::say;
use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use labelrelay_core::clock::within;
use labelrelay_core::fallback::body_name;
use labelrelay_core::{BlobError, BoxFuture, Clock, FallbackStore, Payload, Spool as _};
use labelrelay_event::Digest;
use labelrelay_files::FileSpool;
use labelrelay_local::LedgerFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

/// While a run goes on.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// One object is read or written in this time, or the run fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// Versions go while they are read only when another run saves.
const TRIES: usize = 5;

/// Versions asked for at a time. There may be many where nobody may remove the old ones.
const PAGE: usize = 20;

const PIECE_BYTES: usize = 256 * 1024;

pub(super) struct RemoteLedger {
    store: Arc<dyn FallbackStore>,
    /// In words.
    location: String,
    clock: Arc<dyn Clock>,
}

/// Object under a version's key. The ledger itself lies beside it, as bodies do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Length of the ledger.
    ledger_bytes: u64,
    /// SHA-256 of the ledger.
    ledger_sha256: String,
}

#[derive(Debug)]
struct Version {
    key: String,
    entry: Entry,
}

impl Version {
    fn body(&self) -> String {
        body_name(&self.key, &self.entry.ledger_sha256)
    }
}

/// The ledger on this machine, as long as a run has it.
pub(super) struct Copy {
    folder: TempDir,
    /// Versions that went into it.
    had: Vec<Version>,
    /// Versions that could not be saved, or perhaps could.
    unsaved: Vec<Version>,
}

impl Copy {
    /// File, which may not be there yet.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }
}

impl RemoteLedger {
    pub(super) fn new(
        store: Arc<dyn FallbackStore>,
        location: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            location,
            clock,
        }
    }

    /// Everything that the store knows, as one ledger.
    pub(super) async fn fetch(&self) -> Result<Copy, CliError> {
        let mut missing = String::new();
        for _ in 0..TRIES {
            match self.try_to_fetch().await? {
                Ok(copy) => return Ok(copy),
                Err(name) => missing = name,
            }
        }
        Err(self.failed(format_args!(
            "{missing} is not there. If another run goes on, wait until it ends; if none does, it was removed: remove the versions that are left as well, and everything is looked for, and sent, anew"
        )))
    }

    /// The name of what went while it was read, if something did: a newer version is there then.
    async fn try_to_fetch(&self) -> Result<Result<Copy, String>, CliError> {
        let folder = tempfile::tempdir().map_err(|error| {
            let message = format!(
                "a directory for the ledger cannot be made in {}: {error}; set TMPDIR to one that can be written",
                std::env::temp_dir().display()
            );
            CliError::failed(message)
        })?;
        let mut copy = Copy {
            folder,
            had: Vec::new(),
            unsaved: Vec::new(),
        };
        for key in self.keys().await? {
            let Some(entry) = self.patiently(self.store.get(&key)).await? else {
                return Ok(Err(key));
            };
            let entry = serde_json::from_slice(&entry).map_err(|error| {
                self.failed(format_args!(
                    "{key} is no version of a ledger ({error}); give the ledger a place of its own with --ledger"
                ))
            })?;
            let version = Version { key, entry };
            let file = copy.file();
            if copy.had.is_empty() {
                if !self.download(&version, &file).await? {
                    return Ok(Err(version.body()));
                }
            } else {
                let other = copy.folder.path().join("other.db");
                if !self.download(&version, &other).await? {
                    return Ok(Err(version.body()));
                }
                let merge = LedgerFile::merge(&file, &other);
                merge.map_err(|error| self.failed(error.message))?;
                std::fs::remove_file(&other)?;
            }
            copy.had.push(version);
        }
        Ok(Ok(copy))
    }

    /// Keys of all versions.
    async fn keys(&self) -> Result<Vec<String>, CliError> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let after = keys.last().map(String::as_str);
            let page = self.patiently(self.store.list(after, PAGE)).await?;
            if page.is_empty() {
                return Ok(keys);
            }
            keys.extend(page);
        }
    }

    /// Whether it was there.
    async fn download(&self, version: &Version, to: &Path) -> Result<bool, CliError> {
        let name = version.body();
        let Some(body) = self.patiently(self.store.get_body(&name)).await? else {
            return Ok(false);
        };
        let fetch = async {
            let mut file = File::create(to)?;
            let mut digest = Sha256::new();
            let mut pieces = body.stream;
            while let Some(piece) = pieces.next().await {
                let piece = piece?;
                digest.update(&piece);
                file.write_all(&piece)?;
            }
            Ok(Digest::from_bytes(digest.finalize().into()).to_hex())
        };
        let fetched: std::io::Result<String> = within(&*self.clock, PATIENCE, fetch)
            .await
            .unwrap_or_else(|late| Err(std::io::Error::other(late.to_string())));
        let digest = fetched.map_err(|error| self.failed(format_args!("{name}: {error}")))?;
        if digest == version.entry.ledger_sha256 {
            return Ok(true);
        }
        Err(self.failed(format_args!(
            "{name} is not what {} says that it is: it was damaged or changed. Remove both, and everything is looked for, and sent, anew",
            version.key
        )))
    }

    /// Saves the copy, in place of what went into it.
    async fn save(&self, copy: &mut Copy) -> Result<(), CliError> {
        let (ledger, snapshot) = (copy.file(), copy.folder.path().join("snapshot.db"));
        if !ledger.exists() {
            return Ok(());
        }
        let written = snapshot.clone();
        let write = move || {
            // Left by a save that failed.
            let _nothing_there = std::fs::remove_file(&written);
            LedgerFile::snapshot(&ledger, &written)
        };
        match spawn_blocking(write).await {
            Ok(done) => done.map_err(|error| self.failed(error.message))?,
            Err(error) => return Err(self.failed(error)),
        }
        let (body, digest) = spooled(&snapshot, copy.folder.path()).await?;
        if matches!(&*copy.had, [only] if only.entry.ledger_sha256 == digest) {
            return Ok(());
        }
        let entry = Entry {
            ledger_bytes: body.len(),
            ledger_sha256: digest,
        };
        let text = serde_json::to_vec(&entry).map_err(|error| self.failed(error))?;
        let key = key(self.clock.now())?;
        let version = Version { key, entry };
        let name = version.body();
        let saved = async {
            self.patiently(self.store.put_body(&name, &body)).await?;
            let put = self.store.put(&version.key, text.into());
            self.patiently(put).await
        };
        if let Err(failure) = saved.await {
            // Removed by the next save, not now: it may come to be there yet, and would be a key without its ledger.
            copy.unsaved.push(version);
            return Err(failure);
        }
        let old = std::mem::replace(&mut copy.had, vec![version]);
        for version in old.into_iter().chain(copy.unsaved.drain(..)) {
            // A version that stays is merged into the next one, which then takes it away.
            if let Err(error) = self.remove(&version).await {
                say(format_args!(
                    "warning: an old version of the ledger stays: {error}"
                ));
            }
        }
        Ok(())
    }

    /// The key first: what a key names is there.
    async fn remove(&self, version: &Version) -> Result<(), BlobError> {
        let removed = async {
            self.store.remove(&version.key).await?;
            self.store.remove_body(&version.body()).await
        };
        let late = |_| Err(BlobError::transient("it took too long"));
        within(&*self.clock, PATIENCE, removed)
            .await
            .unwrap_or_else(late)
    }

    async fn patiently<T>(
        &self,
        answer: BoxFuture<'_, Result<T, BlobError>>,
    ) -> Result<T, CliError> {
        match within(&*self.clock, PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|error| self.failed(error.message)),
            Err(late) => Err(self.failed(late)),
        }
    }

    /// The failure, which shall name the store and not the copy of a moment.
    pub(super) fn says(&self, failure: CliError, copy: &Path) -> CliError {
        match failure {
            CliError::Failed(message) => {
                CliError::Failed(message.replace(&copy.display().to_string(), &self.location))
            }
            other => other,
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> CliError {
        CliError::failed(format_args!("ledger in {}: {why}", self.location))
    }
}

/// Saves a copy now and then, and at the end.
pub(super) struct Saving {
    task: JoinHandle<Result<(), CliError>>,
    end: oneshot::Sender<()>,
}

impl Saving {
    pub(super) fn begin(remote: Arc<RemoteLedger>, mut copy: Copy) -> Self {
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(SAVE_EVERY, &mut ended).await.is_err() {
                if let Err(failure) = remote.save(&mut copy).await {
                    // The last one decides.
                    let _code = failure.report();
                }
            }
            remote.save(&mut copy).await
        });
        Self { task, end }
    }

    /// Saves what was recorded, whatever became of the run.
    pub(super) async fn end(self) -> Result<(), CliError> {
        drop(self.end);
        self.task.await.unwrap_or_else(|broke| {
            Err(CliError::failed(format_args!(
                "saving the ledger broke down: {broke}"
            )))
        })
    }
}

/// Sorts by time; two saves in one moment have different ones.
fn key(now: Timestamp) -> Result<String, CliError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| {
        CliError::failed(format_args!(
            "the operating system has no random numbers: {error}"
        ))
    })?;
    let random = u64::from_be_bytes(random);
    Ok(format!(
        "{}-{random:016x}",
        now.strftime("%Y%m%dT%H%M%S%.9fZ")
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_testkit::clock::FakeClock;
    use labelrelay_testkit::in_memory::MemoryFallback;

    fn remote() -> (Arc<MemoryFallback>, RemoteLedger) {
        let store = Arc::new(MemoryFallback::default());
        let clock = Arc::new(FakeClock::at("2026-11-21T09:00:00Z"));
        let remote = RemoteLedger::new(store.clone(), "memory".to_owned(), clock);
        (store, remote)
    }

    /// A ledger that came from no version.
    fn copy() -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let copy = Copy {
            folder,
            had: Vec::new(),
            unsaved: Vec::new(),
        };
        LedgerFile::open(&copy.file(), "label-studio", "http://localhost").unwrap();
        copy
    }

    fn run(work: impl Future<Output = Result<(), CliError>>) {
        let runtime = crate::runtime::small().unwrap();
        assert!(runtime.block_on(work).is_ok());
    }

    /// As they lie there where nobody may remove any.
    #[test]
    fn all_versions_are_read_however_many_there_are() {
        run(async {
            let (_, remote) = remote();
            for _ in 0..=PAGE {
                remote.save(&mut copy()).await?;
            }
            assert_eq!(remote.fetch().await?.had.len(), PAGE + 1);
            Ok(())
        });
    }

    #[test]
    fn a_version_that_may_not_be_there_is_taken_away_by_the_next() {
        run(async {
            let (store, remote) = remote();
            let mut copy = copy();
            store.lie(true);
            assert!(remote.save(&mut copy).await.is_err());
            store.lie(false);
            remote.save(&mut copy).await?;
            assert_eq!((store.envelopes().len(), store.bodies().len()), (1, 1));
            assert_eq!(remote.fetch().await?.had.len(), 1);
            Ok(())
        });
    }
}
