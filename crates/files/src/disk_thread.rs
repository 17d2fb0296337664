//! Threads that wait for the disk, so that nobody else does.

use futures_channel::oneshot;
use labelrelay_core::BlobError;

/// Answer of a thread.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, BlobError>>;

/// Runs `work` on a thread of its own: bodies that need one are rare, and one that arrives slowly shall keep
/// no other from the disk.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<oneshot::Receiver<T>> {
    let (done, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("disk".to_owned())
        .spawn(move || {
            let _gone = done.send(work());
        })?;
    Ok(answer)
}

pub(crate) fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<Answer<T>, BlobError> {
    spawn(work).map_err(no_thread)
}

pub(crate) fn no_thread(source: std::io::Error) -> BlobError {
    BlobError::transient(format!(
        "starting a thread: {source}; let the process have more threads"
    ))
    .caused_by(source)
}

pub(crate) async fn answer<T>(answer: Answer<T>) -> Result<T, BlobError> {
    answer.await.unwrap_or_else(|_| {
        Err(BlobError::transient(
            "the thread that writes ended without an answer; what it printed says why",
        ))
    })
}
