//! The store of bodies that were too large for the queue. They are fetched from the configured one and from nowhere else,
//! whatever an event says.

use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::open::{self, BackEnds};
use labelrelay_core::backend::BackEnd as _;
use labelrelay_core::{BlobStore, Clock};
use labelrelay_local::Options;
use labelrelay_startup::{BLOB_STORE, Setting, StartError, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// The configured blob store, if there is one. A consumer may run where no relay is configured: then the variable names it.
pub(super) async fn store(
    config: Option<&Path>,
    env: &Env<'_>,
) -> Result<Option<Arc<dyn BlobStore>>, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    if !find_configuration::is_first_start(env, config)? {
        let found = find_configuration::find(env, config, Missing::Refuse)?;
        return open::blob_store(&found.config, env, &clock, false).await;
    }
    let Some(url) = env.var(BLOB_STORE.variable)? else {
        return Ok(None);
    };
    let at = Setting::of_variable(BLOB_STORE, env.cwd());
    let back_ends = BackEnds::new(Options::default(), env, clock);
    let opened = back_ends.blob_store(at.location(&url)).await;
    Ok(Some(opened.map_err(|error| {
        StartError::at(error, at.origin, at.key)
    })?))
}
