//! Says where the addresses that may deliver to a source leave the platform out, as far as it shows from here.

use http::Uri;
use labelrelay_core::config::SourceConfig;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Time for the name of the platform's host to resolve.
const PATIENCE: Duration = Duration::from_secs(5);

/// Words about a platform at `server` none of whose addresses may deliver to `source`. It may send from another address
/// than it answers at, so this is a doubt.
pub(super) async fn doubt(source: &SourceConfig, server: &str) -> Option<String> {
    let allow = source.allow.as_ref()?;
    let uri: Uri = server.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0)));
    let found = found.await.ok()?.ok()?;
    let addresses: BTreeSet<IpAddr> = found.map(|address| address.ip().to_canonical()).collect();
    if addresses.is_empty() || addresses.iter().any(|address| allow.contains(*address)) {
        return None;
    }
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let named = match addresses.as_slice() {
        [address] if address == host => host.to_owned(),
        addresses => format!("{host} ({})", addresses.join(", ")),
    };
    Some(format!(
        "source `{}` takes deliveries from the addresses in `allow` alone, and {named} is not among them: add the address that the platform sends from, else each delivery gets 403",
        source.name
    ))
}
