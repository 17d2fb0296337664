//! Tasks that outlive their connection, counted, so that a stop can wait for them.

use crate::connection::Activity;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

/// Counts the deliveries that are being finished, so that a stop can wait for them: they outlive
/// their connections.
#[derive(Clone)]
pub struct Tasks {
    counted: Arc<Semaphore>,
    /// The connection on which the request came, where it is one of this server.
    connection: Option<Arc<Activity>>,
}

/// More than there can ever be; the semaphore is used to count, not to limit.
const ALL: u32 = u32::MAX >> 4;

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self {
            counted: Arc::new(Semaphore::new(ALL as usize)),
            connection: None,
        }
    }

    /// The same, for a request that came on this connection.
    pub(crate) fn on(&self, connection: &Arc<Activity>) -> Self {
        Self {
            counted: Arc::clone(&self.counted),
            connection: Some(Arc::clone(connection)),
        }
    }

    /// The connection on which the request came.
    pub(crate) fn connection(&self) -> Option<&Arc<Activity>> {
        self.connection.as_ref()
    }

    /// Runs `work` in a task of its own, within the span that is current: what it logs carries the
    /// request's fields on. `None` when nothing begins any more, because
    /// [`finished`](Self::finished) was called: nobody would wait for it.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<tokio::task::JoinHandle<T>> {
        let counted = Arc::clone(&self.counted).try_acquire_owned().ok()?;
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
        if let Ok(all) = self.counted.acquire_many(ALL).await {
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
