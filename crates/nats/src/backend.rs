//! Opens what a configuration names.

use crate::credentials::Credentials;
use crate::location::QueueUrl;
use crate::queue::NatsQueue;
use crate::server::Servers;
use crate::source::NatsSource;
use crate::view::NatsView;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::{Environment, Lookup};
use labelrelay_core::{Clock, EventQueue, EventSource, QueueView, SourceOptions};
use std::future::ready;
use std::path::Path;
use std::sync::Arc;

/// Shared by all queues in NATS: the variables that may hold credentials, and the clock.
pub struct Nats {
    variables: Environment,
    clock: Arc<dyn Clock>,
}

impl Nats {
    /// Takes what a credential may be in from the environment behind `lookup`. Nothing is connected to yet. Needs a
    /// tokio runtime when anything of it is used.
    pub fn load(lookup: Lookup<'_>, clock: Arc<dyn Clock>) -> Self {
        let set = lookup.names().into_iter().filter_map(|name| {
            let value = lookup.get(&name)?;
            Some((name, value))
        });
        Self {
            variables: set.collect(),
            clock,
        }
    }

    /// The queue at `url`; relative paths in it begin in `base_dir`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue in NATS, or names no credential that can be had.
    pub fn queue(&self, url: &str, base_dir: &Path) -> Result<NatsQueue, BackEndError> {
        Ok(NatsQueue::new(self.servers(url, base_dir)?))
    }

    /// The events of the queue at `url`, for a consumer. `dead_letter` of the options is a subject; without it, the
    /// queue's own with `dead-letters.` before it.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue in NATS, cannot be reached, or no stream takes its dead letters.
    pub async fn event_source(
        &self,
        url: &str,
        base_dir: &Path,
        options: &SourceOptions,
    ) -> Result<NatsSource, BackEndError> {
        NatsSource::open(self.servers(url, base_dir)?, options).await
    }

    fn servers(&self, url: &str, base_dir: &Path) -> Result<Servers, BackEndError> {
        let url = QueueUrl::parse(url, base_dir)?;
        let credentials = Credentials::of(&url, &self.variables, base_dir)?;
        Ok(Servers::new(url, credentials, Arc::clone(&self.clock)))
    }
}

impl BackEnd for Nats {
    fn forms(&self) -> Forms {
        Forms {
            queue: "nats://HOST:4222/STREAM/SUBJECT",
            store: "none",
            secret: "env:NAME or file:/path",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        let opened = self.queue(at.url, at.base_dir);
        Box::pin(ready(opened.map(|queue| Arc::new(queue) as _)))
    }
}

impl CommandLineBackEnd for Nats {
    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        Box::pin(async move {
            let opened = self.event_source(at.url, at.base_dir, options).await?;
            Ok(Arc::new(opened) as _)
        })
    }

    fn queue_view<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn QueueView>> {
        let opened = self.servers(at.url, at.base_dir);
        let view = opened.map(|servers| Arc::new(NatsView::new(servers)) as _);
        Box::pin(ready(view))
    }
}
