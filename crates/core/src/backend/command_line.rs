//! What only the command line opens.

use super::{BackEnd, BackEndError, Location, Opening};
use crate::config::SecretRef;
use crate::event_source::{EventSource, SourceOptions};
use crate::fallback::FallbackStore;
use crate::object_store::ObjectStore;
use crate::queue_view::QueueView;
use crate::secret::SecretStore;
use std::sync::Arc;

/// Opens what a function never opens: the events of a queue, stores for files and for new secrets, ledgers.
/// Object-safe.
///
/// ```
/// use labelrelay_core::backend::{BackEnd, CommandLineBackEnd};
///
/// /// It is a back end, too.
/// fn as_back_end(all: &dyn CommandLineBackEnd) -> &dyn BackEnd {
///     all
/// }
/// ```
pub trait CommandLineBackEnd: BackEnd {
    /// Words for the identity that what was opened asks with, of several that it could have: for the log and for a person.
    /// Never a secret. `None` where there is none, or nothing needs one.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Doubts about that identity, such as a key that others can read, each with its cure. Never a secret.
    fn identity_doubts(&self) -> Vec<String> {
        Vec::new()
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

    /// A look into the queue at `at`, which takes nothing. A back end whose queues show nothing says so.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue of this back end, or one that cannot be looked into.
    fn queue_view<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn QueueView>> {
        let error = BackEndError::new(
            at.url,
            "is a queue that cannot be looked into from here",
            "use the tools of its own",
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
