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
    pub headers: BTreeMap<String, String>,
    /// Body, which is text: JSON.
    pub body: String,
    /// Never.
    pub is_base64_encoded: bool,
    /// None; `cargo lambda watch` wants to see that there are none.
    pub cookies: [String; 0],
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let (head, body) = http::Response::from(answer).into_parts();
        let headers = head.headers.iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        Self {
            status_code: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
            is_base64_encoded: false,
            cookies: [],
        }
    }
}
