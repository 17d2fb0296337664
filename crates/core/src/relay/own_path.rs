//! The relay's own path, `/-/ready`.

use super::check::CheckError;
use super::pipeline::Relay;
use crate::outcome::{Answer, Outcome};
use crate::request::RequestHead;
use http::Method;

/// The last segment of the path below `/-/` that says whether the relay can take events. It ends in no `z`:
/// Cloud Run keeps such paths to itself.
const READY: &str = "ready";

impl Relay {
    /// Answers a request to a path below `/-/`, which no source can own.
    pub(super) async fn own_path(&self, head: &RequestHead, below: &str) -> Answer {
        if below != READY {
            return Answer::refusal(Outcome::NotFound, "nothing here has this path");
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return Answer::refusal(Outcome::WrongMethod, "GET only").allowing("GET, HEAD");
        }
        let ready = self
            .readiness
            .get(&*self.parts.clock, self.could_take_one());
        if ready.await {
            return Answer::reply(&br#"{"ready":true}"#[..]);
        }
        Answer::refusal(
            Outcome::Unavailable,
            "not ready; the reason is in the log and on the metrics address",
        )
    }

    /// Whether a delivery would be durable now: on the queue, or in the fallback.
    async fn could_take_one(&self) -> bool {
        match (self.check().await, &self.parts.fallback) {
            (Ok(()) | Err(CheckError::Fallback(_) | CheckError::Spool(_)), _) => true,
            (Err(CheckError::Queue(_) | CheckError::Blob(_)), Some(fallback)) => {
                fallback.check().await.is_ok()
            }
            (Err(_), _) => false,
        }
    }
}
