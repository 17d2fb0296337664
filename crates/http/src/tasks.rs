//! Tasks that outlive their connection, counted, so that a stop can wait for them.

use std::sync::Arc;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

/// Counts the deliveries that are being finished, so that a stop can wait for them: they outlive
/// their connections.
#[derive(Clone)]
pub struct Tasks(Arc<Semaphore>);

/// More than there can ever be; the semaphore is used to count, not to limit.
const ALL: u32 = u32::MAX >> 4;

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL as usize)))
    }

    /// Runs `work` in a task of its own, within the span that is current: what it logs carries the
    /// request's fields on. `None` when nothing begins any more, because
    /// [`finished`](Self::finished) was called: nobody would wait for it.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<tokio::task::JoinHandle<T>> {
        let counted = Arc::clone(&self.0).try_acquire_owned().ok()?;
        // A delivery's work is kilobytes of state, which would be copied with everything that is put around it here
        // and in the runtime.
        let work = Box::pin(work);
        let work = async move {
            let _counted = counted;
            work.await
        };
        Some(tokio::spawn(work.in_current_span()))
    }

    /// Lets none begin from now on, and waits until all of them have ended.
    pub async fn finished(&self) {
        // Once this waits, whatever becomes free is its own; afterwards it stays taken.
        if let Ok(all) = self.0.acquire_many(ALL).await {
            all.forget();
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn no_task_starts_once_the_end_is_awaited() {
        let tasks = Tasks::new();
        let (go, gone) = oneshot::channel::<()>();
        let running = tasks.spawn(gone).unwrap();
        let mut finished = Box::pin(tasks.finished());
        assert!((&mut finished).now_or_never().is_none());
        assert!(tasks.spawn(async {}).is_none());
        go.send(()).unwrap();
        finished.await;
        assert!(running.is_finished());
        assert!(tasks.spawn(async {}).is_none());
    }
}
