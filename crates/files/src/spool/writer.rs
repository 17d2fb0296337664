//! A body on its way into its file.

use super::body::FileBody;
use super::dir::{SpoolDir, ended};
use super::quota::{Quota, Share};
use super::unnamed_file::Unnamed;
use crate::disk_thread::spawn;
use crate::object_writer::Piece;
use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_executor::block_on_stream;
use labelrelay_core::{BoxFuture, SpoolError, SpoolWriter, Spooled};
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

/// Pieces that may wait for the disk. The HTTP server hands over 64 KiB at most at a time, so that this and
/// what is being written stay below core's `PIPE_BYTES`.
const WAITING: usize = 8;

/// Smaller pieces are joined before they are written.
const JOINED_BYTES: usize = 32 * 1024;

/// So much is handed to the disk at a time, while more arrives.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;

pub(super) struct Writer {
    spool_dir: Arc<SpoolDir>,
    file: Arc<Unnamed>,
    share: Share,
    pieces: mpsc::Sender<Piece>,
    written: oneshot::Receiver<std::io::Result<()>>,
}

impl Writer {
    pub(super) fn begin(
        file: Unnamed,
        spool_dir: Arc<SpoolDir>,
        quota: &Arc<Quota>,
    ) -> Result<Self, SpoolError> {
        let file = Arc::new(file);
        let (pieces, inbox) = mpsc::channel(WAITING);
        let target = Arc::clone(&file);
        let written = spawn(move || write(&target, block_on_stream(inbox)))
            .map_err(|source| spool_dir.failed("starting a thread", source))?;
        Ok(Self {
            spool_dir,
            file,
            share: Share::none(quota),
            pieces,
            written,
        })
    }

    /// `Ok` when the thread took it.
    async fn push(&mut self, piece: Piece) -> Result<(), mpsc::SendError> {
        std::future::poll_fn(|context| self.pieces.poll_ready(context)).await?;
        self.pieces.start_send(piece)
    }

    /// Result of everything that was passed to the thread.
    async fn outcome(&mut self) -> Result<(), SpoolError> {
        let written = (&mut self.written).await.map_err(|_| ended())?;
        written.map_err(|source| self.spool_dir.failed("writing a body", source))
    }

    async fn take(&mut self, piece: Bytes) -> Result<(), SpoolError> {
        if !self.share.take(piece.len() as u64) {
            return Err(self.spool_dir.is_full(self.share.quota.limit));
        }
        if self.push(Piece::Bytes(piece)).await.is_ok() {
            return Ok(());
        }
        // It does not listen any more because it has failed.
        self.outcome().await.and_then(|()| Err(ended()))
    }

    async fn complete(mut self) -> Result<Arc<dyn Spooled>, SpoolError> {
        let _said_by_the_outcome = self.push(Piece::End).await;
        self.outcome().await?;
        Ok(Arc::new(FileBody::new(self.file, self.share)))
    }
}

impl SpoolWriter for Writer {
    fn write(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), SpoolError>> {
        Box::pin(self.take(piece))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Spooled>, SpoolError>> {
        Box::pin(self.complete())
    }
}

fn write(target: &Unnamed, pieces: impl Iterator<Item = Piece>) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(JOINED_BYTES, &*target.file);
    let (mut came, mut begun) = (0, 0);
    for piece in pieces {
        let Piece::Bytes(bytes) = piece else {
            break;
        };
        file.write_all(&bytes)?;
        came += bytes.len() as u64;
        if came - begun >= WRITE_BACK_BYTES {
            target.write_back(begun, came - begun);
            begun = came;
        }
    }
    file.flush()?;
    target.write_back(begun, came - begun);
    Ok(())
}
