//! Answers of services that speak JSON: their members, and the code of an error.

use crate::http::Answer;
use crate::quoted_text::quoted;
use serde_json::Value;

/// The answer's body, if it is a JSON object.
pub(crate) fn members(answer: &Answer) -> Option<Value> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body.is_object().then_some(body)
}

/// The error's code, from the header or from the body.
pub(crate) fn code(answer: &Answer, members: Option<&Value>) -> String {
    let header = answer.header("x-amzn-errortype");
    let member = members.and_then(|members| {
        let code = members.get("__type").or_else(|| members.get("code"))?;
        code.as_str()
    });
    let code = header.or(member).unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    quoted(code.rsplit('#').next().unwrap_or_default())
}

/// The words beside the code.
pub(crate) fn message(members: Option<&Value>) -> &str {
    let said = members.and_then(|members| {
        members
            .get("message")
            .or_else(|| members.get("Message"))?
            .as_str()
    });
    said.unwrap_or_default()
}
