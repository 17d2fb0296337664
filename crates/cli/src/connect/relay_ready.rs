//! Asks the relay whether it is ready. A relay that only the platform reaches is no fault.

use super::relay_url::RelayUrl;
use super::report::Report;
use crate::error::CliError;
use bytes::Bytes;
use http::Request;
use std::time::Duration;

/// Time for the relay to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// Tells whether it is. `platform` is who may reach it where we do not.
pub(super) async fn ask(
    relay: &RelayUrl,
    platform: &str,
    report: &mut Report,
) -> Result<bool, CliError> {
    let url = relay.ready();
    let request = Request::get(&url).body(Bytes::new());
    let request = request.map_err(CliError::failed)?;
    let said = match tokio::time::timeout(READY_WITHIN, labelrelay_http_client::send(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            report.done(format_args!("the relay is ready: {url}"))?;
            return Ok(true);
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
    };
    said.map(|()| false)
}

/// Says so where the relay refuses this header, which the webhooks send. Asked with an empty body, which is no event.
/// Any other answer than that refusal proves nothing against the header: `true`.
pub(super) async fn ask_for_header(
    relay: &RelayUrl,
    (name, value): (&str, &str),
    report: &mut Report,
) -> Result<bool, CliError> {
    let url = &relay.url;
    let request = Request::post(url).header(name, value).body(Bytes::new());
    let Ok(request) = request else {
        return Ok(true);
    };
    let asking = tokio::time::timeout(READY_WITHIN, labelrelay_http_client::send(request));
    if let Ok(Ok(answer)) = asking.await
        && answer.status == 401
    {
        report.doubted(format_args!(
            "{url} answers 401 to the secret in the header `{name}`: either a proxy in front of the relay removes that header, so let it pass, or set `header` of the source to another name; or the relay has another secret, so start it again with this configuration"
        ))?;
        return Ok(false);
    }
    Ok(true)
}
