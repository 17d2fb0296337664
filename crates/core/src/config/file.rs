//! The TOML file.

use super::archive::Archive;
use super::claim_check::ClaimCheckForm;
use super::environment::{apply, has_secret, sources as environment_sources};
use super::error::ConfigError;
use super::record::Record;
use super::secret_reference::SecretRef;
use super::settings::{Config, EmbeddedQueueConfig, ServeConfig, SourceConfig};
use super::source_table::{self, Defaults, SourceTable};
use super::spool::Spool;
use super::value_checks::{not_empty, path_prefix, positive, queue_bytes};
use super::variables::Lookup;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    queue: Option<String>,
    blob_store: Option<String>,
    claim_check: Option<String>,
    fallback: Option<String>,
    traces: Option<String>,
    max_body_bytes: Option<u64>,
    max_bytes_in_flight: Option<u64>,
    max_in_flight: Option<u64>,
    queue_max_bytes: Option<u64>,
    deadline_ms: Option<u64>,
    path_prefix: Option<String>,
    #[serde(default)]
    serve: Serve,
    #[serde(default)]
    spool: Spool,
    #[serde(default)]
    embedded_queue: EmbeddedQueue,
    archive: Option<Archive>,
    #[serde(default)]
    source: Vec<SourceTable>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Serve {
    listen: Option<String>,
    admin_listen: Option<String>,
    public_url: Option<String>,
    body_timeout_ms: Option<u64>,
    max_connections_per_address: Option<usize>,
    #[serde(default)]
    record: Record,
}

impl Serve {
    fn checked(self, origin: &str) -> Result<ServeConfig, ConfigError> {
        let setting = |key: &str, value: Option<String>| {
            value.map(|value| not_empty(origin, key, value)).transpose()
        };
        Ok(ServeConfig {
            listen: setting("serve.listen", self.listen)?,
            admin_listen: setting("serve.admin_listen", self.admin_listen)?,
            public_url: setting("serve.public_url", self.public_url)?,
            body_timeout: self
                .body_timeout_ms
                .map(|ms| positive(origin, "serve.body_timeout_ms", ms).map(Duration::from_millis))
                .transpose()?,
            connections_per_address: self
                .max_connections_per_address
                .map(|most| positive(origin, "serve.max_connections_per_address", most))
                .transpose()?,
            record: self.record.checked(origin)?,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct EmbeddedQueue {
    repeat_window_s: Option<u64>,
    retain_acknowledged_s: Option<u64>,
    max_receives: Option<u32>,
    derive: Option<bool>,
}

impl Config {
    /// Reads the text of a configuration file called `origin`. Single settings of the environment
    /// win over the file's.
    ///
    /// ```
    /// use labelrelay_core::config::{Config, Environment};
    ///
    /// let text = r#"
    ///     queue = "sqlite:queue.db"
    ///     [[source]]
    ///     name = "labelbox"
    ///     provider = "labelbox"
    ///     secret = "env:LABELBOX_SECRET"
    /// "#;
    /// let environment: Environment = [("LABELBOX_SECRET", "a secret")].into_iter().collect();
    /// let read = |text: &str| Config::from_toml(text, "labelrelay.toml", "/etc".into(), &environment);
    /// assert_eq!(read(text).unwrap().sources[0].name, "labelbox");
    ///
    /// let error = read(&text.replace("provider", "platform")).unwrap_err();
    /// assert!(error.to_string().contains("labelrelay.toml"), "{error}");
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the key and the cure.
    pub fn from_toml(
        text: &str,
        origin: &str,
        base_dir: PathBuf,
        lookup: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        Ok(read(text, origin, base_dir, lookup)?.warn_of_misspelt(lookup))
    }
}

fn read(
    text: &str,
    origin: &str,
    base_dir: PathBuf,
    lookup: Lookup<'_>,
) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| parse_error(&error, text, origin))?;
    let defaults = Defaults {
        max_body_bytes: file.max_body_bytes,
        deadline_ms: file.deadline_ms,
    };
    let mut warnings = Vec::new();
    let mut default_source = None;
    let mut sources = Vec::with_capacity(file.source.len());
    for (index, table) in file.source.into_iter().enumerate() {
        if table.default && default_source.replace(index).is_some() {
            return Err(ConfigError::new(
                origin,
                "source.default",
                "two sources are the default",
                "keep `default = true` in one of them",
            ));
        }
        sources.push(source_table::read(
            table,
            &defaults,
            origin,
            &base_dir,
            &mut warnings,
        )?);
    }
    if sources.is_empty() {
        sources = environment_sources(lookup, &mut warnings)?;
    } else {
        let mentions = |name: &str| {
            sources.iter().any(|s: &SourceConfig| {
                s.secrets
                    .iter()
                    .any(|(r, _)| *r == SecretRef::Env(name.to_owned()))
            })
        };
        for variable in ["LABELBOX_WEBHOOK_SECRET", "LABEL_STUDIO_WEBHOOK_SECRET"] {
            if has_secret(lookup, variable) && !mentions(variable) {
                warnings.push(format!(
                    "{variable} is set but not used: {origin} has sources of its own"
                ));
            }
        }
    }
    let setting = |key: &str, value: Option<String>| {
        value.map(|value| not_empty(origin, key, value)).transpose()
    };
    let mut config = Config {
        origin: origin.to_owned(),
        queue: setting("queue", file.queue)?,
        blob_store: setting("blob_store", file.blob_store)?,
        claim_check: file
            .claim_check
            .map(|word| ClaimCheckForm::read(origin, "claim_check", &word))
            .transpose()?
            .unwrap_or_default(),
        fallback: setting("fallback", file.fallback)?,
        traces: setting("traces", file.traces)?,
        base_dir,
        sources,
        default_source: default_source.unwrap_or(0),
        path_prefix: file
            .path_prefix
            .map(|prefix| path_prefix(origin, "path_prefix", prefix))
            .transpose()?,
        bytes_in_flight: file
            .max_bytes_in_flight
            .map(|bytes| positive(origin, "max_bytes_in_flight", bytes))
            .transpose()?,
        in_flight: file
            .max_in_flight
            .map(|deliveries| positive(origin, "max_in_flight", deliveries))
            .transpose()?,
        spool: file.spool.checked(origin)?,
        serve: file.serve.checked(origin)?,
        embedded_queue: EmbeddedQueueConfig {
            repeat_window: file.embedded_queue.repeat_window_s.map(Duration::from_secs),
            retain_acknowledged: file
                .embedded_queue
                .retain_acknowledged_s
                .map(Duration::from_secs),
            max_receives: file
                .embedded_queue
                .max_receives
                .map(|n| positive(origin, "embedded_queue.max_receives", n))
                .transpose()?,
            derive: file.embedded_queue.derive,
            max_bytes: file
                .queue_max_bytes
                .map(|bytes| queue_bytes(origin, "queue_max_bytes", bytes))
                .transpose()?,
        },
        archive: file
            .archive
            .map(|archive| archive.checked(origin))
            .transpose()?,
        warnings,
    };
    apply(&mut config, lookup)?;
    config.finish()
}

/// Line and message of a TOML error; not the line's text, which may hold what should not be logged.
fn parse_error(error: &toml::de::Error, text: &str, origin: &str) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let origin = format!("{origin}, line {number}");
    let message = error.message();
    let quoted = message.split('`').nth(1);
    if message.starts_with("unknown field") {
        let cure = "correct the spelling or remove it";
        return ConfigError::new(&origin, quoted.unwrap_or_default(), message, cure);
    }
    if message.starts_with("missing field") {
        let cure = "add it to the section that starts there";
        return ConfigError::new(&origin, quoted.unwrap_or_default(), message, cure);
    }
    // The part left of the equals sign; the message itself may quote the value, which may be secret.
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim());
    let key = key.filter(|key| !key.is_empty()).unwrap_or("file");
    let (problem, cure) = if message.starts_with("invalid") || message.contains("untagged") {
        let expected = message
            .split_once("expected ")
            .map(|(_, expected)| expected);
        let kind = match expected {
            Some("u64" | "u32" | "u16" | "usize") if key.ends_with("_bytes") => {
                "a number of bytes, 0 or more"
            }
            Some("u64" | "u32" | "u16" | "usize") => "a whole number, 0 or more",
            Some(kind) => kind,
            None => "a value of another kind",
        };
        (
            "is not of the kind that this key takes",
            format!("give it {kind}"),
        )
    } else {
        (message, "correct the TOML of this line".to_owned())
    };
    ConfigError::new(&origin, key, problem, &cure)
}
