//! The record of deliveries that replicas share: beside a queue in Postgres.

use crate::env::Env;
use crate::error::CliError;
use labelrelay_record::SharedRecord;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Opens the record of the queue in Postgres at `url`; relative paths in it begin in `base_dir`. Its work is done on the
/// program's runtime, else on one of its own. Rows that are taken name the `replica`. Nothing is connected to yet.
#[cfg(feature = "postgres")]
pub(crate) fn open(
    url: &str,
    base_dir: &Path,
    env: &Env<'_>,
    runtime: Option<Handle>,
    replica: &str,
) -> Result<Arc<dyn SharedRecord>, CliError> {
    use labelrelay_postgres::{Postgres, RecordRuntime};
    let runtime = match runtime {
        Some(handle) => RecordRuntime::Shared(handle),
        None => RecordRuntime::Own(crate::runtime::small()?),
    };
    let clock = Arc::new(labelrelay_startup::SystemClock::new());
    let postgres = Postgres::load(env.lookup(), clock);
    Ok(Arc::new(postgres.record(url, base_dir, runtime, replica)?))
}

/// The same in a build that has no Postgres, and says so.
#[cfg(not(feature = "postgres"))]
pub(crate) fn open(
    url: &str,
    _: &Path,
    _: &Env<'_>,
    _: Option<Handle>,
    _: &str,
) -> Result<Arc<dyn SharedRecord>, CliError> {
    Err(crate::clouds::Cloud::Postgres.not_built(url).into())
}

/// What rows say that were taken by a `serve` of this machine which is to listen at this port.
pub(crate) fn replica(port: u16) -> String {
    format!("{}:{port}", host())
}

#[cfg(unix)]
fn host() -> String {
    let about = rustix::system::uname();
    about.nodename().to_string_lossy().into_owned()
}

/// There is no name that is cheap to read: the port stands alone.
#[cfg(not(unix))]
const fn host() -> String {
    String::new()
}
