//! Writes an object durably, on a thread that nobody else needs.

use crate::blob_error::failed;
use crate::dir_sync::{self, DirSync};
use crate::disk_thread::{answer, on_thread};
use crate::private_files::private_dir;
use crate::temporary_file::Temporary;
use crate::writer_pool::WriterPool;
use bytes::Bytes;
use futures_channel::mpsc;
use futures_executor::block_on_stream;
use futures_util::StreamExt as _;
use labelrelay_core::object_store::Created;
use labelrelay_core::{BlobError, BoxStream, Spooled};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pieces of a body that may wait for the disk.
const WAITING: usize = 8;

/// Work for the thread.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// The body is whole. Without it, whoever wanted it written has given up.
    End,
}

/// Target of an object.
pub(crate) struct Object {
    /// The store's directory.
    pub(crate) dir_sync: Arc<DirSync>,
    /// The object's file, somewhere below it.
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
}

impl Object {
    /// Writes `body` on a thread of its own, durably, unless the object is there already.
    pub(crate) async fn store(
        self,
        mut body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<Created, BlobError> {
        let (mut pieces, inbox) = mpsc::channel(WAITING);
        let path = self.path.clone();
        let written = on_thread(move || self.write(block_on_stream(inbox)))?;
        loop {
            let piece = match body.next().await {
                Some(Ok(bytes)) => Piece::Bytes(bytes),
                Some(Err(source)) => {
                    drop(pieces);
                    // Until nothing is left of it.
                    let _given_up = answer(written).await;
                    return Err(failed("reading the body", &path, source));
                }
                None => Piece::End,
            };
            let last = matches!(piece, Piece::End);
            let room = std::future::poll_fn(|context| pieces.poll_ready(context)).await;
            // It wants no more when it has failed, or has found the object there.
            if room.and_then(|()| pieces.start_send(piece)).is_err() || last {
                return answer(written).await;
            }
        }
    }

    /// Writes `bytes`, which are all of it, durably, unless the object is there already.
    pub(crate) async fn store_whole(
        self,
        bytes: Bytes,
        writers: &WriterPool,
    ) -> Result<Created, BlobError> {
        let whole = [Piece::Bytes(bytes), Piece::End];
        answer(writers.run(move || self.write(whole))?).await
    }

    /// Takes a spooled body over, durably, unless the object is there already; `false` when it has to be
    /// written.
    pub(crate) async fn adopt(self, body: &dyn Spooled) -> Result<bool, BlobError> {
        let object = Arc::new(self);
        let first = Arc::clone(&object);
        if !answer(on_thread(move || first.is_due())?).await? {
            return Ok(true);
        }
        match body.link(&object.path).await {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            // Somebody else stored the same object meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed("naming the object", &object.path, source)),
        }
        answer(on_thread(move || object.sync_dirs())?).await?;
        Ok(true)
    }

    /// Tells whether the object has to be stored. Its directory is there then.
    fn is_due(&self) -> Result<bool, BlobError> {
        let (path, parent) = (&self.path, self.parent());
        if path
            .try_exists()
            .map_err(|source| failed("looking for the object", path, source))?
        {
            // Who stored it may have ended before its name was synced.
            self.sync_dirs()?;
            return Ok(false);
        }
        private_dir(parent).map_err(|source| failed("making the directory", parent, source))?;
        Ok(true)
    }

    fn parent(&self) -> &Path {
        self.path.parent().unwrap_or(self.dir_sync.dir())
    }

    /// Writes `bytes` in place of the object that may be there, durably. Waits for the disk.
    pub(crate) fn replace(&self, bytes: &[u8]) -> Result<(), BlobError> {
        let (path, parent) = (&self.path, self.parent());
        private_dir(parent).map_err(|source| failed("making the directory", parent, source))?;
        let write = |source| failed("writing the object", path, source);
        let (temporary, mut file) = Temporary::make(self.dir_sync.dir()).map_err(write)?;
        file.write_all(bytes).map_err(write)?;
        file.sync_all().map_err(write)?;
        temporary
            .replace(path)
            .map_err(|source| failed("naming the object", path, source))?;
        self.sync_dirs()
    }

    fn write(&self, pieces: impl IntoIterator<Item = Piece>) -> Result<Created, BlobError> {
        let path = &self.path;
        if !self.is_due()? {
            return Ok(Created::Existed);
        }
        let write = |source| failed("writing the object", path, source);
        let (temporary, mut file) = Temporary::make(self.dir_sync.dir()).map_err(write)?;
        let mut written = 0_u64;
        let mut whole = false;
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => {
                    file.write_all(&bytes).map_err(write)?;
                    written += bytes.len() as u64;
                }
                Piece::End => {
                    whole = true;
                    break;
                }
            }
        }
        if !whole || written != self.length {
            let source = std::io::Error::new(
                ErrorKind::UnexpectedEof,
                format!("{written} of {} bytes came", self.length),
            );
            return Err(failed("reading the body", path, source));
        }
        file.sync_all().map_err(write)?;
        let created = match temporary.name(path) {
            Ok(()) => Created::New,
            // Somebody else stored the same object meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Created::Existed,
            Err(source) => return Err(failed("naming the object", path, source)),
        };
        self.sync_dirs()?;
        Ok(created)
    }

    /// A new name lasts when its directory is synced; a new directory when the one above it is.
    fn sync_dirs(&self) -> Result<(), BlobError> {
        let store = self.dir_sync.dir();
        let failed = |dir: &Path, source| failed("syncing the directory", dir, source);
        for dir in self.parent().ancestors().take_while(|dir| *dir != store) {
            dir_sync::sync(dir).map_err(|source| failed(dir, source))?;
        }
        self.dir_sync.sync().map_err(|source| failed(store, source))
    }
}
