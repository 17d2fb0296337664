//! Secrets in AWS's stores. Each store keeps the value before the current one. Here both values are live: a
//! platform signs with the old secret until somebody gives it the new one.

mod error;
mod parameter_store;
mod secrets_manager;
mod value;

pub(crate) use parameter_store::ParameterSecret;
pub(crate) use secrets_manager::ManagerSecret;

use crate::json_answer::{code, members};
use crate::signed_client::{Content, SignedClient};
use aws_smithy_types::body::SdkBody;
use error::SecretErrorContext;
use labelrelay_core::SecretError;
use labelrelay_event::Digest;
use serde_json::Value;

/// A secret has at most 64 KiB; what is larger is no answer.
const MAX_ANSWER: usize = 512 * 1024;

/// Result of one call.
enum Reply {
    /// The members of the answer.
    Found(Value),
    /// There is no such secret, or no such version of it.
    Absent,
}

/// Calls `action` of a service that speaks JSON.
async fn call(
    signed: &SignedClient,
    action: &str,
    body: &Value,
    errors: &SecretErrorContext<'_>,
) -> Result<Reply, SecretError> {
    let body = body.to_string();
    let content = Content {
        sha256: Digest::of(body.as_bytes()).to_hex(),
        body: SdkBody::from(body),
    };
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", action),
    ];
    let answer = signed
        .send("POST", "/", &headers, content, MAX_ANSWER)
        .await;
    let answer = answer.map_err(|error| errors.no_response(&error))?;
    let members = members(&answer);
    if answer.is_success() {
        return members.map(Reply::Found).ok_or_else(|| errors.garbled());
    }
    let code = code(&answer, members.as_ref());
    match code.as_str() {
        "ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound" => {
            Ok(Reply::Absent)
        }
        code => Err(errors.stated(answer.status, code, members.as_ref())),
    }
}
