//! Asks for the relay at its public URL, as a platform would: name, port, TLS, and who answers.

use crate::userinfo;
use bytes::Bytes;
use http::{Request, Uri};
use std::time::Duration;

/// Time for all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A failure from here says nothing if only the platform's network leads there.
const ONLY_OTHERS: &str = "where this machine alone cannot reach it, ask from another one";

/// Words about what stands in the way.
pub(super) async fn warning(url: &str) -> Option<String> {
    let ready = format!("{}/-/ready", url.trim_end_matches('/'));
    let problem = match tokio::time::timeout(PATIENCE, problem(&ready)).await {
        Ok(problem) => problem?,
        Err(_) => format!(
            "no answer within {} s: see the firewall and the proxy before the relay; {ONLY_OTHERS}",
            PATIENCE.as_secs()
        ),
    };
    Some(format!(
        "`public_url`: {}: {problem}",
        userinfo::hidden(&ready)
    ))
}

async fn problem(ready: &str) -> Option<String> {
    let uri: Uri = ready.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    // Any port: the name is what is asked for.
    if let Err(error) = tokio::net::lookup_host((host.as_str(), 0)).await {
        return Some(format!(
            "the name {host} does not resolve ({error}): correct it, or make its DNS record; {ONLY_OTHERS}"
        ));
    }
    let request = Request::get(ready).body(Bytes::new()).ok()?;
    match labelrelay_http_client::send(request).await {
        Ok(answer) if answer.status == 200 => None,
        Ok(answer) if answer.status == 503 => Some(
            "the relay answers 503: it is not ready, and the log of `serve` says why".to_owned(),
        ),
        Ok(answer) => Some(format!(
            "answers {}, as the relay never does: see that the URL leads to `serve`, and what stands before it",
            answer.status
        )),
        Err(error) if error.refused => Some(format!(
            "nothing listens there ({error}): start `labelrelay serve`, or correct the port"
        )),
        Err(error) => Some(format!(
            "{error}; see the certificate, the scheme and the port; {ONLY_OTHERS}"
        )),
    }
}
