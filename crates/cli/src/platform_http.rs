//! Options of the requests to the platforms' APIs, which go by the proxy that the environment names.

use crate::env::Env;
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
pub(crate) fn proxies(env: &Env<'_>) -> Proxies {
    Proxies::of(|name| env.var(name).ok().flatten())
}
