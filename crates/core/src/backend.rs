//! A back end: whoever opens what a configuration names by its URL. One implementation for each cloud, one
//! for this machine.
//!
//! Opening sends nothing and proves nothing: what exists and what is permitted shows in each one's `check`.

use crate::BoxFuture;
use crate::blob::BlobStore;
use crate::config::{ConfigError, ENVIRONMENT, SecretRef};
use crate::event_source::{EventSource, SourceOptions};
use crate::fallback::FallbackStore;
use crate::object_store::ObjectStore;
use crate::queue::EventQueue;
use crate::secret::{SecretSource, SecretStore};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// An opened `T`, or why there is none.
pub type Opening<'a, T> = BoxFuture<'a, Result<T, BackEndError>>;

/// Opens queues, stores and secrets. Object-safe.
///
/// ```
/// use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
/// use labelrelay_core::config::SecretRef;
/// use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
/// use std::sync::Arc;
///
/// /// A back end with secrets and nothing else.
/// struct SecretsOnly;
///
/// impl BackEnd for SecretsOnly {
///     fn forms(&self) -> Forms {
///         Forms { queue: "none", store: "none", secret: "NAME" }
///     }
///
///     fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
///         let error = BackEndError::new(at.url, "is not a queue", "name one of a cloud");
///         Box::pin(std::future::ready(Err(error)))
///     }
/// #    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
/// #        Box::pin(std::future::ready(Err(BackEndError::new(at.url, "is no store", "leave it out"))))
/// #    }
/// #    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
/// #        Box::pin(std::future::ready(Err(BackEndError::new(at.url, "is no store", "leave it out"))))
/// #    }
/// #    fn secret<'a>(
/// #        &'a self,
/// #        reference: &'a SecretRef,
/// #        not_after: Option<jiff::Timestamp>,
/// #    ) -> Opening<'a, Box<dyn SecretSource>> {
/// #        Box::pin(std::future::ready(Err(BackEndError::new("x", "is no secret", "leave it out"))))
/// #    }
///     // …
/// }
///
/// let back_end: &dyn BackEnd = &SecretsOnly;
/// ```
pub trait BackEnd: Send + Sync {
    /// Forms of the URLs that it opens, for messages.
    fn forms(&self) -> Forms;

    /// The queue at `at`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue of this back end.
    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>>;

    /// The queue at `at`, which puts what is too large for a message into the store at `store`, whole, and keeps a pointer to
    /// it, as AWS's extended clients of SQS do ([`ClaimCheckForm::SqsExtendedClient`](crate::config::ClaimCheckForm)).
    ///
    /// # Errors
    /// [`BackEndError`] when the queue is none of SQS, or the store none of S3.
    fn offloading_queue<'a>(
        &'a self,
        at: Location<'a>,
        store: Location<'a>,
    ) -> Opening<'a, Arc<dyn EventQueue>> {
        let _ = store;
        Box::pin(std::future::ready(Err(BackEndError::not_of_sqs(at.url))))
    }

    /// The events of the queue at `at`, for a consumer. Unlike the others, this may ask the queue: a source without a
    /// place for dead letters is refused at the start. A back end whose queues nobody can consume here says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue of this back end, or has no place for dead letters.
    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        let _ = options;
        let error = BackEndError::new(
            at.url,
            "is no queue that events can be received from here",
            "name a queue of another kind, or receive them by its own client",
        );
        Box::pin(std::future::ready(Err(error)))
    }

    /// The store for claim checks at `at`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>>;

    /// The fallback at `at`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>>;

    /// The store at `at`, for files under names of one's choice. A back end that has none says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn object_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn ObjectStore>> {
        let error = BackEndError::new(
            at.url,
            "is no store that files can be published to",
            "write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX",
        );
        Box::pin(std::future::ready(Err(error)))
    }

    /// The secret behind `reference`, refused after `not_after`. Variables and files are opened without a
    /// back end, by [`SecretRef::open`].
    ///
    /// # Errors
    /// [`BackEndError`] when it is in no store of this back end.
    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>>;

    /// The store behind `reference`, to put a secret there. A back end that cannot be written to says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is in no store of this back end, or can only be read.
    fn secret_store<'a>(&'a self, reference: &'a SecretRef) -> Opening<'a, Box<dyn SecretStore>> {
        let error = BackEndError::new(
            &reference.to_string(),
            "is in no store that a secret can be written to here",
            "put the secret there by hand",
        );
        Box::pin(std::future::ready(Err(error)))
    }

    /// The store at `at` that keeps a ledger between runs. It asks for what a fallback asks for: objects that
    /// can be listed, read and removed.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn ledger<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        self.fallback(at)
    }
}

/// Forms of a back end's URLs and references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forms {
    /// A queue.
    pub queue: &'static str,
    /// A store.
    pub store: &'static str,
    /// A secret.
    pub secret: &'static str,
}

/// A URL of the configuration, and what a relative path in it is relative to.
#[derive(Debug, Clone, Copy)]
pub struct Location<'a> {
    /// The URL.
    pub url: &'a str,
    /// The directory that a relative path begins in.
    pub base_dir: &'a Path,
}

impl Location<'_> {
    /// The URL as messages show it: without its query, which may be a signature; nothing of what is no URL, for
    /// somebody may have written a secret there.
    pub fn shown(&self) -> &str {
        shown(self.url)
    }
}

fn shown(url: &str) -> &str {
    let bare = url.split('?').next().unwrap_or_default();
    let is_scheme = |scheme: &str| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    match bare.split_once(':') {
        // Neither a user with a password, nor a connection string.
        Some((scheme, rest)) if is_scheme(scheme) && !rest.contains(['@', ';', ' ']) => bare,
        _ => "",
    }
}

/// Why a back end does not open something: what, why, and how to put it right. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}; {cure}", quoted(resource))]
#[non_exhaustive]
pub struct BackEndError {
    /// The URL or reference that was to be opened, or the variable that is to blame. Empty where it must not be shown.
    pub resource: String,
    /// `true` if `resource` is a variable of the environment.
    pub is_variable: bool,
    /// Problem.
    pub problem: String,
    /// The cure.
    pub cure: String,
    /// `true` if it may open later, although nobody changes the configuration.
    pub retryable: bool,
}

impl BackEndError {
    /// An error of `resource`, a URL or a reference, which somebody has to mend. It is shown as
    /// [`Location::shown`] says.
    pub fn new(resource: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            resource: shown(resource).to_owned(),
            is_variable: false,
            problem: problem.into(),
            cure: cure.into(),
            retryable: false,
        }
    }

    /// The error of a queue that is none of SQS, and for which AWS's form of claim checks is configured.
    pub fn not_of_sqs(queue: &str) -> Self {
        Self::new(
            queue,
            "is no queue of SQS, and sqs-extended-client is a form for consumers of SQS",
            "name a queue of SQS and an S3 blob store, or remove claim_check",
        )
    }

    /// An error of the environment's variable `name`, which somebody has to mend.
    pub fn of_variable(name: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            resource: name.to_owned(),
            is_variable: true,
            ..Self::new("", problem, cure)
        }
    }

    /// The same error, which may pass.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same as an error of the configuration: of the setting `key` in `origin`, unless a variable is to
    /// blame.
    ///
    /// ```
    /// use labelrelay_core::backend::BackEndError;
    ///
    /// let error = BackEndError::new("sqs://x?sig=y", "is not a queue", "write sqs://REGION/ACCOUNT/NAME");
    /// assert_eq!(
    ///     error.at("labelrelay.toml", "queue").to_string(),
    ///     "labelrelay.toml: `queue`: `sqs://x` is not a queue; write sqs://REGION/ACCOUNT/NAME"
    /// );
    /// let error = BackEndError::of_variable("AWS_REGION", "is not set", "set it");
    /// assert_eq!(
    ///     error.at("labelrelay.toml", "queue").to_string(),
    ///     "environment: `AWS_REGION`: is not set; set it"
    /// );
    /// ```
    #[must_use]
    pub fn at(self, origin: &str, key: &str) -> ConfigError {
        if self.is_variable {
            return ConfigError::new(ENVIRONMENT, &self.resource, &self.problem, &self.cure);
        }
        if self.resource == key {
            return ConfigError::new(origin, key, &self.problem, &self.cure);
        }
        let problem = quoted(&self.resource) + &self.problem;
        ConfigError::new(origin, key, &problem, &self.cure)
    }
}

fn quoted(resource: &str) -> String {
    if resource.is_empty() {
        String::new()
    } else {
        format!("`{resource}` ")
    }
}

/// A variable that cannot be read.
impl From<ConfigError> for BackEndError {
    fn from(error: ConfigError) -> Self {
        Self::of_variable(&error.key, error.problem, error.cure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        for (url, shown) in [
            (
                "sqs://eu-west-1/1/events?group=partition",
                "sqs://eu-west-1/1/events",
            ),
            (
                "https://a.queue.core.windows.net/e?sig=secret",
                "https://a.queue.core.windows.net/e",
            ),
            ("gcp-secretmanager:name", "gcp-secretmanager:name"),
            ("https://user:secret@host/queue", ""),
            ("Endpoint=sb://ns/;SharedAccessKey=secret", ""),
            ("secret", ""),
            ("", ""),
        ] {
            assert_eq!(super::shown(url), shown, "{url}");
            let error = BackEndError::new(url, "is wrong", "correct it");
            assert!(!error.to_string().contains("secret "), "{error}");
            assert_eq!(
                error.to_string().starts_with('`'),
                !shown.is_empty(),
                "{error}"
            );
        }
    }
}
