//! Core's answer as Lambda's: the response of payload format 2.0, which 1.0 and load balancers take too.

use labelrelay_core::Answer;
use serde::Serialize;
use std::collections::BTreeMap;

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Status code.
    pub status_code: u16,
    /// Headers.
    pub headers: BTreeMap<&'static str, String>,
    /// Body, which is text: JSON.
    pub body: String,
    /// Never.
    pub is_base64_encoded: bool,
    /// None; `cargo lambda watch` wants to see that there are none.
    pub cookies: [String; 0],
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut headers = BTreeMap::from([
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ]);
        if let Some(after) = answer.retry_after {
            headers.insert("retry-after", after.as_secs().max(1).to_string());
        }
        if let Some(allow) = answer.allow {
            headers.insert("allow", allow.to_owned());
        }
        Self {
            status_code: answer.outcome.status().as_u16(),
            headers,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            is_base64_encoded: false,
            cookies: [],
        }
    }
}
