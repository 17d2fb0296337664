//! Core's answer in the form of the front that it goes back through.

use crate::event::Front;
use http::{HeaderMap, StatusCode};
use labelrelay_core::Answer;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An HTTP response, which is written in the form of its front.
///
/// The types of `lambda_http` always write both forms of headers. Of these a load balancer reads the one that its
/// target group is set to, and a REST API joins both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The front that it goes back through.
    pub front: Front,
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, which is text: JSON.
    pub body: String,
}

impl Response {
    pub(crate) fn new(front: Front, answer: Answer) -> Self {
        let (head, body) = http::Response::from(answer).into_parts();
        Self {
            front,
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Each header with its lines.
    fn lines(&self) -> BTreeMap<&str, Vec<Cow<'_, str>>> {
        let mut lines = BTreeMap::<_, Vec<_>>::new();
        for (name, value) in &self.headers {
            let line = String::from_utf8_lossy(value.as_bytes());
            lines.entry(name.as_str()).or_default().push(line);
        }
        lines
    }

    /// Each header in one line.
    fn joined(&self) -> BTreeMap<&str, String> {
        let lines = self.lines().into_iter();
        lines
            .map(|(name, lines)| (name, lines.join(", ")))
            .collect()
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("statusCode", &self.status.as_u16())?;
        match self.front {
            Front::PayloadV2 => {
                members.serialize_entry("headers", &self.joined())?;
                // AWS can do without; `cargo lambda watch` answers 500 then.
                members.serialize_entry("cookies", &[(); 0])?;
            }
            Front::PayloadV1 => members.serialize_entry("headers", &self.joined())?,
            Front::LoadBalancer { multi_value } => {
                members.serialize_entry("statusDescription", &self.status.to_string())?;
                if multi_value {
                    members.serialize_entry("multiValueHeaders", &self.lines())?;
                } else {
                    members.serialize_entry("headers", &self.joined())?;
                }
            }
        }
        members.serialize_entry("body", &self.body)?;
        members.serialize_entry("isBase64Encoded", &false)?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::Outcome;
    use lambda_http::aws_lambda_events::alb::AlbTargetGroupResponse;
    use lambda_http::aws_lambda_events::apigw::{
        ApiGatewayProxyResponse, ApiGatewayV2httpResponse,
    };
    use serde_json::{Value, json};

    fn written(front: Front) -> Value {
        let answer = Answer::refusal(Outcome::Unavailable, "a \"reason\"");
        serde_json::to_value(Response::new(front, answer)).unwrap()
    }

    const BODY: &str = r#"{"outcome":"unavailable","message":"a \"reason\""}"#;

    #[test]
    fn each_front_gets_its_own_form() {
        let headers = json!({
            "cache-control": "no-store",
            "content-type": "application/json",
            "retry-after": "5",
        });
        assert_eq!(
            written(Front::PayloadV2),
            json!({"statusCode": 503, "headers": headers, "cookies": [], "body": BODY, "isBase64Encoded": false})
        );
        assert_eq!(
            written(Front::PayloadV1),
            json!({"statusCode": 503, "headers": headers, "body": BODY, "isBase64Encoded": false})
        );
        assert_eq!(
            written(Front::LoadBalancer { multi_value: false }),
            json!({
                "statusCode": 503,
                "statusDescription": "503 Service Unavailable",
                "headers": headers,
                "body": BODY,
                "isBase64Encoded": false,
            })
        );
        assert_eq!(
            written(Front::LoadBalancer { multi_value: true }),
            json!({
                "statusCode": 503,
                "statusDescription": "503 Service Unavailable",
                "multiValueHeaders": {
                    "cache-control": ["no-store"],
                    "content-type": ["application/json"],
                    "retry-after": ["5"],
                },
                "body": BODY,
                "isBase64Encoded": false,
            })
        );
    }

    /// The types of `lambda_http` read the same out of it.
    #[test]
    fn other_readers_find_the_same() {
        let theirs: ApiGatewayProxyResponse =
            serde_json::from_value(written(Front::PayloadV1)).unwrap();
        assert_eq!(theirs.status_code, 503);
        let newer: ApiGatewayV2httpResponse =
            serde_json::from_value(written(Front::PayloadV2)).unwrap();
        assert_eq!(newer.headers["retry-after"], "5");
        assert_eq!(theirs.headers["retry-after"], "5");
        assert_eq!(theirs.body.as_deref(), Some(BODY.as_bytes()));
        for multi_value in [false, true] {
            let theirs: AlbTargetGroupResponse =
                serde_json::from_value(written(Front::LoadBalancer { multi_value })).unwrap();
            let (there, absent) = if multi_value {
                (theirs.multi_value_headers, theirs.headers)
            } else {
                (theirs.headers, theirs.multi_value_headers)
            };
            assert_eq!(there["retry-after"], "5");
            assert!(absent.is_empty());
            assert_eq!(
                theirs.status_description.as_deref(),
                Some("503 Service Unavailable")
            );
        }
    }

    #[test]
    fn a_header_that_stands_twice_keeps_its_lines() {
        let front = Front::LoadBalancer { multi_value: true };
        let mut response = Response::new(front, Answer::reply("{}"));
        for line in ["a", "b"] {
            response.headers.append("x-lines", line.parse().unwrap());
        }
        let written = serde_json::to_value(&response).unwrap();
        assert_eq!(written["multiValueHeaders"]["x-lines"], json!(["a", "b"]));
        response.front = Front::PayloadV1;
        let written = serde_json::to_value(&response).unwrap();
        assert_eq!(written["headers"]["x-lines"], "a, b");
    }
}
