//! The server's monitoring port: what a client of NATS cannot see.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

/// Longest answer. Ours is a few kilobytes.
const MOST: usize = 1024 * 1024;

/// What a server says of itself.
#[derive(Deserialize)]
pub(crate) struct Varz {
    #[serde(default)]
    pub(crate) server_id: String,
    #[serde(default)]
    pub(crate) server_name: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Deserialize, Default)]
struct JetStream {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_always: bool,
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
}

impl Varz {
    /// Whether the server syncs what it stores before it acknowledges that; `None` where it has no JetStream.
    pub(crate) fn syncs_always(&self) -> Option<bool> {
        self.jetstream
            .config
            .as_ref()
            .map(|config| config.sync_always)
    }

    /// Seconds between two syncs.
    pub(crate) fn sync_interval_s(&self) -> u64 {
        let config = self.jetstream.config.as_ref();
        config.map_or(0, |config| config.sync_interval / 1_000_000_000)
    }
}

/// Asks the monitoring port at `host`. The caller limits the time.
///
/// # Errors
/// Why there is no sensible answer.
pub(crate) async fn ask(host: &str) -> Result<Varz, String> {
    let uri: Result<http::Uri, _> = format!("http://{host}/varz").parse();
    let uri = uri.map_err(|_| "it is no address".to_owned())?;
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.get(uri).await;
    let answer = answer.map_err(|error| labelrelay_core::chain(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    serde_json::from_slice(&body).map_err(|_| "what it answered is not of NATS".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_its_disk_is_read() {
        let varz = |text: &str| serde_json::from_str::<Varz>(text).unwrap();
        let said = varz(
            r#"{"server_name":"one","jetstream":{"config":{"sync_interval":120000000000,"sync_always":true}}}"#,
        );
        assert_eq!(
            (said.syncs_always(), said.sync_interval_s()),
            (Some(true), 120)
        );
        let said = varz(r#"{"jetstream":{"config":{"sync_interval":120000000000}}}"#);
        assert_eq!(said.syncs_always(), Some(false));
        assert_eq!(varz(r#"{"jetstream":{}}"#).syncs_always(), None);
    }
}
