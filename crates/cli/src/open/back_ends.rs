//! Back ends by URL: of this machine, or of one of the clouds that this build has.

use super::stdout_queue::StdoutQueue;
use crate::clouds::Cloud;
use crate::env::Env;
use crate::local_dir::QUEUE_URL;
use crate::locations::{self, QueueLocation, StoreLocation};
use jiff::Timestamp;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::SecretRef;
use labelrelay_core::{
    BlobStore, Clock, EventQueue, EventSource, FallbackStore, ObjectStore, QueueView, SecretSource,
    SecretStore, SourceOptions,
};
use labelrelay_local::{EmbeddedQueue, Local, Options};
use labelrelay_startup::Open;
use std::sync::{Arc, Mutex, PoisonError};

/// All back ends of this build. A cloud is opened when something of it is named.
pub(crate) struct BackEnds<'a> {
    env: &'a Env<'a>,
    clock: Arc<dyn Clock>,
    local: Local,
    clouds: Mutex<Vec<(Cloud, Arc<dyn CommandLineBackEnd>)>>,
}

impl<'a> BackEnds<'a> {
    /// Back ends, of which the embedded queue has these options.
    pub(crate) fn new(options: Options, env: &'a Env<'a>, clock: Arc<dyn Clock>) -> Self {
        Self {
            env,
            local: Local::new(options, Arc::clone(&clock)),
            clock,
            clouds: Mutex::default(),
        }
    }

    /// Opens a configuration with them.
    pub(crate) fn open(&self) -> Open<'_> {
        Open {
            lookup: self.env.lookup(),
            cwd: self.env.cwd(),
            default_queue: Some(QUEUE_URL),
            back_end: self,
        }
    }

    /// The embedded queue, if that was opened.
    pub(super) fn embedded(&self) -> Option<Arc<EmbeddedQueue>> {
        self.local.embedded()
    }

    /// The clouds that were opened, and the identity that each is used with.
    pub(super) fn identities(&self) -> Vec<(Cloud, String)> {
        let clouds = self.clouds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clouds.iter();
        known
            .filter_map(|(cloud, back_end)| Some((*cloud, back_end.identity()?)))
            .collect()
    }

    /// Doubts about these identities.
    pub(super) fn identity_doubts(&self) -> Vec<String> {
        let clouds = self.clouds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clouds.iter();
        known
            .flat_map(|(_, back_end)| back_end.identity_doubts())
            .collect()
    }

    fn cloud(
        &self,
        cloud: Cloud,
        resource: &str,
    ) -> Result<Arc<dyn CommandLineBackEnd>, BackEndError> {
        let mut clouds = self.clouds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, back_end)) = clouds.iter().find(|(known, _)| *known == cloud) {
            return Ok(Arc::clone(back_end));
        }
        let back_end = cloud.open(self.env, &self.clock, resource)?;
        clouds.push((cloud, Arc::clone(&back_end)));
        Ok(back_end)
    }
}

impl BackEnd for BackEnds<'_> {
    fn forms(&self) -> Forms {
        self.local.forms()
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(async move {
            match locations::queue(at.url, at.base_dir)? {
                QueueLocation::Sqlite(_) => self.local.queue(at).await,
                QueueLocation::Stdout => {
                    let queue = StdoutQueue::open(Arc::clone(&self.clock)).map_err(|error| {
                        let problem = format!("cannot be written: {error}");
                        BackEndError::new(at.url, problem, "open it, and start again").retryable()
                    })?;
                    Ok(Arc::new(queue) as _)
                }
                QueueLocation::Cloud(cloud, _) => self.cloud(cloud, at.url)?.queue(at).await,
            }
        })
    }

    fn offloading_queue<'a>(
        &'a self,
        at: Location<'a>,
        store: Location<'a>,
    ) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(async move {
            match locations::queue(at.url, at.base_dir)? {
                QueueLocation::Cloud(cloud, _) => {
                    let back_end = self.cloud(cloud, at.url)?;
                    back_end.offloading_queue(at, store).await
                }
                QueueLocation::Sqlite(_) | QueueLocation::Stdout => {
                    Err(BackEndError::not_of_sqs(at.url))
                }
            }
        })
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        Box::pin(async move {
            match locations::store(at.url, at.base_dir)? {
                StoreLocation::Directory(_) => self.local.blob_store(at).await,
                StoreLocation::Cloud(cloud, _) => self.cloud(cloud, at.url)?.blob_store(at).await,
            }
        })
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(async move {
            match locations::store(at.url, at.base_dir)? {
                StoreLocation::Directory(_) => self.local.fallback(at).await,
                StoreLocation::Cloud(cloud, _) => self.cloud(cloud, at.url)?.fallback(at).await,
            }
        })
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        Box::pin(async move {
            let SecretRef::Store { scheme, .. } = reference else {
                return self.local.secret(reference, not_after).await;
            };
            let back_end = self.cloud(Cloud::of_secret(scheme), &reference.to_string())?;
            back_end.secret(reference, not_after).await
        })
    }
}

impl CommandLineBackEnd for BackEnds<'_> {
    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        Box::pin(async move {
            match locations::queue(at.url, at.base_dir)? {
                QueueLocation::Sqlite(_) => self.local.event_source(at, options).await,
                QueueLocation::Stdout => Err(BackEndError::new(
                    at.url,
                    "keeps nothing that could be received",
                    "let what reads it handle the events",
                )),
                QueueLocation::Cloud(cloud, _) => {
                    self.cloud(cloud, at.url)?.event_source(at, options).await
                }
            }
        })
    }

    fn queue_view<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn QueueView>> {
        Box::pin(async move {
            match locations::queue(at.url, at.base_dir)? {
                QueueLocation::Cloud(cloud, _) => self.cloud(cloud, at.url)?.queue_view(at).await,
                QueueLocation::Sqlite(_) | QueueLocation::Stdout => self.local.queue_view(at).await,
            }
        })
    }

    fn ledger<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(async move {
            // A queue in Postgres keeps ledgers as well, and is no store for anything else.
            match Cloud::of_queue(at.url) {
                Some(cloud @ Cloud::Postgres) => self.cloud(cloud, at.url)?.ledger(at).await,
                _ => self.fallback(at).await,
            }
        })
    }

    fn object_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn ObjectStore>> {
        Box::pin(async move {
            match locations::store(at.url, at.base_dir)? {
                StoreLocation::Directory(_) => self.local.object_store(at).await,
                StoreLocation::Cloud(cloud, _) => self.cloud(cloud, at.url)?.object_store(at).await,
            }
        })
    }

    fn secret_store<'a>(&'a self, reference: &'a SecretRef) -> Opening<'a, Box<dyn SecretStore>> {
        Box::pin(async move {
            let SecretRef::Store { scheme, .. } = reference else {
                return self.local.secret_store(reference).await;
            };
            let back_end = self.cloud(Cloud::of_secret(scheme), &reference.to_string())?;
            back_end.secret_store(reference).await
        })
    }
}
