//! A directory as a spool: bodies in files that have no name.

mod body;
mod dir;
mod quota;
mod unnamed_file;
mod writer;

use crate::disk_thread::spawn;
use crate::private_files::private_dir;
use crate::temporary_file;
use dir::{SpoolDir, ended};
use labelrelay_core::{BoxFuture, Spool, SpoolError, SpoolWriter};
use quota::Quota;
use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::Arc;
use writer::Writer;

/// Spools bodies into a directory.
///
/// Each is a file without a name, so that nothing is left of it when it is closed, by whatever: also by
/// `kill -9`. On Linux it never had one; elsewhere on Unix it loses it as soon as it is made. On other
/// systems it has a name until it is closed, and what killed processes left is removed by the next one to
/// open the directory, an hour after.
#[derive(Debug)]
pub struct FileSpool {
    spool_dir: Arc<SpoolDir>,
    quota: Arc<Quota>,
}

impl FileSpool {
    /// Opens the directory `dir`, and makes it (mode 0700) when there is none. All bodies in it together
    /// have no more than `max_bytes`.
    ///
    /// # Errors
    /// When it cannot be made, is not a directory, or no file can be made in it.
    pub fn open(dir: impl AsRef<Path>, max_bytes: u64) -> Result<Self, SpoolError> {
        let spool_dir = SpoolDir::new(dir.as_ref());
        let dir = spool_dir.path();
        private_dir(dir).map_err(|source| spool_dir.failed("making the directory", source))?;
        if !dir.is_dir() {
            return Err(spool_dir.failed("opening the directory", ErrorKind::NotADirectory.into()));
        }
        temporary_file::sweep(dir);
        spool_dir.file()?;
        Ok(Self {
            spool_dir: Arc::new(spool_dir),
            quota: Quota::new(max_bytes),
        })
    }

    async fn writer(&self) -> Result<Writer, SpoolError> {
        let spool_dir = Arc::clone(&self.spool_dir);
        let made = self.on_thread(move || spool_dir.file()).await?;
        Writer::begin(made, Arc::clone(&self.spool_dir), &self.quota)
    }

    async fn probe(&self) -> Result<(), SpoolError> {
        let spool_dir = Arc::clone(&self.spool_dir);
        let write = move || {
            let probed = spool_dir.file().map(|file| (&*file.file).write_all(b"?"));
            probed?.map_err(|source| spool_dir.failed("writing into the directory", source))
        };
        self.on_thread(write).await
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let done =
            spawn(work).map_err(|source| self.spool_dir.failed("starting a thread", source))?;
        done.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Spool for FileSpool {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn SpoolWriter>, SpoolError>> {
        Box::pin(async move { Ok(Box::new(self.writer().await?) as Box<dyn SpoolWriter>) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SpoolError>> {
        Box::pin(self.probe())
    }
}

impl fmt::Display for FileSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spool_dir.path().display().fmt(f)
    }
}
