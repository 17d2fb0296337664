//! Label Studio, the relay, and what one has to show the other.

use crate::connect::credential::Credential;
use crate::connect::facts::Id;
use crate::connect::http_options;
use crate::connect::kept_secret::KeptSecret;
use crate::connect::relay_url::RelayUrl;
use crate::connect::rotation::Rotatable;
use crate::connect::sections;
use crate::connect::state;
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::label_studio_access;
use crate::locations::QueueLocation;
use crate::open;
use crate::source_of_platform;
use labelrelay_core::Secret;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::{Management, Webhook, WebhookSettings};
use serde_json::Map;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Common {
    /// URL of Label Studio: `http://HOST:PORT` [default: `LABEL_STUDIO_URL`]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Reference to the token: `env:NAME`, `file:/path`, or a cloud's store [default: `env:LABEL_STUDIO_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    token: Option<SecretRef>,
    /// URL at which Label Studio reaches the relay; the source's path is added where it is missing
    /// [default: the configured `public_url`, else the `serve` that runs here]
    #[arg(long, value_name = "URL")]
    relay: Option<String>,
    /// Source to deliver to; needed when several are Label Studio's
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) struct Target {
    /// URL of Label Studio.
    pub(super) server: String,
    pub(super) management: Management,
    pub(super) relay: RelayUrl,
    /// Name of the source.
    pub(super) source: String,
    /// Projects that the configuration names; empty: all.
    pub(super) projects: Vec<u64>,
    /// `true` if `serve` pulls besides, by the configuration.
    pub(super) is_pulled: bool,
    /// Projects that it pulls then; empty: all.
    pulled_projects: Vec<String>,
    /// URL of the Label Studio that it pulls from then, if the section names it.
    pub(super) pulled_from: Option<String>,
    /// The command that mends what is wrong on the platform.
    pub(super) repair: String,
    /// The command that sends an event through the platform.
    pub(super) probe: String,
    /// The command that fetches what no delivery brought, and what is there already.
    pub(super) fetch: String,
    pub(super) credential: Credential,
    pub(super) rotatable: Rotatable,
    /// The secret that the credential shows.
    pub(super) secret: KeptSecret,
    /// The embedded queue, where that is the queue.
    pub(super) queue: Option<PathBuf>,
    /// Reference to the token.
    pub(super) token: SecretRef,
    /// The token itself, where nobody says where it is: it is in the usual variable of this shell.
    pub(super) unnamed_token: Option<Secret>,
    /// Origin of the configuration.
    pub(super) origin: String,
}

impl Common {
    /// No flags but these: all is as the configuration says, and the environment.
    pub(super) fn of(source: &SourceConfig, config: Option<&Path>, json: bool) -> Self {
        Self {
            source: Some(source.name.clone()),
            config: config.map(Path::to_owned),
            json,
            ..Self::default()
        }
    }

    /// Words that a command needs because the command line here had them: one of `connect`, and one of `pull`. Whatever
    /// else it needs, the configuration and the environment say.
    fn given(&self, server: &str) -> (String, String) {
        let url = self.url.as_ref().map(|_| server);
        let token = self.token.as_ref().map(ToString::to_string);
        let token = state::option("--token", token.as_deref());
        let relay = state::option("--relay", self.relay.as_deref());
        let first = url.map_or_else(String::new, |url| format!(" {}", state::as_word(url)));
        let pull = state::option("--url", url) + &token;
        ([first, token, relay].concat(), pull)
    }

    /// Finds everything; asks nobody yet.
    pub(super) async fn open(&self, env: &Env<'_>) -> Result<Target, CliError> {
        let config = find_configuration::find(env, self.config.as_deref(), Missing::Refuse)?.config;
        let source =
            source_of_platform::find(&config, Provider::LabelStudio, self.source.as_deref())?;
        self.open_in(&config, source, env).await
    }

    /// The same in a configuration that was read already.
    pub(super) async fn open_in(
        &self,
        config: &Config,
        source: &SourceConfig,
        env: &Env<'_>,
    ) -> Result<Target, CliError> {
        let url = sections::url(self.url.as_deref(), source);
        let server = label_studio_access::url(url, "http://HOST:PORT", env)?;
        let reference = sections::token(self.token.as_ref(), source);
        let token = label_studio_access::token(reference, env).await?;
        let unnamed_token = reference.is_none().then(|| token.clone());
        let relay = sections::relay(self.relay.as_deref(), source);
        let relay = RelayUrl::find(relay, config, source, env)?;
        let rotatable = Rotatable::new(config, source, &relay, env)?;
        let secret = KeptSecret::find(rotatable.reference(), env).await?;
        let credential = Credential::new(source, secret.secret())?;
        let management = Management::new(&server, token, http_options(env)?);
        let management = management.map_err(CliError::failed)?;
        let projects = sections::projects(source)
            .iter()
            .map(|id| id.parse::<u64>());
        let projects = projects.collect::<Result<Vec<_>, _>>().map_err(|_| {
            CliError::config("`projects` has an entry that is no project of Label Studio")
        })?;
        let queue = match open::queue_location(config, env) {
            Ok(QueueLocation::Sqlite(file)) => Some(file),
            _ => None,
        };
        let token = match label_studio_access::reference(reference) {
            SecretRef::File(path) => SecretRef::File(env.cwd().join(path)),
            other => other,
        };
        let options = state::options(config, source, self.config.as_deref());
        let (connect, pull) = self.given(&server);
        Ok(Target {
            server,
            management,
            relay,
            source: source.name.clone(),
            projects,
            is_pulled: source.pull.is_some(),
            pulled_from: source.pull.as_ref().and_then(|pull| pull.url.clone()),
            pulled_projects: sections::pulled_projects(source).to_vec(),
            repair: format!("labelrelay connect label-studio{connect} --repair{options}"),
            probe: format!("labelrelay connect label-studio{connect} --probe{options}"),
            fetch: format!("labelrelay pull label-studio{pull}{options}"),
            credential,
            rotatable,
            secret,
            queue,
            token,
            unnamed_token,
            origin: config.origin.clone(),
        })
    }
}

impl Target {
    /// Makes a webhook what it should be, with this credential.
    pub(super) async fn mend(
        &self,
        webhook: &Webhook,
        credential: &Credential,
    ) -> Result<Option<Id>, PlatformError> {
        let headers = credential.headers(&webhook.headers);
        let settings = WebhookSettings {
            url: credential.url(webhook, &self.relay.url),
            headers: &headers,
            sends_payload: credential.wanted.payload,
            sends_all_actions: credential.wanted.is_all_actions(),
            actions: credential.wanted.actions(&webhook.actions),
        };
        let updated = self.management.update_webhook(webhook.id, &settings).await;
        updated.map(|()| None)
    }

    /// Makes a webhook for a project; its id.
    pub(super) async fn make(&self, project: u64) -> Result<Option<Id>, PlatformError> {
        let wanted = &self.credential.wanted;
        let headers = self.credential.headers(&Map::new());
        let settings = WebhookSettings {
            url: &self.relay.url,
            headers: &headers,
            sends_payload: wanted.payload,
            sends_all_actions: wanted.is_all_actions(),
            actions: wanted.actions(&[]),
        };
        let made = self.management.make_webhook(project, &settings).await;
        made.map(|webhook| Some(Id::Number(webhook.id)))
    }

    /// Tells whether `serve` pulls the events of a project, by the configuration.
    pub(super) fn pulls(&self, project: &str) -> bool {
        let named = &self.pulled_projects;
        self.is_pulled && (named.is_empty() || named.iter().any(|one| one == project))
    }

    /// Tells whether a webhook delivers to the relay.
    pub(super) fn is_ours(&self, webhook: &Webhook) -> bool {
        self.relay.is(&webhook.url)
    }
}
