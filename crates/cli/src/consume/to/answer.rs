//! The words of an answer: its beginning is the reason in the log.

use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

/// Of an answer, so much is read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
const REASON_CHARS: usize = 200;

/// The beginning of an answer's body, as far as it came; and whether that is all, so that its connection can be used again.
pub(super) async fn beginning(body: &mut Incoming, deadline: Instant) -> (String, bool) {
    let mut read = Vec::new();
    let is_whole = timeout_at(deadline, read_into(&mut read, body)).await;
    let text = String::from_utf8_lossy(&read);
    let text = text.chars().take(REASON_CHARS).collect();
    (text, is_whole.unwrap_or(false))
}

/// Reads as much as may be. Returns whether that was all.
async fn read_into(read: &mut Vec<u8>, body: &mut Incoming) -> bool {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = MAX_ANSWER_BYTES - read.len();
        let Some(beginning) = data.get(..room) else {
            read.extend_from_slice(data);
            continue;
        };
        read.extend_from_slice(beginning);
        if data.len() > room {
            return false;
        }
    }
    true
}

pub(super) fn reason(status: StatusCode, said: &str) -> String {
    if status.is_redirection() {
        format!(
            "answered {status}: redirects are not followed; write the URL that this one leads to"
        )
    } else if said.is_empty() {
        format!("answered {status}")
    } else {
        format!("answered {status}: {said}")
    }
}
