//! Labelbox, the relay, and the secret that the one signs with and the other checks.

use crate::connect::facts::Id;
use crate::connect::http_options;
use crate::connect::kept_secret::KeptSecret;
use crate::connect::relay_url::RelayUrl;
use crate::connect::report::Problem;
use crate::connect::rotation::Rotatable;
use crate::connect::sections;
use crate::connect::state;
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::labelbox_access;
use crate::locations::QueueLocation;
use crate::open;
use crate::serve::Reach;
use crate::source_of_platform;
use labelrelay_core::Secret;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::labelbox::{
    ENDPOINT, Management, Status, Webhook, WebhookChange, WebhookSettings,
};
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Common {
    /// Reference to the API key: `env:NAME`, `file:/path`, or a cloud's store, such as `gcp-secretmanager:NAME`
    /// [default: `env:LABELBOX_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    key: Option<SecretRef>,
    /// URL of Labelbox's GraphQL API [default: `https://api.labelbox.com/graphql`]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// URL at which Labelbox reaches the relay, with https://; the source's path is added where it is missing
    /// [default: the configured `public_url`]
    #[arg(long, value_name = "URL")]
    relay: Option<String>,
    /// The configured source to deliver to; needed when several are Labelbox's
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
    /// Endpoint of Labelbox's API.
    pub(super) server: String,
    pub(super) management: Management,
    pub(super) relay: RelayUrl,
    /// Name of the source.
    pub(super) source: String,
    /// Projects and topics that the configuration names; empty: all.
    pub(super) projects: Vec<String>,
    pub(super) topics: Vec<String>,
    /// The command that mends what is wrong on the platform.
    pub(super) repair: String,
    /// The command that mends it, with the words that the command line here had.
    pub(super) again: String,
    /// The command that fetches what is there already.
    pub(super) fetch: String,
    /// `true` if `serve` pulls besides, by the configuration.
    pub(super) is_pulled: bool,
    /// Projects that it pulls then; empty: all.
    pulled_projects: Vec<String>,
    /// Endpoint that it pulls from then.
    pub(super) pulled_from: String,
    /// The embedded queue, where that is the queue.
    pub(super) queue: Option<PathBuf>,
    /// Reference to the API key.
    pub(super) key: SecretRef,
    /// The key itself, where nobody says where it is: it is in the usual variable of this shell.
    pub(super) unnamed_key: Option<Secret>,
    /// Origin of the configuration.
    pub(super) origin: String,
    pub(super) rotatable: Rotatable,
    /// The secret that the webhooks get.
    pub(super) secret: KeptSecret,
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

    /// Finds everything; asks nobody yet.
    pub(super) async fn open(&self, env: &Env<'_>) -> Result<Target, CliError> {
        let config = find_configuration::find(env, self.config.as_deref(), Missing::Refuse)?.config;
        let source = source_of_platform::find(&config, Provider::Labelbox, self.source.as_deref())?;
        self.open_in(&config, source, env).await
    }

    /// The same in a configuration that was read already.
    pub(super) async fn open_in(
        &self,
        config: &Config,
        source: &SourceConfig,
        env: &Env<'_>,
    ) -> Result<Target, CliError> {
        let endpoint = sections::url(self.endpoint.as_deref(), source).unwrap_or(ENDPOINT);
        let server = labelbox_access::endpoint(endpoint)?.to_owned();
        let reference = sections::token(self.key.as_ref(), source);
        let key = labelbox_access::key(reference, env).await?;
        let unnamed_key = reference.is_none().then(|| key.clone());
        let reference = match labelbox_access::reference(reference) {
            SecretRef::File(path) => SecretRef::File(env.cwd().join(path)),
            other => other,
        };
        let relay = sections::relay(self.relay.as_deref(), source);
        let relay = RelayUrl::find(relay, config, source, env)?;
        let rotatable = Rotatable::new(config, source, &relay, env)?;
        let secret = KeptSecret::find(rotatable.reference(), env).await?;
        text(secret.secret())?;
        let management = Management::new(&server, key, http_options(env)?);
        let options = state::options(config, source, self.config.as_deref());
        let key = self.key.as_ref().map(ToString::to_string);
        let given = state::option("--endpoint", self.endpoint.as_deref())
            + &state::option("--key", key.as_deref());
        let at = state::option("--relay", self.relay.as_deref());
        let pulled_from = source.pull.as_ref().and_then(|pull| pull.url.clone());
        let queue = match open::queue_location(config, env) {
            Ok(QueueLocation::Sqlite(file)) => Some(file),
            _ => None,
        };
        Ok(Target {
            server,
            management: management.map_err(CliError::failed)?,
            relay,
            source: source.name.clone(),
            projects: sections::projects(source).to_vec(),
            topics: sections::topics(source).to_vec(),
            repair: format!("labelrelay connect labelbox --repair{options}"),
            again: format!("labelrelay connect labelbox --repair{at}{given}{options}"),
            fetch: format!("labelrelay pull labelbox{given}{options}"),
            is_pulled: source.pull.is_some(),
            pulled_projects: sections::pulled_projects(source).to_vec(),
            pulled_from: pulled_from.unwrap_or_else(|| ENDPOINT.to_owned()),
            queue,
            key: reference,
            unnamed_key,
            origin: config.origin.clone(),
            rotatable,
            secret,
        })
    }
}

impl Target {
    /// Tells whether a webhook delivers to the relay.
    pub(super) fn is_ours(&self, webhook: &Webhook) -> bool {
        self.relay.is(&webhook.url)
    }

    /// Why Labelbox can deliver nothing to the relay's URL, as far as it shows.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let url = &self.relay.url;
        match self.relay.reach() {
            Some(Reach::Public) if self.relay.is_https() => None,
            Some(Reach::Public) => Some(Refusal {
                why: format!("Labelbox delivers over HTTPS only, and {url} is not https://"),
                may_be_a_slip: true,
            }),
            _ => Some(Refusal {
                why: format!("Labelbox cannot reach {url}: its host is not a public one"),
                may_be_a_slip: false,
            }),
        }
    }

    /// Checks that Labelbox can deliver to the relay's URL, as far as it shows.
    pub(super) fn is_deliverable(&self) -> Result<(), Problem> {
        match self.refusal() {
            None => Ok(()),
            Some(refusal) => Err(Problem::Step(refusal.with_pull())),
        }
    }

    /// Tells whether `serve` pulls the labels of a project, or of the organization, by the configuration.
    pub(super) fn pulls(&self, project: Option<&str>) -> bool {
        let named = &self.pulled_projects;
        let is_named = project.is_some_and(|id| named.iter().any(|one| one == id));
        self.is_pulled && (named.is_empty() || is_named)
    }

    /// Makes a webhook; its id.
    pub(super) async fn make(
        &self,
        project: Option<&str>,
        topics: &[String],
        secret: Option<&Secret>,
        known: &[Webhook],
    ) -> Result<Option<Id>, PlatformError> {
        let secret = text(secret.unwrap_or_else(|| self.secret.secret()));
        let settings = WebhookSettings {
            project,
            url: &self.relay.url,
            topics,
            secret: secret.map_err(|_| PlatformError::permanent("the secret is no text"))?,
        };
        let made = self.management.make_webhook(&settings, known).await;
        made.map(|webhook| Some(Id::Text(webhook.id)))
    }

    pub(super) async fn change(
        &self,
        id: &str,
        change: WebhookChange<'_>,
    ) -> Result<Option<Id>, PlatformError> {
        let changed = self.management.update_webhook(id, &change).await;
        changed.map(|()| None)
    }

    /// Ends a webhook. Labelbox deletes none, so it also gets a URL that is not the relay's: its secret may be an old
    /// one, and it must not come back.
    pub(super) async fn end(&self, id: &str) -> Result<Option<Id>, PlatformError> {
        let ended = self.relay.ended();
        let change = WebhookChange {
            url: Some(&ended),
            status: Some(Status::Inactive),
            ..WebhookChange::default()
        };
        self.change(id, change).await
    }
}

/// A URL that Labelbox cannot deliver to.
pub(super) struct Refusal {
    why: String,
    /// It is no URL of a laptop, but one that somebody may have written wrongly.
    pub(super) may_be_a_slip: bool,
}

impl Refusal {
    /// The same, with the way to have labels without any webhook.
    pub(super) fn with_pull(&self) -> String {
        format!(
            "{self}. Without any webhook, `labelrelay pull labelbox --every 15m` brings the labels"
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}. Give --relay https://HOST, the address of a tunnel or of a proxy in front of `serve`, or set `public_url`",
            self.why
        )
    }
}

/// A secret as a text that Labelbox can be given.
fn text(secret: &Secret) -> Result<&str, CliError> {
    let text = std::str::from_utf8(secret.expose()).ok();
    text.filter(|text| !text.contains(char::is_control))
        .ok_or_else(|| {
            CliError::config(format_args!(
                "{}: the secret holds what Labelbox cannot be given as text; make one of letters and digits, put it there, and run this again",
                secret.name()
            ))
        })
}
