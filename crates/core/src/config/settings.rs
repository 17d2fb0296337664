//! The configuration as values, and what holds where nothing is configured.

use super::archive::ArchiveConfig;
use super::claim_check::ClaimCheckForm;
use super::error::ConfigError;
use super::pull::PullConfig;
use super::record::RecordConfig;
use super::secret_reference::SecretRef;
use super::spool::SpoolConfig;
use super::webhook::WebhookConfig;
use crate::address::Allowlist;
use crate::filter::Filter;
use crate::path::Segments;
use crate::provider::Provider;
use crate::signature::SecretHeader;
use bytes::Bytes;
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// Largest body that is taken when nothing is configured: 100 MiB, the most that any of the
/// platforms behind the adapters lets through.
pub const DEFAULT_MAX_BODY_BYTES: u64 = 100 * 1024 * 1024;

/// Bytes that all deliveries together may have in memory when nothing is configured: bodies, envelopes and
/// the copies that a queue makes of them.
pub const DEFAULT_BYTES_IN_FLIGHT: u64 = 256 * 1024 * 1024;

/// Deliveries that may be under way at once when nothing is configured: a few more than `serve` has
/// connections. Those of a dead queue outlive their connections, and are counted too.
pub const DEFAULT_IN_FLIGHT: u64 = 1024;

/// Connections that one address may have at once when nothing is configured. Label Studio opens one for
/// each delivery and closes it; a browser or a tunnel has a handful.
pub const DEFAULT_CONNECTIONS_PER_ADDRESS: usize = 256;

/// Label Studio hangs up 1.0 s after it sent a delivery and never tries again
/// (`WEBHOOK_TIMEOUT` of Label Studio 1.20 to 1.23).
pub const LABEL_STUDIO_ANSWER_BY: Duration = Duration::from_millis(800);

/// Labelbox documents no timeout; common ones are 10 s and more.
pub const LABELBOX_ANSWER_BY: Duration = Duration::from_secs(8);

/// Everything that was configured, checked as far as it can be without opening anything.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Origin, for messages: a file's path or `environment`.
    pub origin: String,
    /// Base of its relative paths.
    pub base_dir: PathBuf,
    /// URL of the queue; `None` when nothing says where events go.
    pub queue: Option<String>,
    /// URL of the store for claim checks.
    pub blob_store: Option<String>,
    /// Form of a claim check.
    pub claim_check: ClaimCheckForm,
    /// URL of the second place for events.
    pub fallback: Option<String>,
    /// URL of the store for traces of the events that the queue took.
    pub traces: Option<String>,
    /// Sources, in order.
    pub sources: Vec<SourceConfig>,
    /// Index of the source that owns every path that no other one owns.
    pub default_source: usize,
    /// Prefix that a proxy leaves in front of every path, such as `/hooks`.
    pub path_prefix: Option<String>,
    /// Bytes that all deliveries together may have in memory, as configured.
    pub bytes_in_flight: Option<u64>,
    /// Deliveries that may be under way at once, as configured.
    pub in_flight: Option<u64>,
    /// Settings of the spool.
    pub spool: SpoolConfig,
    /// Settings of `labelrelay serve`.
    pub serve: ServeConfig,
    /// Settings of the embedded queue.
    pub embedded_queue: EmbeddedQueueConfig,
    /// Settings of the archive, where there shall be one.
    pub archive: Option<ArchiveConfig>,
    /// Things that work but should not stay.
    pub warnings: Vec<String>,
}

/// One source, as configured.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Name and path.
    pub name: String,
    /// Platform.
    pub provider: Provider,
    /// References to live secrets, the newest first, each with its end.
    pub secrets: Vec<(SecretRef, Option<Timestamp>)>,
    /// Header of the secret, for platforms that sign nothing.
    pub header: Option<SecretHeader>,
    /// `true` if the relay answers the calls to an ML back end.
    pub ml_backend: bool,
    /// `true` if its events leave traces, where there is a store for them.
    pub traces: bool,
    /// Answer to Labelbox's question for models, a JSON object.
    pub models: Bytes,
    /// Addresses that may deliver.
    pub allow: Option<Allowlist>,
    /// Proxies in front that append to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Filter of the events that are forwarded.
    pub filter: Filter,
    /// An answer must be out this long after the request's arrival.
    pub answer_by: Duration,
    /// Largest body in bytes.
    pub max_body_bytes: u64,
    /// Settings by which `serve` fetches by itself what happened on the platform, if it shall.
    pub pull: Option<PullConfig>,
    /// Settings by which `labelrelay connect` makes the platform's webhooks, if they are configured.
    pub webhook: Option<WebhookConfig>,
}

/// Settings of `labelrelay serve`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeConfig {
    /// Address to listen on for deliveries.
    pub listen: Option<String>,
    /// Loopback address for metrics and reasons.
    pub admin_listen: Option<String>,
    /// The URL under which senders reach this relay.
    pub public_url: Option<String>,
    /// A body must be complete this long after the request's head.
    pub body_timeout: Option<Duration>,
    /// Connections that one address may have at once, as configured.
    pub connections_per_address: Option<usize>,
    /// Settings of the record of deliveries.
    pub record: RecordConfig,
}

/// Settings of the embedded queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbeddedQueueConfig {
    /// Within this time a second event with the same id is a repeat.
    pub repeat_window: Option<Duration>,
    /// Acknowledged events are kept this long.
    pub retain_acknowledged: Option<Duration>,
    /// A message that was received this often without being acknowledged becomes a dead letter.
    pub max_receives: Option<u32>,
    /// Largest size of the file and its journal together.
    pub max_bytes: Option<u64>,
    /// `true` if events that Label Studio leaves out are derived.
    pub derive: Option<bool>,
}

impl Config {
    /// Deliveries that may be under way at once.
    pub fn max_in_flight(&self) -> u64 {
        self.in_flight.unwrap_or(DEFAULT_IN_FLIGHT)
    }

    /// Prefixes of every path: the path of the URL that senders use, and the configured one.
    pub(crate) fn prefixes(&self) -> Vec<Segments<'static>> {
        let url = self.serve.public_url.as_deref();
        let uri = url.and_then(|url| url.parse::<http::Uri>().ok());
        let configured = self.path_prefix.as_deref().map(Segments::of);
        let of_url = uri.as_ref().map(|uri| Segments::of(uri.path()));
        let prefixes = configured.into_iter().chain(of_url);
        let prefixes = prefixes.filter(|prefix| !prefix.is_empty());
        prefixes.map(Segments::into_owned).collect()
    }

    /// Connections that one address may have at once: what is configured, or 256. No bound where a source
    /// has trusted proxies, unless one is configured: all connections come from the proxy then.
    pub fn max_connections_per_address(&self) -> Option<usize> {
        let is_behind_proxy = self.sources.iter().any(|source| source.trusted_proxies > 0);
        let default = (!is_behind_proxy).then_some(DEFAULT_CONNECTIONS_PER_ADDRESS);
        self.serve.connections_per_address.or(default)
    }

    /// Checks that need all settings together.
    pub(super) fn finish(mut self) -> Result<Self, ConfigError> {
        if self.sources.is_empty() {
            return Err(ConfigError::new(
                &self.origin,
                "source",
                "no source is configured",
                "add a [[source]] section, or set LABELBOX_WEBHOOK_SECRET or LABEL_STUDIO_WEBHOOK_SECRET",
            ));
        }
        for (index, source) in self.sources.iter().enumerate() {
            if self
                .sources
                .iter()
                .take(index)
                .any(|earlier| earlier.name == source.name)
            {
                return Err(ConfigError::new(
                    &self.origin,
                    "source.name",
                    &format!("two sources are called `{}`", source.name),
                    "give each source a name of its own: it is the path that the platform delivers to",
                ));
            }
            if source.secrets.iter().skip(1).any(|(_, end)| end.is_none()) {
                self.warnings.push(format!(
                    "source `{}`: a previous secret has no end; set `previous_until` so that it stops being accepted",
                    source.name
                ));
            }
        }
        if self.traces.is_some() && self.traces == self.fallback {
            return Err(ConfigError::new(
                &self.origin,
                "traces",
                "traces and fallback are one place, where a redrive takes traces for events",
                "give `traces` (LABELRELAY_TRACES) a place of its own, such as s3://bucket/traces",
            ));
        }
        Ok(self)
    }
}
