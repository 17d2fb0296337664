//! Writing an object: everything that waits for the disk, on a thread that nobody else needs.

use super::failed;
use super::temporary::Temporary;
use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_executor::block_on_stream;
use futures_util::StreamExt as _;
use labelrelay_core::{BlobError, BoxStream};
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Pieces of a body that may wait for the disk.
const WAITING: usize = 8;

/// What the thread is handed.
pub(super) enum Piece {
    Bytes(Bytes),
    /// The body is whole. Without it, whoever wanted it written has given up.
    End,
}

/// Where an object goes.
pub(super) struct Object {
    /// The store's directory.
    pub(super) dir: PathBuf,
    /// The object's file, somewhere below it.
    pub(super) path: PathBuf,
    pub(super) length: u64,
}

impl Object {
    /// Writes `body` on a thread of its own, durably, unless the object is there already.
    pub(super) async fn store(
        self,
        mut body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<(), BlobError> {
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

    fn write(&self, pieces: impl Iterator<Item = Piece>) -> Result<(), BlobError> {
        let path = &self.path;
        let parent = path.parent().unwrap_or(&self.dir);
        if path
            .try_exists()
            .map_err(|source| failed("looking for the object", path, source))?
        {
            // Who stored it may have ended before its name was synced.
            return self.sync_names(parent);
        }
        private_dir(parent).map_err(|source| failed("making the directory", parent, source))?;
        let write = |source| failed("writing the object", path, source);
        let (temporary, mut file) = Temporary::make(&self.dir).map_err(write)?;
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
        match std::fs::hard_link(temporary.path(), path) {
            Ok(()) => {}
            // Somebody else stored the same object meanwhile.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed("naming the object", path, source)),
        }
        drop(temporary);
        self.sync_names(parent)
    }

    /// A new name lasts when its directory is synced; a new directory when the one above it is.
    fn sync_names(&self, from: &Path) -> Result<(), BlobError> {
        for dir in from.ancestors() {
            File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(|source| failed("syncing the directory", dir, source))?;
            if dir == self.dir {
                break;
            }
        }
        Ok(())
    }
}

/// What a thread answers with.
type Answer<T> = oneshot::Receiver<Result<T, BlobError>>;

/// Runs `work` on a thread of its own: bodies that need a blob store are rare on one machine, and one that
/// arrives slowly shall keep no other from the disk.
pub(super) fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<Answer<T>, BlobError> {
    let (done, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("blob-writer".to_owned())
        .spawn(move || {
            let _gone = done.send(work());
        })
        .map_err(|source| {
            BlobError::transient(format!(
                "starting a thread: {source}; let the process have more threads"
            ))
            .caused_by(source)
        })?;
    Ok(answer)
}

pub(super) async fn answer<T>(answer: Answer<T>) -> Result<T, BlobError> {
    answer.await.unwrap_or_else(|_| {
        Err(BlobError::transient(
            "the thread that writes ended without an answer; what it printed says why",
        ))
    })
}

pub(super) fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
