//! A back end: whoever opens what a configuration names by its URL. One implementation for each cloud, one
//! for this machine.
//!
//! Opening sends nothing and proves nothing: what exists and what is permitted shows in each one's `check`.

mod command_line;
mod error;
mod queue_fault;
mod url_query;

pub use command_line::CommandLineBackEnd;
pub use error::BackEndError;
pub use queue_fault::QueueFault;
pub use url_query::{ParameterNames, UrlQuery};

use crate::BoxFuture;
use crate::blob::BlobStore;
use crate::config::SecretRef;
use crate::fallback::FallbackStore;
use crate::queue::EventQueue;
use crate::secret::SecretSource;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// An opened `T`, or why there is none.
pub type Opening<'a, T> = BoxFuture<'a, Result<T, BackEndError>>;

/// Opens queues, stores and secrets, for programs that take deliveries in. Object-safe.
///
/// A function links every method of this trait, and all that the method reaches, whether it calls it or not: the table
/// of methods of a `dyn BackEnd` holds them all. What only the command line opens is in [`CommandLineBackEnd`].
///
/// ```
/// use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
/// use labelrelay_core::config::SecretRef;
/// use labelrelay_core::{EventQueue, SecretSource};
/// use std::path::Path;
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
/// let at = Location { url: "other:queue", base_dir: Path::new("") };
/// let refused = futures_executor::block_on(back_end.blob_store(at)).err().unwrap();
/// assert!(refused.to_string().contains("no store"), "{refused}");
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

    /// The store for claim checks at `at`. A back end that has queues alone says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        Box::pin(std::future::ready(Err(BackEndError::no_store(at.url))))
    }

    /// The fallback at `at`. A back end that has queues alone says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a store of this back end.
    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(std::future::ready(Err(BackEndError::no_store(at.url))))
    }

    /// The secret behind `reference`, refused after `not_after`. Variables and files are opened without a
    /// back end, by [`SecretRef::open`]. A back end that keeps no secrets says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is in no store of this back end.
    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        let _ = not_after;
        let error = BackEndError::new(
            &reference.to_string(),
            "is in no store that is read here",
            format!("name one of {}", self.forms().secret),
        );
        Box::pin(std::future::ready(Err(error)))
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
        error::shown(self.url)
    }
}
