//! The common case: nothing but environment variables.

use super::claim_check::ClaimCheckForm;
use super::error::{ConfigError, ENVIRONMENT as ORIGIN};
use super::pull_variables;
use super::secret_reference::SecretRef;
use super::settings::{
    Config, DEFAULT_MAX_BODY_BYTES, EmbeddedQueueConfig, LABEL_STUDIO_ANSWER_BY,
    LABELBOX_ANSWER_BY, ServeConfig, SourceConfig,
};
use super::spool::SpoolConfig;
use super::value_checks::{number, parse_header, parse_time, path_prefix, queue_bytes};
use super::variables::Lookup;
use crate::filter::Filter;
use crate::provider::Provider;
use crate::signature::SecretHeader;
use bytes::Bytes;
use std::path::PathBuf;
use std::time::Duration;

const LABELBOX: &str = "LABELBOX_WEBHOOK_SECRET";
const LABEL_STUDIO: &str = "LABEL_STUDIO_WEBHOOK_SECRET";
const CLAIM_CHECK: &str = "LABELRELAY_CLAIM_CHECK";
const PATH_PREFIX: &str = "LABELRELAY_PATH_PREFIX";
const LABEL_STUDIO_HEADER: &str = "LABEL_STUDIO_WEBHOOK_HEADER";

impl Config {
    /// Takes everything from environment variables. `None` when none of them names a secret.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the cure.
    pub fn from_environment(
        base_dir: PathBuf,
        lookup: Lookup<'_>,
    ) -> Result<Option<Self>, ConfigError> {
        Ok(read(base_dir, lookup)?.map(|config| config.warn_of_misspelt(lookup)))
    }
}

fn read(base_dir: PathBuf, lookup: Lookup<'_>) -> Result<Option<Config>, ConfigError> {
    let mut warnings = Vec::new();
    let sources = sources(lookup, &mut warnings)?;
    if sources.is_empty() {
        return match is_nothing(lookup) {
            None => Ok(None),
            // A secret was to be there: another configuration would not have it.
            Some(variable) => Err(ConfigError::new(
                ORIGIN,
                variable,
                "is set to nothing",
                "give it the webhook's secret, or unset it",
            )),
        };
    }
    let mut config = Config {
        origin: ORIGIN.to_owned(),
        base_dir,
        queue: None,
        blob_store: None,
        claim_check: ClaimCheckForm::default(),
        fallback: None,
        traces: None,
        sources,
        default_source: 0,
        path_prefix: None,
        bytes_in_flight: None,
        in_flight: None,
        spool: SpoolConfig::default(),
        serve: ServeConfig::default(),
        embedded_queue: EmbeddedQueueConfig::default(),
        archive: None,
        warnings,
    };
    apply(&mut config, lookup)?;
    config.finish().map(Some)
}

/// The first variable for a secret that is set to nothing.
fn is_nothing(lookup: Lookup<'_>) -> Option<&'static str> {
    [LABELBOX, LABEL_STUDIO].into_iter().find(|variable| {
        lookup
            .secret(variable)
            .is_some_and(|value| value.is_empty())
    })
}

/// Tells whether a secret is there. An empty one is none: it would verify what everybody can make.
pub(super) fn has_secret(lookup: Lookup<'_>, variable: &str) -> bool {
    lookup
        .secret(variable)
        .is_some_and(|value| !value.is_empty())
}

/// The sources `labelbox` and `label-studio`, each if its variable is set.
pub(super) fn sources(
    lookup: Lookup<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<SourceConfig>, ConfigError> {
    let mut sources = Vec::new();
    for (provider, variable, answer_by) in [
        (Provider::Labelbox, LABELBOX, LABELBOX_ANSWER_BY),
        (Provider::LabelStudio, LABEL_STUDIO, LABEL_STUDIO_ANSWER_BY),
    ] {
        let previous = format!("{variable}_PREVIOUS");
        if !has_secret(lookup, variable) {
            if has_secret(lookup, &previous) {
                return Err(ConfigError::new(
                    ORIGIN,
                    &previous,
                    "there is a previous secret but no current one",
                    &format!("set {variable} as well"),
                ));
            }
            if lookup.secret(variable).is_some() {
                warnings.push(format!(
                    "{variable} is set to nothing, which counts as not set: there is no source `{}`",
                    provider.as_str()
                ));
            }
            continue;
        }
        let mut secrets = vec![(SecretRef::Env(variable.to_owned()), None)];
        if has_secret(lookup, &previous) {
            let until = format!("{previous}_UNTIL");
            let end = lookup
                .text(&until)?
                .map(|text| parse_time(ORIGIN, &until, &text))
                .transpose()?;
            secrets.push((SecretRef::Env(previous), end));
        }
        let header = match provider {
            Provider::Labelbox => None,
            Provider::LabelStudio => Some(match lookup.text(LABEL_STUDIO_HEADER)? {
                Some(name) => parse_header(ORIGIN, LABEL_STUDIO_HEADER, &name)?,
                None => SecretHeader::Authorization,
            }),
        };
        sources.push(SourceConfig {
            name: provider.as_str().to_owned(),
            provider,
            secrets,
            header,
            ml_backend: false,
            traces: true,
            models: Bytes::from_static(b"{}"),
            allow: None,
            trusted_proxies: 0,
            filter: Filter::default(),
            answer_by,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            pull: None,
            webhook: None,
        });
    }
    Ok(sources)
}

/// Settings of the environment that win over a file's.
pub(super) fn apply(config: &mut Config, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    for (variable, place) in [
        ("LABELRELAY_QUEUE", &mut config.queue),
        ("LABELRELAY_BLOB_STORE", &mut config.blob_store),
        ("LABELRELAY_FALLBACK", &mut config.fallback),
        ("LABELRELAY_TRACES", &mut config.traces),
        ("LABELRELAY_LISTEN", &mut config.serve.listen),
        ("LABELRELAY_ADMIN_LISTEN", &mut config.serve.admin_listen),
        ("LABELRELAY_PUBLIC_URL", &mut config.serve.public_url),
    ] {
        if let Some(value) = lookup.text(variable)? {
            *place = Some(value);
        }
    }
    if let Some(word) = lookup.text(CLAIM_CHECK)? {
        config.claim_check = ClaimCheckForm::read(ORIGIN, CLAIM_CHECK, &word)?;
    }
    if let Some(prefix) = lookup.text(PATH_PREFIX)? {
        config.path_prefix = Some(path_prefix(ORIGIN, PATH_PREFIX, prefix)?);
    }
    if let Some(bytes) = number(lookup, "LABELRELAY_MAX_BODY_BYTES")? {
        config
            .sources
            .iter_mut()
            .for_each(|source| source.max_body_bytes = bytes);
    }
    if let Some(bytes) = number(lookup, "LABELRELAY_MAX_BYTES_IN_FLIGHT")? {
        config.bytes_in_flight = Some(bytes);
    }
    if let Some(deliveries) = number(lookup, "LABELRELAY_MAX_IN_FLIGHT")? {
        config.in_flight = Some(deliveries);
    }
    if let Some(bytes) = number(lookup, "LABELRELAY_QUEUE_MAX_BYTES")? {
        let bytes = queue_bytes(ORIGIN, "LABELRELAY_QUEUE_MAX_BYTES", bytes)?;
        config.embedded_queue.max_bytes = Some(bytes);
    }
    if let Some(most) = number(lookup, "LABELRELAY_MAX_CONNECTIONS_PER_ADDRESS")? {
        config.serve.connections_per_address = Some(usize::try_from(most).unwrap_or(usize::MAX));
    }
    config.spool.apply(lookup)?;
    pull_variables::apply(config, lookup)?;
    if let Some(millis) = number(lookup, "LABELRELAY_DEADLINE_MS")? {
        config
            .sources
            .iter_mut()
            .for_each(|source| source.answer_by = Duration::from_millis(millis));
    }
    Ok(())
}
