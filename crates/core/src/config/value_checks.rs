//! Checks of single values, the same for a file's key and for a variable.

use super::error::{ConfigError, ENVIRONMENT};
use super::variables::Lookup;
use crate::signature::SecretHeader;
use jiff::Timestamp;

pub(super) fn number(lookup: Lookup<'_>, variable: &str) -> Result<Option<u64>, ConfigError> {
    let Some(text) = lookup.text(variable)? else {
        return Ok(None);
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(ConfigError::new(
            ENVIRONMENT,
            variable,
            "is not a positive whole number",
            "write digits only",
        )),
    }
}

/// Less would not hold the tables and a few events.
const LEAST_QUEUE_BYTES: u64 = 1024 * 1024;

pub(super) fn queue_bytes(origin: &str, key: &str, bytes: u64) -> Result<u64, ConfigError> {
    if bytes >= LEAST_QUEUE_BYTES {
        return Ok(bytes);
    }
    Err(ConfigError::new(
        origin,
        key,
        &format!("must be {LEAST_QUEUE_BYTES} (1 MiB) or more"),
        "write a larger number of bytes, or remove it",
    ))
}

pub(super) fn positive<N: PartialOrd + Default>(
    origin: &str,
    key: &str,
    number: N,
) -> Result<N, ConfigError> {
    if number > N::default() {
        return Ok(number);
    }
    Err(ConfigError::new(
        origin,
        key,
        "must be more than 0",
        "write a positive number or remove it",
    ))
}

pub(super) fn percent(origin: &str, key: &str, number: u64) -> Result<u64, ConfigError> {
    if (1..=100).contains(&number) {
        return Ok(number);
    }
    Err(ConfigError::new(
        origin,
        key,
        "must be a percentage from 1 to 100",
        "write such a number, without a `%`, or remove it",
    ))
}

pub(super) fn not_empty(origin: &str, key: &str, value: String) -> Result<String, ConfigError> {
    if value.is_empty() {
        return Err(ConfigError::new(
            origin,
            key,
            "is empty",
            "give it a value or remove it",
        ));
    }
    Ok(value)
}

/// A path, without what a URL has around one.
pub(super) fn path_prefix(origin: &str, key: &str, text: String) -> Result<String, ConfigError> {
    let is_path = !text.contains("//")
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"?#\\\"<>".contains(&b));
    // Paths below `/-` are the relay's own.
    let is_own = text.trim_start_matches('/').split('/').next() == Some("-");
    if is_path && !is_own {
        return Ok(text);
    }
    let problem = format!("`{}` cannot stand in front of paths", text.escape_debug());
    let cure = "write the path alone, such as /hooks";
    Err(ConfigError::new(origin, key, &problem, cure))
}

pub(super) fn parse_time(origin: &str, key: &str, text: &str) -> Result<Timestamp, ConfigError> {
    crate::time::parse(text).ok_or_else(|| {
        ConfigError::new(
            origin,
            key,
            "is not a time",
            "write RFC 3339, for example 2026-12-31T00:00:00Z",
        )
    })
}

pub(super) fn parse_header(
    origin: &str,
    key: &str,
    name: &str,
) -> Result<SecretHeader, ConfigError> {
    if name.eq_ignore_ascii_case("authorization") {
        return Ok(SecretHeader::Authorization);
    }
    // Headers that every client sets, or that proxies rewrite, prove nothing.
    let reserved = [
        "host",
        "content-type",
        "content-length",
        "user-agent",
        "accept",
        "connection",
        "transfer-encoding",
        "x-forwarded-for",
    ];
    match name.parse::<http::HeaderName>() {
        Ok(header) if !reserved.contains(&header.as_str()) => Ok(SecretHeader::Named(header)),
        _ => Err(ConfigError::new(
            origin,
            key,
            "cannot be the header that carries the secret",
            "name one such as X-Webhook-Token",
        )),
    }
}
