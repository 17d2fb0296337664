//! Makes one ledger of all versions in the store.

use super::copy::LocalCopy;
use super::version::{Entry, Version};
use super::{PATIENCE, RemoteLedger};
use crate::error::CliError;
use futures_util::StreamExt as _;
use labelrelay_core::clock::within;
use labelrelay_event::Digest;
use labelrelay_local::LedgerFile;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Versions go while they are read only when another run saves.
const TRIES: usize = 5;

/// Versions asked for at a time. There may be many where nobody may remove the old ones.
pub(super) const PAGE: usize = 20;

impl RemoteLedger {
    /// Everything that the store knows, as one ledger.
    pub(crate) async fn fetch(&self) -> Result<LocalCopy, CliError> {
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

    /// Adds what other runs have saved since this copy was made, while its ledger is open.
    pub(super) async fn catch_up(&self, copy: &mut LocalCopy) -> Result<(), CliError> {
        let file = copy.file();
        if !file.exists() {
            return Ok(());
        }
        let keys = self.keys().await?;
        // What others have taken away is in what they saved. Counted on, it would be a reason to save everything, and so
        // for the others in their turn.
        copy.had.retain(|version| keys.contains(&version.key));
        for key in keys {
            let mut known = copy.had.iter().chain(&copy.unsaved);
            if known.any(|version| version.key == key) {
                continue;
            }
            // What went meanwhile is part of a newer one, which is there the next time.
            let Some(entry) = self.patiently(self.store.get(&key)).await? else {
                continue;
            };
            let entry = self.entry(&key, &entry)?;
            let version = Version { key, entry };
            let other = copy.folder.path().join("other.db");
            if !self.download(&version, &other).await? {
                continue;
            }
            let (into, from) = (file.clone(), other.clone());
            self.blocking(move || LedgerFile::merge_into_open(&into, &from))
                .await?;
            std::fs::remove_file(&other)?;
            copy.had.push(version);
        }
        Ok(())
    }

    fn entry(&self, key: &str, entry: &[u8]) -> Result<Entry, CliError> {
        serde_json::from_slice(entry).map_err(|error| {
            self.failed(format_args!(
                "{key} is no version of a ledger ({error}); give the ledger a place of its own with --ledger"
            ))
        })
    }

    /// The name of what went while it was read, if something did: a newer version is there then.
    async fn try_to_fetch(&self) -> Result<Result<LocalCopy, String>, CliError> {
        let mut copy = LocalCopy::new(self.clock.monotonic())?;
        for key in self.keys().await? {
            let Some(entry) = self.patiently(self.store.get(&key)).await? else {
                return Ok(Err(key));
            };
            let entry = self.entry(&key, &entry)?;
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

    /// Fetches a version into a file; `false` if the store does not have it.
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
        // Where it is read piece by piece, another run may have taken it away meanwhile: the key first.
        if fetched.is_err()
            && self
                .patiently(self.store.get(&version.key))
                .await?
                .is_none()
        {
            return Ok(false);
        }
        let digest = fetched.map_err(|error| self.failed(format_args!("{name}: {error}")))?;
        if digest == version.entry.ledger_sha256 {
            return Ok(true);
        }
        Err(self.failed(format_args!(
            "{name} is not what {} says that it is: it was damaged or changed. Remove both, and everything is looked for, and sent, anew",
            version.key
        )))
    }
}
