//! Google Cloud as a back end.

use crate::Google;
use jiff::Timestamp;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::SecretRef;
use labelrelay_core::{
    BlobStore, EventQueue, EventSource, FallbackStore, ObjectStore, SecretSource, SecretStore,
    SourceOptions,
};
use std::sync::Arc;

impl BackEnd for Google {
    fn forms(&self) -> Forms {
        Forms {
            queue: "pubsub://PROJECT/TOPIC",
            store: "gs://BUCKET/PREFIX",
            secret: "gcp-secretmanager:NAME",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        // Within the runtime's task, for tokens are renewed by another one of it.
        Box::pin(async move { Ok(Arc::new(self.queue(at.url)?) as _) })
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        Box::pin(async move { Ok(Arc::new(self.blob_store(at.url)?) as _) })
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(async move { Ok(Arc::new(self.fallback(at.url)?) as _) })
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        Box::pin(async move {
            match reference {
                SecretRef::Store {
                    scheme: "gcp-secretmanager",
                    name,
                } => Ok(Box::new(self.secret(name, not_after)?) as _),
                other => Err(elsewhere(other)),
            }
        })
    }
}

impl CommandLineBackEnd for Google {
    fn identity(&self) -> Option<String> {
        self.identity().map(str::to_owned)
    }

    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        Box::pin(async move {
            let opened = self.event_source(at.url, options).await?;
            Ok(Arc::new(opened) as _)
        })
    }

    fn object_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn ObjectStore>> {
        Box::pin(async move { Ok(Arc::new(self.object_store(at.url)?) as _) })
    }

    fn secret_store<'a>(&'a self, reference: &'a SecretRef) -> Opening<'a, Box<dyn SecretStore>> {
        Box::pin(async move {
            match reference {
                SecretRef::Store {
                    scheme: "gcp-secretmanager",
                    name,
                } => Ok(Box::new(self.secret(name, None)?) as _),
                other => Err(elsewhere(other)),
            }
        })
    }
}

fn elsewhere(reference: &SecretRef) -> BackEndError {
    BackEndError::new(
        &reference.to_string(),
        "is in no store of Google Cloud",
        "name one of gcp-secretmanager:NAME, env:NAME or file:/path",
    )
}
