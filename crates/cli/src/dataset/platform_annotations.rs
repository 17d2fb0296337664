//! The platform's annotations as they are now, read through its API into a state of their own.

use crate::connect::sections;
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::label_studio_access;
use crate::labelbox_access;
use crate::platform_http;
use crate::source_of_platform;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_core::{BoxFuture, Clock, OutboundMessage, QueueLimits};
use labelrelay_dataset::{DatasetError, Scope, Store};
use labelrelay_event::Event;
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::labelbox::{ENDPOINT, Labelbox};
use labelrelay_reconcile::{
    LiveEvent, NoProgress, Platform, PlatformError, Reconcile, SendOutcome, Sink, SinkError,
};
use labelrelay_startup::SystemClock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

#[derive(Debug, clap::Args)]
pub(super) struct PlatformArgs {
    /// URL of Label Studio: `http://HOST:PORT` [default: `LABEL_STUDIO_URL`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Reference to the token: `env:NAME`, `file:/path`, or a cloud's store [default: `env:LABEL_STUDIO_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    token: Option<SecretRef>,
    /// URL of Labelbox's API [default: the configured one, else its own]
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "token"])]
    endpoint: Option<String>,
    /// Reference to Labelbox's API key [default: `env:LABELBOX_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line, conflicts_with_all = ["url", "token"])]
    key: Option<SecretRef>,
    /// Look at this project only; can be given several times [default: all that the token sees]
    #[arg(long, value_name = "ID")]
    project: Vec<String>,
    /// The configured source of these events; needed when several are of this platform
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Annotations of the platform when it was asked.
pub(super) struct PlatformAnnotations {
    pub(super) store: Store,
    pub(super) at: jiff::Timestamp,
    pub(super) scope: Scope,
    /// The platform's name.
    pub(super) platform: &'static str,
    /// What it does not show is gone.
    pub(super) lists_all: bool,
    /// Keeps the state's directory.
    _dir: TempDir,
}

/// The platform to ask, as a configured source.
struct Asked<'c> {
    source: &'c SourceConfig,
    platform: Arc<dyn Platform>,
    /// Where it is.
    url: String,
}

impl PlatformArgs {
    /// Reads everything that the platform shows.
    pub(super) fn read(&self, env: &Env<'_>) -> Result<PlatformAnnotations, CliError> {
        let config = find_configuration::find(env, self.config.as_deref(), Missing::Refuse)?.config;
        let runtime = crate::runtime::full()?;
        let provider = self.provider(&config)?;
        let asked = if provider == Provider::Labelbox {
            runtime.block_on(self.labelbox(&config, env))?
        } else {
            runtime.block_on(self.label_studio(&config, env))?
        };
        // Of what the token does not see, nobody may say that it is gone.
        let projects = runtime.block_on(asked.platform.projects());
        let projects = projects.map_err(of_projects)?;
        if projects.is_empty() {
            return Err(CliError::failed(format_args!(
                "{} shows no project: give the token its rights, or name a project that is there with --project ID",
                name_of(provider)
            )));
        }
        let dir = TempDir::new()?;
        let Asked {
            source,
            platform,
            url,
        } = asked;
        // A ledger that knows nothing: everything counts as missed.
        let mut ledger = LedgerFile::open(&dir.path().join("ledger.db"), &source.name, &url)?;
        let clock = SystemClock::new();
        let at = clock.now();
        let mut sink = Folding {
            store: Store::open(dir.path().join("found"))?,
        };
        let lists_all = platform.lists_unchanged();
        let mut reconcile = Reconcile {
            source,
            platform,
            ledger: &mut ledger,
            sink: &mut sink,
            progress: &NoProgress,
            clock: &clock,
            overlap: Duration::ZERO,
            begin: None,
            full: false,
            deleted_projects: &[],
        };
        let summary = runtime.block_on(reconcile.run())?;
        drop(ledger);
        if summary.passed_over > 0 || summary.refused > 0 {
            return Err(CliError::failed(format_args!(
                "{} things were not read, because source `{}` does not forward them or they have no form that is known; so nothing can be compared",
                summary.passed_over + summary.refused,
                source.name
            )));
        }
        Ok(PlatformAnnotations {
            store: sink.store,
            at,
            scope: Scope {
                source: format!("/{}", source.name),
                projects: projects.into_iter().map(|project| project.id).collect(),
            },
            platform: name_of(provider),
            lists_all,
            _dir: dir,
        })
    }

    /// The platform of the source that is named, else the one whose options are given, else the only one that is configured,
    /// else Label Studio.
    fn provider(&self, config: &Config) -> Result<Provider, CliError> {
        let (of_labelbox, of_label_studio) = (
            self.key.is_some() || self.endpoint.is_some(),
            self.url.is_some() || self.token.is_some(),
        );
        let named = self.source.as_deref();
        let named = named.and_then(|name| config.sources.iter().find(|it| it.name == *name));
        let is_labelbox = match named {
            Some(source) => source.provider == Provider::Labelbox,
            None if of_labelbox || of_label_studio => of_labelbox,
            None => {
                let mut sources = config.sources.iter();
                !config.sources.is_empty() && sources.all(|it| it.provider == Provider::Labelbox)
            }
        };
        match (is_labelbox, of_labelbox, of_label_studio) {
            (true, _, true) => Err(CliError::usage(
                "the source is of Labelbox: --url and --token are for Label Studio; Labelbox takes --endpoint and --key",
            )),
            (false, true, _) => Err(CliError::usage(
                "the source is of Label Studio: --endpoint and --key are for Labelbox; Label Studio takes --url and --token",
            )),
            (true, _, false) => Ok(Provider::Labelbox),
            (false, false, _) => Ok(Provider::LabelStudio),
        }
    }

    async fn label_studio<'c>(
        &self,
        config: &'c Config,
        env: &Env<'_>,
    ) -> Result<Asked<'c>, CliError> {
        let url = label_studio_access::url(self.url.as_deref(), "--url http://HOST:PORT", env)?;
        let source =
            source_of_platform::find(config, Provider::LabelStudio, self.source.as_deref())?;
        let token = label_studio_access::token(self.token.as_ref(), env).await?;
        let options = platform_http::options(platform_http::proxies(env)?);
        let platform = LabelStudio::new(&url, token, self.project.clone(), options);
        Ok(Asked {
            source,
            platform: Arc::new(platform.map_err(CliError::failed)?),
            url,
        })
    }

    async fn labelbox<'c>(&self, config: &'c Config, env: &Env<'_>) -> Result<Asked<'c>, CliError> {
        let source = source_of_platform::find(config, Provider::Labelbox, self.source.as_deref())?;
        let endpoint = sections::url(self.endpoint.as_deref(), source).unwrap_or(ENDPOINT);
        let endpoint = labelbox_access::endpoint(endpoint)?;
        let key = sections::token(self.key.as_ref(), source);
        let key = labelbox_access::key(key, env).await?;
        let options = platform_http::options(platform_http::proxies(env)?);
        let platform = Labelbox::new(endpoint, key, self.project.clone(), options);
        Ok(Asked {
            source,
            platform: Arc::new(platform.map_err(CliError::failed)?),
            url: endpoint.to_owned(),
        })
    }
}

/// What a pull could do about a project that is gone is not to be done here.
fn of_projects(error: PlatformError) -> CliError {
    match &error.unseen_project {
        Some(id) => CliError::failed(format_args!(
            "project {id} is gone, or the token does not see it: leave out --project {id}, or give the token the right to see it"
        )),
        None => CliError::failed(error),
    }
}

fn name_of(provider: Provider) -> &'static str {
    if provider == Provider::Labelbox {
        "Labelbox"
    } else {
        "Label Studio"
    }
}

/// Takes what is found into a state.
struct Folding {
    store: Store,
}

impl Sink for Folding {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(u64::MAX)
    }

    fn events_after(&self, _: u64, _: usize) -> Result<Vec<LiveEvent>, SinkError> {
        Ok(Vec::new())
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let taken = self.take(messages);
        Box::pin(std::future::ready(taken))
    }
}

impl Folding {
    fn take(&mut self, messages: &[OutboundMessage]) -> Result<Vec<SendOutcome>, SinkError> {
        let events = messages.iter().map(|message| Event::parse(&message.body));
        let folded = self.store.fold(events);
        let folded = folded.map_err(|error: DatasetError| SinkError::new(error.to_string()))?;
        let outcome = |verdict: Result<(), labelrelay_dataset::Unreadable>| match verdict {
            Ok(()) => SendOutcome::New,
            Err(cause) => SendOutcome::Refused(cause.to_string()),
        };
        Ok(folded.into_iter().map(outcome).collect())
    }
}
