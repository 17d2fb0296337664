//! URL of Label Studio and the token for its API: from the command line, else from the environment.

use crate::env::Env;
use crate::error::CliError;
use crate::secret_reference;
use labelrelay_core::Secret;
use labelrelay_core::config::SecretRef;

/// As Label Studio's own client calls them.
const URL: &str = "LABEL_STUDIO_URL";
const TOKEN: &str = "LABEL_STUDIO_API_KEY";

/// Tells whether the environment names the URL.
pub(crate) fn is_set(env: &Env<'_>) -> bool {
    matches!(env.var(URL), Ok(Some(_)))
}

/// The URL, without a slash at its end. `way` is how the command line gives one.
pub(crate) fn url(given: Option<&str>, way: &str, env: &Env<'_>) -> Result<String, CliError> {
    let url = match (given, env.var(URL)?) {
        (Some(url), _) => url.to_owned(),
        (None, Some(url)) => url,
        (None, _) => {
            return Err(CliError::usage(format_args!(
                "where is Label Studio? Give {way}, or set {URL}"
            )));
        }
    };
    let url = url.trim().trim_end_matches('/');
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(CliError::usage(
            "the URL of Label Studio begins with http:// or https://",
        ));
    }
    if url.contains('@') {
        return Err(CliError::usage(
            "the URL of Label Studio takes no user or password; give the token by --token",
        ));
    }
    if url.contains(['?', '#']) {
        return Err(CliError::usage(
            "the URL of Label Studio ends before any `?` or `#`: write http://HOST:PORT",
        ));
    }
    Ok(url.to_owned())
}

/// Reference to the token: as given, else the usual variable.
pub(crate) fn reference(given: Option<&SecretRef>) -> SecretRef {
    given
        .cloned()
        .unwrap_or_else(|| SecretRef::Env(TOKEN.to_owned()))
}

/// The token behind `reference`, else the one in the environment.
pub(crate) async fn token(
    reference: Option<&SecretRef>,
    env: &Env<'_>,
) -> Result<Secret, CliError> {
    let reference = self::reference(reference);
    if let SecretRef::Env(name) = &reference
        && env.lookup().secret(name).is_none()
    {
        return Err(CliError::usage(format_args!(
            "with which token? {name} is not set: set it to one (Account & Settings of Label Studio), or say where it is: --token file:/path"
        )));
    }
    secret_reference::read(&reference, env).await
}
