//! Whether the relay could do its work: before it starts, and whenever somebody asks.

use super::pipeline::Relay;
use super::secret_warnings::secret_warnings;
use crate::blob::BlobError;
use crate::provider::Provider;
use crate::queue::QueueError;
use crate::secret::SecretError;
use crate::spool::SpoolError;

/// Why the relay could not do its work now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// Whether an event could be taken now: secrets at hand, queue, blob store and fallback reachable. Opens
    /// connections ahead of the first delivery.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub async fn check(&self) -> Result<(), CheckError> {
        for source in self.sources() {
            let known = source.secrets.live().await;
            // The secrets at hand may work for minutes yet; whoever asks shall know that they will end.
            let failed = known.err().or_else(|| source.secrets.failure());
            if let Some(error) = failed {
                return Err(CheckError::Secret {
                    name: source.name.clone(),
                    error,
                });
            }
        }
        self.parts.queue.check().await?;
        if let Some(blobs) = &self.parts.blobs {
            blobs.check().await?;
        }
        if let Some(spool) = &self.parts.spool {
            spool.check().await?;
        }
        if let Some(fallback) = &self.parts.fallback {
            fallback.check().await.map_err(CheckError::Fallback)?;
        }
        Ok(())
    }

    /// Things that work but should not stay: short secrets, secrets that cannot be typed into the
    /// platform, bodies that are allowed but would not fit.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let limit = self.parts.queue.limits().max_message_bytes;
        for source in self.sources() {
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
                && source.answer_by > std::time::Duration::from_millis(950)
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
