//! Handlers of changes.

use crate::failure::Failure;
use crate::incoming::Incoming;
use futures_util::FutureExt as _;
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Kind;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

type Call = dyn Fn(Incoming) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;

/// A handler, and the kinds of things that it is for.
#[derive(Clone)]
pub(crate) struct Handler {
    /// `None` for all.
    kinds: Option<Vec<Kind>>,
    call: Arc<Call>,
}

impl Handler {
    pub(crate) fn new<F, Fut>(kinds: Option<Vec<Kind>>, handler: F) -> Self
    where
        F: Fn(Incoming) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Self {
            kinds,
            call: Arc::new(move |incoming| -> BoxFuture<'static, _> {
                Box::pin(handler(incoming))
            }),
        }
    }

    pub(super) fn is_for(&self, kind: Kind) -> bool {
        self.kinds
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Calls it. A panic is a failure like any other; the hook has said where it was.
    pub(super) async fn handle(&self, incoming: Incoming) -> Result<(), Failure> {
        let called = async { (self.call)(incoming).await };
        let done = AssertUnwindSafe(called).catch_unwind().await;
        done.unwrap_or_else(|_| Err(Failure::retry("its handler panicked")))
    }
}
