//! Configuration: one TOML file, or nothing but environment variables. Parsed from text and an
//! injected lookup; this module reads neither files nor the environment.

mod archive;
mod claim_check;
mod duration;
mod environment;
mod error;
mod file;
mod known_variables;
mod pull;
mod pull_variables;
mod record;
mod secret_reference;
mod settings;
mod source_name;
mod source_table;
mod spool;
mod telemetry_variables;
#[cfg(test)]
mod tests;
mod value_checks;
mod variables;
mod webhook;

pub use archive::ArchiveConfig;
pub use claim_check::ClaimCheckForm;
pub use duration::parse_duration;
pub use error::{ConfigError, ENVIRONMENT};
pub use known_variables::{KNOWN_VARIABLES, misspelt};
pub use pull::{DEFAULT_OVERLAP, PullConfig};
pub use record::RecordConfig;
pub use secret_reference::SecretRef;
pub use settings::{
    Config, DEFAULT_BYTES_IN_FLIGHT, DEFAULT_CONNECTIONS_PER_ADDRESS, DEFAULT_IN_FLIGHT,
    DEFAULT_MAX_BODY_BYTES, EmbeddedQueueConfig, LABEL_STUDIO_ANSWER_BY, LABELBOX_ANSWER_BY,
    ServeConfig, SourceConfig,
};
pub(crate) use source_name::is_name;
pub use spool::{DEFAULT_SPOOL_BYTES, DEFAULT_SPOOL_THRESHOLD, SpoolConfig};
pub use telemetry_variables::{TELEMETRY_LEFT_OUT, telemetry_asked_by};
pub use variables::{Environment, Lookup, Variables};
pub use webhook::WebhookConfig;
