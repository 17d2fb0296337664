//! One `[[source]]` section of the TOML file.

use super::error::ConfigError;
use super::pull::PullTable;
use super::secret_reference::SecretRef;
use super::settings::{
    DEFAULT_MAX_BODY_BYTES, LABEL_STUDIO_ANSWER_BY, LABELBOX_ANSWER_BY, SourceConfig,
};
use super::source_name::check_name;
use super::value_checks::{parse_header, parse_time, positive};
use super::webhook::WebhookTable;
use crate::address::Allowlist;
use crate::filter::Filter;
use crate::provider::Provider;
use crate::signature::SecretHeader;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    name: String,
    provider: String,
    secret: String,
    previous_secret: Option<String>,
    previous_until: Option<String>,
    header: Option<String>,
    #[serde(default)]
    ml_backend: bool,
    #[serde(default)]
    pub(super) default: bool,
    models: Option<Models>,
    allow: Option<Vec<String>>,
    #[serde(default)]
    trusted_proxies: usize,
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    deadline_ms: Option<u64>,
    max_body_bytes: Option<u64>,
    traces: Option<bool>,
    pull: Option<PullTable>,
    webhook: Option<WebhookTable>,
}

/// Names of models, or an object as Labelbox's documents show it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Models {
    Names(Vec<String>),
    Object(BTreeMap<String, serde_json::Value>),
}

/// Settings of the whole file that a section may replace.
pub(super) struct Defaults {
    pub(super) max_body_bytes: Option<u64>,
    pub(super) deadline_ms: Option<u64>,
}

/// Place of a section, for messages.
struct Section<'a> {
    origin: &'a str,
    name: String,
}

impl Section<'_> {
    fn key(&self, key: &str) -> String {
        format!("source.{}.{key}", self.name.escape_debug())
    }

    fn error(&self, key: &str, problem: &str, cure: &str) -> ConfigError {
        ConfigError::new(self.origin, &self.key(key), problem, cure)
    }
}

pub(super) fn read(
    mut table: SourceTable,
    defaults: &Defaults,
    origin: &str,
    base_dir: &Path,
    warnings: &mut Vec<String>,
) -> Result<SourceConfig, ConfigError> {
    check_name(origin, "source.name", &table.name)?;
    let section = Section {
        origin,
        name: table.name.clone(),
    };
    let provider = provider(&table, &section)?;
    let deadline = table
        .deadline_ms
        .or(defaults.deadline_ms)
        .map(|ms| positive(origin, &section.key("deadline_ms"), ms))
        .transpose()?;
    let max_body_bytes = table
        .max_body_bytes
        .or(defaults.max_body_bytes)
        .unwrap_or(DEFAULT_MAX_BODY_BYTES);
    let pull = table.pull.take();
    let pull = pull.map(|pull| pull.checked(origin, &table.name, base_dir));
    let webhook = table.webhook.take();
    let webhook = webhook.map(|hook| hook.checked(origin, &table.name, provider, base_dir));
    Ok(SourceConfig {
        provider,
        secrets: secrets(&table, &section, base_dir)?,
        header: header(&table, &section, provider)?,
        ml_backend: table.ml_backend,
        traces: table.traces.unwrap_or(true),
        allow: allow(&table, &section)?,
        models: models(table.models),
        trusted_proxies: table.trusted_proxies,
        answer_by: deadline.map_or(default_answer_by(provider), Duration::from_millis),
        max_body_bytes: positive(origin, &section.key("max_body_bytes"), max_body_bytes)?,
        filter: Filter {
            include: patterns(table.include, "include", &section, provider, warnings)?,
            exclude: patterns(table.exclude, "exclude", &section, provider, warnings)?,
        },
        pull: pull.transpose()?,
        webhook: webhook.transpose()?,
        name: table.name,
    })
}

fn provider(table: &SourceTable, section: &Section<'_>) -> Result<Provider, ConfigError> {
    let provider = match table.provider.as_str() {
        "labelbox" => Provider::Labelbox,
        "label-studio" => Provider::LabelStudio,
        other => {
            let problem = format!("`{}` is not a platform", other.escape_debug());
            return Err(section.error("provider", &problem, "write `labelbox` or `label-studio`"));
        }
    };
    for (given, key, only) in [
        (table.header.is_some(), "header", Provider::LabelStudio),
        (table.ml_backend, "ml_backend", Provider::LabelStudio),
        (table.models.is_some(), "models", Provider::Labelbox),
    ] {
        if given && provider != only {
            let problem = format!("means nothing for {}", provider.as_str());
            return Err(section.error(key, &problem, "remove it"));
        }
    }
    Ok(provider)
}

fn secrets(
    table: &SourceTable,
    section: &Section<'_>,
    base_dir: &Path,
) -> Result<Vec<(SecretRef, Option<Timestamp>)>, ConfigError> {
    let reference =
        |text: &str, key: &str| SecretRef::parse(text, base_dir, section.origin, &section.key(key));
    let mut secrets = vec![(reference(&table.secret, "secret")?, None)];
    let until = table
        .previous_until
        .as_deref()
        .map(|text| parse_time(section.origin, &section.key("previous_until"), text))
        .transpose()?;
    match &table.previous_secret {
        Some(previous) => secrets.push((reference(previous, "previous_secret")?, until)),
        None if until.is_some() => {
            return Err(section.error(
                "previous_until",
                "there is no previous secret",
                "add `previous_secret` or remove it",
            ));
        }
        None => {}
    }
    Ok(secrets)
}

fn header(
    table: &SourceTable,
    section: &Section<'_>,
    provider: Provider,
) -> Result<Option<SecretHeader>, ConfigError> {
    let header = match (provider, table.header.as_deref()) {
        (Provider::Labelbox, _) => return Ok(None),
        (Provider::LabelStudio, None) => SecretHeader::Authorization,
        (Provider::LabelStudio, Some(name)) => {
            parse_header(section.origin, &section.key("header"), name)?
        }
    };
    if table.ml_backend && header != SecretHeader::Authorization {
        return Err(section.error(
            "header",
            "Label Studio's calls to an ML back end carry no header but Authorization",
            "remove `header`, or make the ML back end a source of its own",
        ));
    }
    Ok(Some(header))
}

/// A pattern that matches nothing would drop every event, each with a 200: what cannot be one is an
/// error, and what this version has never heard of is a warning.
fn patterns(
    patterns: Option<Vec<String>>,
    key: &str,
    section: &Section<'_>,
    provider: Provider,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>, ConfigError> {
    let Some(patterns) = patterns else {
        return Ok(Vec::new());
    };
    if patterns.is_empty() {
        return Err(section.error(key, "is empty", "list event types, or remove it"));
    }
    for pattern in &patterns {
        let shown = pattern.escape_debug();
        if !Filter::is_pattern(pattern) {
            return Err(section.error(
                key,
                &format!("`{shown}` is not an event type"),
                "write one such as com.labelbox.label.created, or a beginning and a final *, such as io.labelstud.annotation.*",
            ));
        }
        if !provider.may_send(pattern) {
            let name = provider.as_str();
            warnings.push(format!(
                "{}: `{key}`: no event of {name} that this version knows matches `{shown}`",
                section.key(key)
            ));
        }
    }
    Ok(patterns)
}

fn allow(table: &SourceTable, section: &Section<'_>) -> Result<Option<Allowlist>, ConfigError> {
    let Some(entries) = &table.allow else {
        return Ok(None);
    };
    if entries.is_empty() {
        return Err(section.error(
            "allow",
            "is empty: nobody could deliver",
            "list addresses, or remove it",
        ));
    }
    Allowlist::try_from(entries.as_slice())
        .map(Some)
        .map_err(|error| section.error("allow", &error.to_string(), "correct the entry"))
}

fn default_answer_by(provider: Provider) -> Duration {
    match provider {
        Provider::Labelbox => LABELBOX_ANSWER_BY,
        Provider::LabelStudio => LABEL_STUDIO_ANSWER_BY,
    }
}

fn models(models: Option<Models>) -> Bytes {
    let object = match models {
        None => BTreeMap::new(),
        Some(Models::Object(object)) => object,
        Some(Models::Names(names)) => names
            .into_iter()
            .map(|name| (name, serde_json::json!({})))
            .collect(),
    };
    serde_json::to_vec(&object)
        .unwrap_or_else(|_| b"{}".to_vec())
        .into()
}
