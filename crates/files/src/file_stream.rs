//! Reads a file as a stream, on a thread of its own.

use crate::disk_thread::spawn;
use bytes::Bytes;
use futures_channel::mpsc;
use futures_executor::block_on;
use futures_util::stream;
use labelrelay_core::BoxStream;
use std::fs::File;
use std::future::poll_fn;
use std::io::{ErrorKind, Result};
use std::sync::Arc;

/// A piece. Four of them are under way at most: one that is read, two that wait, one that is looked at.
const PIECE_BYTES: usize = 256 * 1024;

/// The first `length` bytes of `file`.
pub(crate) fn contents(file: Arc<File>, length: u64) -> BoxStream<'static, Result<Bytes>> {
    let (mut out, pieces) = mpsc::channel(1);
    let read = move || {
        let mut at = 0;
        while at < length {
            let piece = piece(&file, at, length - at);
            at += piece.as_ref().map_or(length, |piece| piece.len() as u64);
            // Nobody wants it when whoever asked has given up.
            let room = block_on(poll_fn(|context| out.poll_ready(context)));
            if room.and_then(|()| out.start_send(piece)).is_err() {
                break;
            }
        }
    };
    match spawn(read) {
        Ok(_done) => Box::pin(pieces),
        Err(error) => Box::pin(stream::iter([Err(error)])),
    }
}

fn piece(file: &File, at: u64, left: u64) -> Result<Bytes> {
    let length = usize::try_from(left)
        .unwrap_or(PIECE_BYTES)
        .min(PIECE_BYTES);
    let mut bytes = vec![0; length];
    let read = loop {
        match read_at(file, &mut bytes, at) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => break read,
        }
    };
    bytes.truncate(read);
    Ok(bytes.into())
}

/// Several may read one file at a time, so none moves its position.
#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}
