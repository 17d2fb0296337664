//! Opens references to secrets, from the configuration and from `--secret`.

use crate::failure::Failure;
use crate::world::World;
use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, Lookup, SecretRef};
use labelrelay_core::{Secret, SecretSource};

/// What the pipeline opens the references of its sources with.
pub(crate) fn open(
    reference: &SecretRef,
    not_after: Option<Timestamp>,
    lookup: Lookup<'_>,
    origin: &str,
) -> Result<Box<dyn SecretSource>, ConfigError> {
    let key = reference.to_string();
    reference
        .open(not_after, lookup, origin, &key)?
        .ok_or_else(|| {
            ConfigError::new(
                origin,
                &key,
                &format!("this build cannot open `{key}`"),
                "keep the secret in a file or in the environment: file:/path, env:NAME",
            )
        })
}

/// Reads `--secret`: a reference, never the secret itself, which would show in the list of processes.
pub(crate) fn reference(text: &str) -> Result<SecretRef, String> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(SecretRef::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(SecretRef::File(
            path.strip_prefix("//").unwrap_or(path).into(),
        )),
        _ => Err("write env:NAME or file:/path: where the secret is, not the secret".to_owned()),
    }
}

/// The newest secret behind a reference.
pub(crate) async fn read(reference: &SecretRef, world: &World<'_>) -> Result<Secret, Failure> {
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(world.cwd().join(path)),
        other => other.clone(),
    };
    let source = open(&reference, None, world.lookup(), "command line")?;
    let secrets = source.fetch().await.map_err(Failure::config)?;
    secrets
        .into_iter()
        .next()
        .ok_or_else(|| Failure::config(format_args!("{reference} holds no secret")))
}
