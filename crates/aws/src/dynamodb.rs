//! A table of DynamoDB, asked in its own JSON: one action, one answer, no retry.

use crate::arn_and_dns_suffix::dns_suffix;
use crate::credentials::CredentialsSource;
use crate::http::Http;
use crate::json_answer::{code, members, message};
use crate::quoted_text::quoted;
use crate::signed_client::{Content, SignedClient};
use aws_smithy_types::body::SdkBody;
use labelrelay_core::BackEndError;
use labelrelay_event::Digest;
use serde_json::{Map, Value};

/// Largest answer that is read: a page has a mebibyte, each byte of which JSON may write as six.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// A table of DynamoDB, for the memory of a consumer. It tries nothing twice, and waits without a limit.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    signed: SignedClient,
    name: String,
}

/// DynamoDB did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DynamoError {
    /// The condition of the request does not hold, and nothing was written.
    #[error("the condition of the request does not hold")]
    Refused,
    /// The same request may succeed later. Whether it was done is not known.
    #[error("{0}")]
    Transient(String),
    /// Somebody has to mend something first.
    #[error("{0}")]
    Permanent(String),
}

impl DynamoTable {
    pub(crate) fn new(
        url: &str,
        endpoint: Option<&str>,
        credentials: CredentialsSource,
        http: Http,
    ) -> Result<Self, BackEndError> {
        let rest = url.strip_prefix("dynamodb://").unwrap_or_default();
        let (region, name) = rest.split_once('/').unwrap_or_default();
        if !is_plain(region) || !is_plain(name) {
            let cure = "write dynamodb://REGION/TABLE";
            return Err(BackEndError::new(url, "names no table of DynamoDB", cure));
        }
        let own = || format!("https://dynamodb.{region}.{}", dns_suffix(region));
        let signed = SignedClient {
            http,
            credentials,
            region: region.to_owned(),
            service: "dynamodb",
            endpoint: endpoint.map_or_else(own, str::to_owned),
        };
        Ok(Self {
            signed,
            name: name.to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does `action`, such as `GetItem`, with the members of `request`, to which the table's name is added. Returns the
    /// members of the answer.
    ///
    /// # Errors
    /// [`DynamoError`] when it is not done, or nobody can tell.
    pub async fn call(
        &self,
        action: &str,
        mut request: Map<String, Value>,
    ) -> Result<Map<String, Value>, DynamoError> {
        request.insert("TableName".to_owned(), Value::from(self.name.as_str()));
        let body = Value::Object(request).to_string();
        let content = Content {
            sha256: Digest::of(body.as_bytes()).to_hex(),
            body: SdkBody::from(body),
        };
        let target = format!("DynamoDB_20120810.{action}");
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let answer = self
            .signed
            .send("POST", "/", &headers, content, MAX_ANSWER)
            .await;
        let answer = answer.map_err(|error| {
            let problem = self.problem(&error.to_string());
            if error.is_permanent() {
                DynamoError::Permanent(problem)
            } else {
                DynamoError::Transient(problem)
            }
        })?;
        let members = members(&answer);
        if answer.is_success() {
            return match members {
                Some(Value::Object(members)) => Ok(members),
                _ => Err(DynamoError::Transient(self.problem(
                    "what answered is not DynamoDB, or something in between",
                ))),
            };
        }
        let code = code(&answer, members.as_ref());
        let said = quoted(message(members.as_ref()));
        Err(self.stated(action, answer.status, &code, &said))
    }

    fn problem(&self, problem: &str) -> String {
        format!("the table {} of DynamoDB: {problem}", self.name)
    }

    /// Meaning of DynamoDB's own error code.
    fn stated(&self, action: &str, status: u16, code: &str, said: &str) -> DynamoError {
        let problem = match code {
            "ConditionalCheckFailedException" => return DynamoError::Refused,
            "ResourceNotFoundException" => format!(
                "there is none of that name in region {}; create it, or check name and region",
                self.signed.region
            ),
            "AccessDeniedException" | "AccessDenied" => {
                format!("allow dynamodb:{action} on it ({said})")
            }
            "ExpiredTokenException" | "ExpiredToken" => {
                "the credentials have expired; renew them".to_owned()
            }
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "InvalidClientTokenId"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException" => format!(
                "the credentials were refused; check them and the clock of this machine ({said})"
            ),
            "ValidationException" => format!(
                "it does not take {action}: see whether its keys are those that this needs ({said})"
            ),
            // Throttled, in trouble, or not DynamoDB at all.
            _ => {
                let problem = self.problem(&format!("it answered {status} {code} ({said})"));
                return DynamoError::Transient(problem);
            }
        };
        DynamoError::Permanent(self.problem(&problem))
    }
}

/// The characters that names of regions and tables have.
fn is_plain(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.bytes().all(good)
}
