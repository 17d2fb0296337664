//! AWS as a back end.

use crate::Aws;
use jiff::Timestamp;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::SecretRef;
use labelrelay_core::{
    BlobStore, EventQueue, EventSource, FallbackStore, ObjectStore, SecretSource, SecretStore,
    SourceOptions,
};
use std::future::ready;
use std::sync::Arc;

impl BackEnd for Aws {
    fn forms(&self) -> Forms {
        Forms {
            queue: "sqs://REGION/ACCOUNT/NAME",
            store: "s3://BUCKET/PREFIX",
            secret: "aws-secretsmanager:NAME or aws-ssm:/NAME",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        let opened = self.queue(at.url);
        Box::pin(ready(opened.map(|queue| Arc::new(queue) as _)))
    }

    fn offloading_queue<'a>(
        &'a self,
        at: Location<'a>,
        store: Location<'a>,
    ) -> Opening<'a, Arc<dyn EventQueue>> {
        let opened = self.extended_queue(at.url, store.url);
        Box::pin(ready(opened.map(|queue| Arc::new(queue) as _)))
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        let opened = self.blob_store(at.url);
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        let opened = self.fallback(at.url);
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        let opened = self.secret(reference, not_after);
        Box::pin(ready(
            opened.and_then(|secret| secret.ok_or_else(|| elsewhere(reference))),
        ))
    }
}

impl CommandLineBackEnd for Aws {
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
        let opened = self.object_store(at.url);
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn secret_store<'a>(&'a self, reference: &'a SecretRef) -> Opening<'a, Box<dyn SecretStore>> {
        let opened = self.secret_store(reference);
        Box::pin(ready(
            opened.and_then(|store| store.ok_or_else(|| elsewhere(reference))),
        ))
    }
}

fn elsewhere(reference: &SecretRef) -> BackEndError {
    BackEndError::new(
        &reference.to_string(),
        "is in no store of AWS",
        "name one of aws-secretsmanager:…, aws-ssm:…, env:NAME or file:/path",
    )
}
