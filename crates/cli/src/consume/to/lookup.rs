//! The receiver's name, looked up before the first event is taken. A name that nobody knows is nearly always a wrong one, and
//! an event that waits for it would wait for ever.

use super::target;
use crate::error::CliError;
use http::Uri;
use std::io;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::sleep;

/// Pauses between the lookups. A receiver that is started together with this program gets its name meanwhile.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Fails when no address of the receiver's host is known, after three lookups.
///
/// Later failures are waited for as everything else that keeps the receiver from being reached: the name was good.
pub(super) async fn known(uri: &Uri) -> Result<(), CliError> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let Err(error) = looked_up(bare).await else {
        return Ok(());
    };
    let to = target::origin(uri);
    Err(CliError::failed(format_args!(
        "--to {to}: no address of the host {bare} is known, after three lookups ({error}): correct the URL, or see to this machine's name server; no event was taken"
    )))
}

async fn looked_up(host: &str) -> io::Result<()> {
    for pause in PAUSES {
        if once(host).await.is_ok() {
            return Ok(());
        }
        sleep(pause).await;
    }
    once(host).await
}

async fn once(host: &str) -> io::Result<()> {
    // Any port: the name is what is asked for.
    let mut addresses = lookup_host((host, 0)).await?;
    let none = || io::Error::other("it has no address");
    addresses.next().map(drop).ok_or_else(none)
}
