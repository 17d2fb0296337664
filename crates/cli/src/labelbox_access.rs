//! URL of Labelbox's API, and the key for it: of the command line, else of the environment.

use crate::env::Env;
use crate::error::CliError;
use crate::secret_reference;
use labelrelay_core::Secret;
use labelrelay_core::config::SecretRef;

/// As Labelbox's own client calls it.
const KEY: &str = "LABELBOX_API_KEY";

/// The endpoint that the command line gives, or its default.
pub(crate) fn endpoint(given: &str) -> Result<&str, CliError> {
    let endpoint = given.trim();
    if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
        return Err(CliError::usage(
            "--endpoint begins with http:// or https://",
        ));
    }
    if endpoint.contains('@') {
        return Err(CliError::usage(
            "--endpoint takes no user or password; give the API key by --key",
        ));
    }
    Ok(endpoint)
}

/// Reference to the key: as given, else the usual variable.
pub(crate) fn reference(given: Option<&SecretRef>) -> SecretRef {
    given
        .cloned()
        .unwrap_or_else(|| SecretRef::Env(KEY.to_owned()))
}

/// The key behind `reference`, else the one in the environment.
pub(crate) async fn key(reference: Option<&SecretRef>, env: &Env<'_>) -> Result<Secret, CliError> {
    let reference = self::reference(reference);
    if let SecretRef::Env(name) = &reference
        && env.lookup().secret(name).is_none()
    {
        return Err(CliError::usage(format_args!(
            "with which API key? {name} is not set: set it to one (Workspace settings of Labelbox), or say where it is: --key file:/path"
        )));
    }
    secret_reference::read(&reference, env).await
}
