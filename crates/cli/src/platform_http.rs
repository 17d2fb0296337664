//! Options of the requests to the platforms' APIs, which go by the proxy that the environment names.

use crate::env::Env;
use crate::error::CliError;
use labelrelay_reconcile::http::{HttpOptions, Proxies};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// The usual ones.
pub(crate) fn options(proxies: Proxies) -> HttpOptions {
    let mut options = HttpOptions::new(Arc::new(OsEntropy));
    options.proxies = proxies;
    options
}

/// Proxies of the environment.
///
/// # Errors
/// When a variable is no text: without it, requests would go another way than somebody wants.
pub(crate) fn proxies(env: &Env<'_>) -> Result<Proxies, CliError> {
    for name in Proxies::VARIABLES.as_flattened() {
        env.var(name)?;
    }
    Ok(Proxies::of(|name| env.var(name).ok().flatten()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use labelrelay_core::config::Environment;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::path::PathBuf;

    #[test]
    fn a_variable_that_is_no_text_is_not_taken_for_absent() {
        for name in ["NO_PROXY", "https_proxy"] {
            let variables = [(name, OsString::from_vec(vec![0xe9]))];
            let environment: Environment = variables.into_iter().collect();
            let env = Env::new(&environment, PathBuf::new());
            let error = proxies(&env).unwrap_err();
            assert!(error.message().contains(name), "{error:?}");
        }
    }
}
