//! Answers of SQS, Secrets Manager and S3 to the few operations that a relay uses.

use super::http1_stand_in::Request;
use crate::bench::deliveries::SECRET;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The operation that puts one message on a queue.
pub(super) const SEND_MESSAGE: &str = "AmazonSQS.SendMessage";

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: &'static str,
    pub(super) body: Vec<u8>,
}

const JSON_1_0: &str = "content-type: application/x-amz-json-1.0\r\n\
                        x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\n";
const JSON_1_1: &str = "content-type: application/x-amz-json-1.1\r\n\
                        x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\n";
const OBJECT: &str = "etag: \"0\"\r\nx-amz-request-id: 0000000000000000\r\n";

pub(super) fn to(request: &Request) -> Answer {
    let sent = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    let json = |headers, status, body: Value| Answer {
        status,
        headers,
        body: body.to_string().into_bytes(),
    };
    match (request.method.as_str(), request.target.as_deref()) {
        (_, Some(SEND_MESSAGE)) => json(JSON_1_0, 200, received(&sent())),
        (_, Some("AmazonSQS.GetQueueAttributes")) => json(
            JSON_1_0,
            200,
            json!({ "Attributes": { "MaximumMessageSize": "1048576", "QueueArn": "arn:aws:sqs:us-east-1:000000000000:bench" } }),
        ),
        (_, Some("secretsmanager.GetSecretValue"))
            if sent()
                .get("VersionStage")
                .is_some_and(|stage| stage == "AWSPREVIOUS") =>
        {
            json(
                JSON_1_1,
                400,
                json!({ "__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS" }),
            )
        }
        (_, Some("secretsmanager.GetSecretValue")) => json(
            JSON_1_1,
            200,
            json!({
                "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:bench-AbCdEf",
                "CreatedDate": 1_790_225_768.123,
                "Name": "bench",
                "SecretString": SECRET,
                "VersionId": "00000000-0000-0000-0000-000000000000",
                "VersionStages": ["AWSCURRENT"],
            }),
        ),
        ("PUT", None) => Answer {
            status: 200,
            headers: OBJECT,
            body: Vec::new(),
        },
        (_, target) => json(
            JSON_1_0,
            400,
            json!({ "__type": "UnknownOperationException", "message": format!("not stood in for: {target:?}") }),
        ),
    }
}

/// SQS's answer to a message: its digests, and an id.
fn received(sent: &Value) -> Value {
    let body = sent
        .get("MessageBody")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut answer = json!({
        "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
        "MD5OfMessageBody": hex(&Md5::digest(body)),
    });
    if let (Some(Value::Object(attributes)), Value::Object(answer)) =
        (sent.get("MessageAttributes"), &mut answer)
        && !attributes.is_empty()
    {
        answer.insert(
            "MD5OfMessageAttributes".into(),
            attributes_digest(attributes).into(),
        );
    }
    answer
}

/// The digest over attributes in the order of their names: each name, type and value after its length,
/// and a one before a value that is a string.
fn attributes_digest(attributes: &serde_json::Map<String, Value>) -> String {
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_str());
    let mut digest = Md5::new();
    for (name, attribute) in sorted {
        let text = |key| {
            attribute
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let mut part = |bytes: &[u8]| {
            digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            digest.update(bytes);
        };
        part(name.as_bytes());
        part(text("DataType").as_bytes());
        digest.update([1]);
        let value = text("StringValue").as_bytes();
        digest.update(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(value);
    }
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_that_the_service_computes() {
        // md5sum's, the second over 00000001 "a" 00000006 "String" 01 00000001 "b".
        let answer = received(&json!({
            "MessageBody": "This is a test message",
            "MessageAttributes": { "a": { "DataType": "String", "StringValue": "b" } },
        }));
        assert_eq!(
            answer["MD5OfMessageBody"],
            "fafb00f5732ab283681e124bf8747ed1"
        );
        assert_eq!(
            answer["MD5OfMessageAttributes"],
            "bef8bf215374a0a228d67533b1a488be"
        );
    }
}
