//! Checks that the relay could do its work: before it starts, and whenever somebody asks.

use super::pipeline::Relay;
use super::secret_warnings::secret_warnings;
use crate::BoxFuture;
use crate::blob::BlobError;
use crate::clock::within;
use crate::provider::Provider;
use crate::queue::QueueError;
use crate::secret::SecretError;
use crate::source::Source;
use crate::spool::SpoolError;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// Longest wait for what a queue says of itself beyond its check: it keeps a start waiting.
const DOUBT_PATIENCE: Duration = Duration::from_secs(2);

/// Something that a delivery needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The secrets of a source.
    Secrets,
    /// The queue.
    Queue,
    /// The place of bodies that are too large for the queue.
    BlobStore,
    /// The place of large bodies while they arrive.
    Spool,
    /// The place of events while the queue takes none.
    Fallback,
}

/// A check of one [`Resource`], which runs when it is awaited.
pub struct Check<'a> {
    /// The thing that is checked.
    pub resource: Resource,
    /// The source whose it is; `None` where all share it.
    pub source: Option<&'a str>,
    /// The check itself.
    pub run: BoxFuture<'a, Result<(), CheckError>>,
}

impl<'a> Check<'a> {
    fn of(
        resource: Resource,
        run: impl Future<Output = Result<(), CheckError>> + Send + 'a,
    ) -> Self {
        Self {
            resource,
            source: None,
            run: Box::pin(run),
        }
    }

    fn of_secrets(source: &'a Source) -> Self {
        let read = async {
            let known = source.secrets.live().await;
            // The secrets at hand may work for minutes yet; whoever asks shall know that they will end.
            match known.err().or_else(|| source.secrets.failure()) {
                None => Ok(()),
                Some(error) => Err(CheckError::Secret {
                    name: source.name.clone(),
                    error,
                }),
            }
        };
        Self {
            source: Some(&source.name),
            ..Self::of(Resource::Secrets, read)
        }
    }
}

/// Why the relay could not do its work now. Another kind of check is another variant: whoever decides what becomes
/// of a start or of readiness then has to say so of it.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The secrets of a source cannot be read.
    #[error("source `{name}`: {error}")]
    Secret {
        /// The source.
        name: String,
        /// Problem.
        error: SecretError,
    },
    /// The queue could not take an event.
    #[error("{0}")]
    Queue(#[from] QueueError),
    /// The blob store could not take an object.
    #[error("{0}")]
    Blob(#[from] BlobError),
    /// Large bodies could not be taken in.
    #[error("{0}")]
    Spool(#[from] SpoolError),
    /// The fallback could not take an event.
    #[error("fallback: {0}")]
    Fallback(#[source] BlobError),
}

impl Relay {
    /// Everything that a delivery needs, each with its check. Starts run them side by side, and readiness one after
    /// the other; both open connections ahead of the first delivery.
    pub fn checks(&self) -> Vec<Check<'_>> {
        let parts = &self.parts;
        let mut checks: Vec<_> = self
            .sources()
            .iter()
            .map(|source| Check::of_secrets(source))
            .collect();
        checks.push(Check::of(Resource::Queue, async {
            Ok(parts.queue.check().await?)
        }));
        if let Some(blobs) = &parts.blobs {
            checks.push(Check::of(Resource::BlobStore, async {
                Ok(blobs.check().await?)
            }));
        }
        if let Some(spool) = &parts.spool {
            checks.push(Check::of(Resource::Spool, async {
                Ok(spool.check().await?)
            }));
        }
        if let Some(fallback) = &parts.fallback {
            checks.push(Check::of(Resource::Fallback, async {
                fallback.check().await.map_err(CheckError::Fallback)
            }));
        }
        checks
    }

    /// Checks that an event could be taken now: all [`checks`](Self::checks), in order.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub async fn check(&self) -> Result<(), CheckError> {
        for check in self.checks() {
            check.run.await?;
        }
        Ok(())
    }

    /// Fault behind a queue that takes every event, such as that nobody gets any. `None` where there is none, and where the
    /// queue does not say so within two seconds.
    pub async fn doubt(&self) -> Option<String> {
        self.in_time(self.parts.queue.doubt()).await
    }

    /// Outcome of `work`, and the queue's [`doubt`](Self::doubt), which is asked for beside it. Both may wait for the same
    /// connection or token: so the two seconds begin when `work` is done.
    ///
    /// # Errors
    /// The error of `work`, at once.
    pub async fn doubt_beside<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<(T, Option<String>), E> {
        let work = pin!(work);
        match select(work, self.parts.queue.doubt()).await {
            Either::Left((done, asked)) => {
                let done = done?;
                Ok((done, self.in_time(asked).await))
            }
            Either::Right((doubt, work)) => Ok((work.await?, doubt)),
        }
    }

    async fn in_time(&self, doubt: BoxFuture<'_, Option<String>>) -> Option<String> {
        let doubt = within(&*self.parts.clock, DOUBT_PATIENCE, doubt).await;
        doubt.ok().flatten()
    }

    /// Things that work but should not stay, beside the queue's [`doubt`](Self::doubt): short secrets, secrets that cannot be
    /// typed into the platform, bodies that are allowed but would not fit.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let limit = self.parts.queue.limits().max_message_bytes;
        for source in self.sources() {
            // A store that did not answer the check is not asked again: a start waits for this, and nobody ends that wait.
            if source.secrets.failure().is_some() {
                continue;
            }
            let Ok(secrets) = source.secrets.live().await else {
                continue;
            };
            secret_warnings(source, &secrets, &mut warnings);
            if self.parts.blobs.is_none() && source.max_body_bytes > limit {
                warnings.push(format!(
                    "source `{}`: bodies up to {} bytes are allowed, but the queue takes {limit}; configure `blob_store` or lower `max_body_bytes`, else larger ones are refused with 413",
                    source.name, source.max_body_bytes
                ));
            }
            if source.provider == Provider::LabelStudio
                && source.answer_by > Duration::from_millis(950)
            {
                warnings.push(format!(
                    "source `{}`: Label Studio hangs up after 1 s unless its WEBHOOK_TIMEOUT is raised, but the answer is due after {} ms",
                    source.name,
                    source.answer_by.as_millis()
                ));
            }
        }
        warnings
    }
}
