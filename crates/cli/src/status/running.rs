//! Asks the `serve` that runs here whether a delivery would be durable now. It alone owns the queue's file, so nobody
//! else can try a write.

use crate::http_client;
use crate::serve::public_base;
use bytes::Bytes;
use http::Request;
use std::net::SocketAddr;
use std::time::Duration;

/// Time for the answer. `serve` keeps it for a second, and asks a cloud for it otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Words about what is wrong with it.
pub(super) async fn fault(address: SocketAddr) -> Option<String> {
    let url = format!("{}/-/ready", public_base(None, address));
    let request = Request::get(&url).body(Bytes::new()).ok()?;
    let problem = match tokio::time::timeout(PATIENCE, http_client::send(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => return None,
        Ok(Ok(answer)) => format!("answers {}", answer.status),
        Ok(Err(error)) => format!("does not answer: {error}"),
        Err(_) => format!("does not answer within {} s", PATIENCE.as_secs()),
    };
    Some(format!(
        "`serve` takes no delivery: {url} {problem}; its log says why"
    ))
}
