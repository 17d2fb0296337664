//! Opens what a configuration names. Nothing is sent by that.

use crate::configuration::Search;
use crate::error::StartError;
use crate::setting::{BLOB_STORE, CLAIM_CHECK, FALLBACK, Name, QUEUE, Setting, TRACES};
use crate::start_policy::warn;
use jiff::Timestamp;
use labelrelay_core::config::{
    ClaimCheckForm, Config, ConfigError, Lookup, SecretRef, SourceConfig,
};
use labelrelay_core::{
    BackEnd, BlobStore, Clock, Entropy, EventQueue, FallbackStore, Location, Observer, Parts,
    Relay, SecretSource, Spool,
};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Parts of the pipeline that no configuration names.
pub struct Injected {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Logs and metrics.
    pub observer: Arc<dyn Observer>,
    /// Directory of large bodies while they arrive.
    pub spool: Option<Arc<dyn Spool>>,
}

/// Opens what the variables, or a configuration, name.
#[derive(Clone, Copy)]
pub struct Open<'a> {
    /// The variables that the program was started with.
    pub lookup: Lookup<'a>,
    /// The directory that it was started in.
    pub cwd: &'a Path,
    /// Queue when the configuration names none.
    pub default_queue: Option<&'a str>,
    /// Who opens it.
    pub back_end: &'a dyn BackEnd,
}

impl Open<'_> {
    /// The configuration of a program that a cloud starts. Its warnings are logged.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the cure, also when there is no configuration at all.
    pub fn configuration(&self) -> Result<Config, ConfigError> {
        let search = Search {
            lookup: self.lookup,
            cwd: self.cwd,
            file: None,
        };
        let config = search.required()?;
        warn(&config.warnings);
        let pulls = config.sources.iter().filter(|source| source.pull.is_some());
        let warning = |source: &SourceConfig| {
            format!(
                "source `{}`: [source.pull] is for `labelrelay serve`; this program does not pull",
                source.name
            )
        };
        warn(&pulls.map(warning).collect::<Vec<_>>());
        Ok(config)
    }

    /// The pipeline of `config`. Needs a Tokio runtime around it.
    ///
    /// # Errors
    /// [`StartError`] names the setting and the cure.
    pub async fn relay(&self, config: &Config, injected: Injected) -> Result<Relay, StartError> {
        let Injected {
            clock,
            entropy,
            observer,
            spool,
        } = injected;
        let blobs = self.blob_store(config).await?;
        let fallback = self.fallback(config).await?;
        let traces = self.traces(config).await?;
        // Last, for whoever opens a queue may make it.
        let queue = self.queue(config).await?;
        let parts = Parts::new(queue, clock, entropy, observer)
            .with_blobs(blobs)
            .with_fallback(fallback)
            .with_traces(traces)
            .with_spool(spool);
        let secrets = Mutex::new(self.secrets(config).await);
        // The pipeline asks for them in the order of the configuration, and names the source of each error.
        let next = |_: &SecretRef, _| {
            let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets
                .pop_front()
                .unwrap_or_else(|| Err(nothing_left(config)))
        };
        Ok(Relay::new(config, parts, &next)?)
    }

    /// The queue that `config` names.
    ///
    /// # Errors
    /// [`StartError`] when it names none, or one that cannot be opened, or one that has no claim checks of the configured form.
    pub async fn queue(&self, config: &Config) -> Result<Arc<dyn EventQueue>, StartError> {
        let claims = Claims::of(config, self.lookup, self.cwd);
        if config.queue.is_some() {
            let at = self.setting(QUEUE, config);
            return self.queue_at(config.queue.as_deref(), at, &claims).await;
        }
        // Without a configured queue, errors name the variable: setting it works everywhere.
        let at = Setting::of_variable(QUEUE, self.cwd);
        self.queue_at(self.default_queue, at, &claims).await
    }

    /// The store for claim checks, if `config` names one.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be opened.
    pub async fn blob_store(
        &self,
        config: &Config,
    ) -> Result<Option<Arc<dyn BlobStore>>, StartError> {
        let at = self.setting(BLOB_STORE, config);
        self.blob_store_at(config.blob_store.as_deref(), at).await
    }

    /// The fallback, if `config` names one.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be opened.
    pub async fn fallback(
        &self,
        config: &Config,
    ) -> Result<Option<Arc<dyn FallbackStore>>, StartError> {
        if config.fallback.is_none() {
            return Ok(None);
        }
        let at = self.setting(FALLBACK, config);
        self.fallback_at(config.fallback.as_deref(), at)
            .await
            .map(Some)
    }

    /// The store for traces of what the queue took, if `config` names one. It is asked for what a fallback is asked
    /// for: objects that can be listed, read and removed.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be opened.
    pub async fn traces(
        &self,
        config: &Config,
    ) -> Result<Option<Arc<dyn FallbackStore>>, StartError> {
        if config.traces.is_none() {
            return Ok(None);
        }
        let at = self.setting(TRACES, config);
        self.fallback_at(config.traces.as_deref(), at)
            .await
            .map(Some)
    }

    /// The secret behind `reference`, which `key` of `origin` holds.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot be opened.
    pub async fn secret(
        &self,
        reference: &SecretRef,
        not_after: Option<Timestamp>,
        origin: &str,
        key: &str,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        if let Some(here) = reference.open(not_after, self.lookup, origin, key)? {
            return Ok(here);
        }
        let opened = self.back_end.secret(reference, not_after).await;
        opened.map_err(|error| error.at(origin, key))
    }

    /// The origin, name and base directory of a setting of `config`.
    pub fn setting<'s>(&'s self, name: Name, config: &'s Config) -> Setting<'s> {
        Setting::of(name, config, self.lookup, self.cwd)
    }

    /// The queue at `url`, a setting of its own, which has claim checks of the form that `claims` says.
    ///
    /// # Errors
    /// [`StartError`] when it is not set or cannot be opened, or has no claim checks of that form.
    pub async fn queue_at(
        &self,
        url: Option<&str>,
        at: Setting<'_>,
        claims: &Claims<'_>,
    ) -> Result<Arc<dyn EventQueue>, StartError> {
        let url = set(url, at, || {
            let form = self.back_end.forms().queue;
            format!("set it to {form}: the queue that shall get the events")
        })?;
        let Some(store) = claims.store_of_envelopes()? else {
            let opened = self.back_end.queue(at.location(url)).await;
            return opened.map_err(|error| StartError::at(error, at.origin, at.key));
        };
        let opened = self.back_end.offloading_queue(at.location(url), store);
        opened.await.map_err(|error| {
            let is_of_store = error.resource == store.shown();
            let at = if is_of_store { claims.store_at } else { at };
            StartError::at(error, at.origin, at.key)
        })
    }

    pub(crate) async fn blob_store_at(
        &self,
        url: Option<&str>,
        at: Setting<'_>,
    ) -> Result<Option<Arc<dyn BlobStore>>, StartError> {
        let Some(url) = url else { return Ok(None) };
        let opened = self.back_end.blob_store(at.location(url)).await;
        let opened = opened.map_err(|error| StartError::at(error, at.origin, at.key))?;
        Ok(Some(opened))
    }

    pub(crate) async fn fallback_at(
        &self,
        url: Option<&str>,
        at: Setting<'_>,
    ) -> Result<Arc<dyn FallbackStore>, StartError> {
        let url = set(url, at, || {
            let form = self.back_end.forms().store;
            format!("set it to {form}, as for the program that takes the requests")
        })?;
        let opened = self.back_end.fallback(at.location(url)).await;
        opened.map_err(|error| StartError::at(error, at.origin, at.key))
    }

    async fn secrets(
        &self,
        config: &Config,
    ) -> VecDeque<Result<Box<dyn SecretSource>, ConfigError>> {
        let mut opened = VecDeque::new();
        let references = config.sources.iter().flat_map(|source| &source.secrets);
        for (reference, end) in references {
            let secret = self.secret(reference, *end, &config.origin, "secret");
            opened.push_back(secret.await);
        }
        opened
    }
}

/// The form of claim checks, and the store of what they refer to.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// The form.
    pub form: ClaimCheckForm,
    /// The setting that names the form.
    pub at: Setting<'a>,
    /// URL of the store.
    pub store: Option<&'a str>,
    /// The setting that names the store.
    pub store_at: Setting<'a>,
}

impl<'a> Claims<'a> {
    /// As `config` says.
    pub fn of(config: &'a Config, lookup: Lookup<'_>, cwd: &'a Path) -> Self {
        Self {
            form: config.claim_check,
            at: Setting::of(CLAIM_CHECK, config, lookup, cwd),
            store: config.blob_store.as_deref(),
            store_at: Setting::of(BLOB_STORE, config, lookup, cwd),
        }
    }

    /// The store of whole envelopes, if the form is one that has them.
    fn store_of_envelopes(&self) -> Result<Option<Location<'_>>, ConfigError> {
        if self.form == ClaimCheckForm::Dataref {
            return Ok(None);
        }
        let url = self.store.ok_or_else(|| {
            let key = self.store_at.key;
            ConfigError::new(
                self.at.origin,
                self.at.key,
                &format!(
                    "{} puts large envelopes into S3, and there is no blob store",
                    self.form.as_str()
                ),
                &format!("set {key} to s3://BUCKET/PREFIX, or remove {}", self.at.key),
            )
        })?;
        Ok(Some(self.store_at.location(url)))
    }
}

fn set<'u>(
    url: Option<&'u str>,
    at: Setting<'_>,
    cure: impl FnOnce() -> String,
) -> Result<&'u str, StartError> {
    let url = url.filter(|url| !url.is_empty());
    let error = || ConfigError::new(at.origin, at.key, "is not set", &cure());
    url.ok_or_else(|| error().into())
}

/// Cannot happen: each reference was opened.
fn nothing_left(config: &Config) -> ConfigError {
    ConfigError::new(
        &config.origin,
        "secret",
        "was not opened",
        "please report it: a bug",
    )
}
