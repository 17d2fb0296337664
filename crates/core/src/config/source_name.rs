//! Names of sources: each is a path, a label in logs and the first folder of a claim check.

use super::error::ConfigError;

/// Tells whether a source may be called so: text in a file name's form.
pub(crate) fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    starts_well && name.len() <= 40 && name.bytes().all(good)
}

pub(super) fn check_name(origin: &str, key: &str, name: &str) -> Result<(), ConfigError> {
    if is_name(name) {
        return Ok(());
    }
    Err(ConfigError::new(
        origin,
        key,
        &format!("`{}` cannot be a source's name", name.escape_debug()),
        "use 1 to 40 of a-z, 0-9, '-' and '_', starting with a letter or digit: the name becomes a path",
    ))
}
