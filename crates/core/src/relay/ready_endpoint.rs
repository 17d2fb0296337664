//! The relay's own path, `/-/ready`.

use super::check::CheckError;
use super::pipeline::Relay;
use super::refusal::Refusal;
use crate::outcome::{Answer, Outcome};
use crate::request::RequestHead;
use http::Method;

/// The last segment of the path below `/-/` that says whether the relay can take events. It ends in no `z`:
/// Cloud Run keeps such paths to itself.
const READY: &str = "ready";

impl Relay {
    /// Answers a request to a path below `/-/`, which no source can own. What is refused is reported as anywhere else: a
    /// cloud counts all answers, and alarms compare the two numbers. An answer of readiness is no delivery's, and is not.
    pub(super) async fn own_path(&self, head: &RequestHead, below: &str) -> Answer {
        if below != READY {
            let refusal = Refusal::new(Outcome::NotFound, "nothing here has this path");
            return self.turn_away(head, None, refusal);
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            let refusal = Refusal::new(Outcome::WrongMethod, "GET only");
            return self.turn_away(head, None, refusal).allowing("GET, HEAD");
        }
        let parts = &self.parts;
        let ready = self
            .readiness
            .get(&*parts.clock, &*parts.observer, self.could_take_one());
        if ready.await {
            return Answer::reply(&br#"{"ready":true}"#[..]);
        }
        Answer::refusal(
            Outcome::Unavailable,
            "not ready; the reason is in the log and on the metrics address",
        )
    }

    /// Checks that a delivery would be durable now, on the queue or in the fallback; else says why not.
    async fn could_take_one(&self) -> Result<(), String> {
        let Err(error) = self.check().await else {
            return Ok(());
        };
        match (&error, &self.parts.fallback) {
            (CheckError::Fallback(_) | CheckError::Spool(_), _) => Ok(()),
            (CheckError::Queue(_) | CheckError::Blob(_), Some(fallback)) => {
                let both = |second| format!("{error}; fallback: {second}");
                fallback.check().await.map_err(both)
            }
            (CheckError::Secret { .. }, _) | (CheckError::Queue(_) | CheckError::Blob(_), None) => {
                Err(error.to_string())
            }
        }
    }
}
