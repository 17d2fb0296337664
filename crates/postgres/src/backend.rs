//! Opens what a configuration names.

use crate::connection::Server;
use crate::location::{QueueUrl, parted};
use crate::objects::PostgresObjects;
use crate::password::Password;
use crate::pool::Pool;
use crate::queue::PostgresQueue;
use crate::rights::TO_CONSUME;
use crate::source::PostgresSource;
use crate::store::Store;
use crate::tls::Tls;
use crate::view::PostgresView;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::{Environment, Lookup};
use labelrelay_core::{Clock, EventQueue, EventSource, FallbackStore, QueueView, SourceOptions};
use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Shared by all queues in Postgres: the variables that may hold passwords, and the clock.
pub struct Postgres {
    variables: Environment,
    clock: Arc<dyn Clock>,
}

impl Postgres {
    /// Takes what a password may be in from the environment behind `lookup`. Nothing is connected to yet. Needs a tokio
    /// runtime when anything of it is used.
    pub fn load(lookup: Lookup<'_>, clock: Arc<dyn Clock>) -> Self {
        let mut names = lookup.names();
        // A lookup need not know its names.
        names.extend(["PGPASSWORD", "PGPASSFILE"].map(str::to_owned));
        let set = names.into_iter().filter_map(|name| {
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
    /// [`BackEndError`] when it is not the URL of a queue in Postgres, or names no password or certificate.
    pub fn queue(&self, url: &str, base_dir: &Path) -> Result<PostgresQueue, BackEndError> {
        Ok(PostgresQueue::new(self.store(url, base_dir)?))
    }

    /// The events of the queue at `url`, for a consumer. Makes the tables if there are none.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue in Postgres, or the tables cannot be reached, or the user lacks a
    /// right to them; and when `dead_letter` of the options names a place, for dead letters have a table of their own.
    pub async fn event_source(
        &self,
        url: &str,
        base_dir: &Path,
        options: &SourceOptions,
    ) -> Result<PostgresSource, BackEndError> {
        let store = self.store(url, base_dir)?;
        let shown = store.resource().to_owned();
        if options.dead_letter.is_some() {
            let problem = "has a table for dead letters, and cannot put them elsewhere";
            return Err(BackEndError::of_shown(
                &shown,
                problem,
                "leave the place for dead letters out",
            ));
        }
        let prepared = store.prepare(TO_CONSUME).await;
        prepared.map_err(|failure| failure.fault.of_opening(&shown))?;
        Ok(PostgresSource::new(Arc::new(store), options.max_receives))
    }

    /// The record of deliveries beside the queue at `url`, which all replicas of `serve` share. Rows that this process takes
    /// say that `replica` did. Nothing is connected to yet.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue in Postgres, or names no password or certificate.
    #[cfg(feature = "record")]
    pub fn record(
        &self,
        url: &str,
        base_dir: &Path,
        runtime: crate::record::RecordRuntime,
        replica: &str,
    ) -> Result<crate::record::PostgresRecord, BackEndError> {
        let store = self.store(url, base_dir)?;
        Ok(crate::record::PostgresRecord::new(store, runtime, replica))
    }

    fn store(&self, url: &str, base_dir: &Path) -> Result<Store, BackEndError> {
        let url = QueueUrl::parse(url, base_dir)?;
        let server = Server {
            password: Password::of(&url, &self.variables, base_dir)?,
            tls: Tls::of(&url)?,
            url,
            good_host: AtomicUsize::default(),
        };
        Ok(Store::new(Pool::new(server, Arc::clone(&self.clock))))
    }
}

impl BackEnd for Postgres {
    fn forms(&self) -> Forms {
        Forms {
            queue: "postgres://USER@HOST/DATABASE",
            store: "none",
            secret: "env:NAME or file:/path",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        let opened = self.queue(at.url, at.base_dir);
        Box::pin(ready(opened.map(|queue| Arc::new(queue) as _)))
    }
}

impl CommandLineBackEnd for Postgres {
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
        let opened = self.store(at.url, at.base_dir);
        let view = opened.map(|store| Arc::new(PostgresView::new(store)) as _);
        Box::pin(ready(view))
    }

    /// The URL is that of the queue, and what stands behind the database names the ledger.
    fn ledger<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        let (queue, place) = parted(at.url);
        let opened = self.store(&queue, at.base_dir);
        let objects = opened.map(|store| PostgresObjects::new(Arc::new(store), place));
        Box::pin(ready(objects.map(|objects| Arc::new(objects) as _)))
    }
}
