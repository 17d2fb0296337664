//! A store whose every request ends, and that asks again where an answer may be another one. The clients of the clouds do
//! neither: whoever waited on a connection that died without a word would wait for ever, and one answer among thousands that
//! asks for patience would end a whole search.

use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use std::sync::Arc;
use std::time::Duration;

/// Time for a request that carries next to nothing.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Slowest rate at which bytes are written before they are given up: half a megabit a second.
const BYTES_PER_SECOND: u64 = 64 * 1024;

/// Time for an object whose length nobody knows yet.
const READ_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Time for a list, which is one request for each thousand names.
const LISTED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Pauses before a request that changes nothing by being repeated is repeated.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(3)];

pub(crate) struct InTime(Arc<dyn ObjectStore>);

impl InTime {
    pub(crate) fn of(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }
}

impl ObjectStore for InTime {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        let within = time_to_write(object.length);
        Box::pin(in_time(within, self.0.create(name, object)))
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        let within = time_to_write(content.len() as u64);
        let request = again(move || self.0.replace(name, content.clone()));
        Box::pin(in_time(within, Box::pin(request)))
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        let request = again(move || self.0.get(name));
        Box::pin(in_time(READ_WITHIN, Box::pin(request)))
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        let request = again(move || self.0.remove(name));
        Box::pin(in_time(ANSWERED_WITHIN, Box::pin(request)))
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        let request = again(move || self.0.list(beginning));
        Box::pin(in_time(LISTED_WITHIN, Box::pin(request)))
    }
}

fn time_to_write(bytes: u64) -> Duration {
    ANSWERED_WITHIN + Duration::from_secs(bytes / BYTES_PER_SECOND)
}

async fn in_time<T>(
    within: Duration,
    request: BoxFuture<'_, Result<T, BlobError>>,
) -> Result<T, BlobError> {
    match tokio::time::timeout(within, request).await {
        Ok(answer) => answer,
        Err(_) => Err(BlobError::transient(format!(
            "the store gave no answer within {} s",
            within.as_secs()
        ))),
    }
}

/// The answer to the request, or to one of its repeats.
async fn again<'a, T>(
    request: impl Fn() -> BoxFuture<'a, Result<T, BlobError>>,
) -> Result<T, BlobError> {
    for pause in PAUSES {
        match request().await {
            Err(error) if error.retryable => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
    request().await
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use labelrelay_files::FileObjectStore;
    use tempfile::TempDir;

    /// Opening a pipe waits for whoever writes into it, as a request waits on a connection that is dead.
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_comes_is_an_error() {
        let dir = TempDir::new().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let store = InTime::of(Arc::new(FileObjectStore::open(dir.path()).unwrap()));
        let error = store.get("pipe").await.unwrap_err();
        assert!(error.retryable, "{error}");
        assert!(error.to_string().contains("no answer within"), "{error}");
    }
}
