//! Pointers to whole envelopes in S3, as AWS's extended clients of SQS write them in place of a large message.

use serde::{Deserialize, Serialize};

/// Class that the clients write now.
const CLASS: &str = "software.amazon.payloadoffloading.PayloadS3Pointer";

/// Class that they wrote before version 2 of the client in Java, and write still if they are told to.
const FORMER_CLASS: &str = "com.amazon.sqs.javamessaging.MessageS3Pointer";

/// A bucket's name has 63 characters at most, a key 1,024 bytes, each of which JSON may write as six.
const LONGEST: usize = 16 * 1024;

/// A message of SQS that says where in S3 the envelope is: what AWS's extended clients of SQS send, and read, in place of a
/// message that is too large ([amazon-sqs-java-extended-client-lib]).
///
/// ```
/// use labelrelay_event::S3Pointer;
///
/// let pointer = S3Pointer::new("bucket", "claims/1");
/// let message = r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"bucket","s3Key":"claims/1"}]"#;
/// assert_eq!(pointer.to_string(), message);
/// assert_eq!(S3Pointer::parse(message.as_bytes()), Some(pointer.clone()));
/// assert_eq!(pointer.uri(), "s3://bucket/claims/1");
/// assert_eq!(S3Pointer::parse(b"{}"), None);
/// ```
///
/// [amazon-sqs-java-extended-client-lib]: https://github.com/awslabs/amazon-sqs-java-extended-client-lib
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Pointer {
    object: ObjectName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ObjectName {
    #[serde(rename = "s3BucketName")]
    bucket: String,
    #[serde(rename = "s3Key")]
    key: String,
}

impl S3Pointer {
    /// Attribute of the message that holds the size of the envelope in bytes, and marks the message as a pointer to the
    /// clients.
    pub const SIZE_ATTRIBUTE: &'static str = "ExtendedPayloadSize";

    /// Name that this attribute had before.
    pub const FORMER_SIZE_ATTRIBUTE: &'static str = "SQSLargePayloadSize";

    /// A pointer to the object under `key` in `bucket`.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        let (bucket, key) = (bucket.into(), key.into());
        Self {
            object: ObjectName { bucket, key },
        }
    }

    /// Reads a message; `None` when it is no pointer. An envelope never is one.
    pub fn parse(message: &[u8]) -> Option<Self> {
        if message.len() > LONGEST || message.trim_ascii_start().first() != Some(&b'[') {
            return None;
        }
        let (class, object): (String, ObjectName) = serde_json::from_slice(message).ok()?;
        [CLASS, FORMER_CLASS]
            .contains(&class.as_str())
            .then_some(Self { object })
    }

    /// The object's bucket.
    pub fn bucket(&self) -> &str {
        &self.object.bucket
    }

    /// The object's key.
    pub fn key(&self) -> &str {
        &self.object.key
    }

    /// The object as `s3://BUCKET/KEY`.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.object.bucket, self.object.key)
    }
}

/// The message that the clients read, as the one in Java writes it.
impl std::fmt::Display for S3Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Text alone can always be written as JSON.
        let written = serde_json::to_string(&(CLASS, &self.object)).map_err(|_| std::fmt::Error)?;
        f.write_str(&written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_and_both_generations_are_read() {
        let pointer = Some(S3Pointer::new("b", "k/é\""));
        for message in [
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k/é\""}]"#,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k/\u00e9\""}]"#,
            r#" ["com.amazon.sqs.javamessaging.MessageS3Pointer",{"s3Key":"k/é\"","s3BucketName":"b"}]"#,
        ] {
            assert_eq!(S3Pointer::parse(message.as_bytes()), pointer, "{message}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_none() {
        for message in [
            "",
            "[",
            "[]",
            "{}",
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer"]"#,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b"}]"#,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":1}]"#,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"},1]"#,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]x"#,
            r#"["java.lang.Object",{"s3BucketName":"b","s3Key":"k"}]"#,
        ] {
            assert_eq!(S3Pointer::parse(message.as_bytes()), None, "{message}");
        }
        let long = S3Pointer::new("b", "k".repeat(LONGEST)).to_string();
        assert_eq!(S3Pointer::parse(long.as_bytes()), None);
    }
}
