//! Asks the relay whether it is ready. A relay that only the platform reaches is no fault.

use super::relay_url::RelayUrl;
use super::report::Report;
use crate::error::CliError;
use crate::http_client;
use bytes::Bytes;
use http::Request;
use std::time::Duration;

/// Time for the relay to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// `platform` is who may reach it where we do not.
pub(super) async fn ask(
    relay: &RelayUrl,
    platform: &str,
    report: &mut Report,
) -> Result<(), CliError> {
    let url = relay.ready();
    let request = Request::get(&url).body(Bytes::new());
    let request = request.map_err(CliError::failed)?;
    match tokio::time::timeout(READY_WITHIN, http_client::send(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            report.done(format_args!("the relay is ready: {url}"))
        }
        Ok(Ok(answer)) => report.doubted(format_args!(
            "the relay is not ready: {url} answers {}; its log says why. If that is not the relay, give --relay",
            answer.status
        )),
        Ok(Err(error)) => report.doubted(format_args!(
            "the relay does not answer here: {url}: {error}; see that it runs. Where only {platform} reaches it, that is no fault"
        )),
        Err(_) => report.doubted(format_args!(
            "the relay does not answer here: {url}: not within {} s; see that it runs. Where only {platform} reaches it, that is no fault",
            READY_WITHIN.as_secs()
        )),
    }
}
