//! Errors of S3 and of the network, in core's terms and with the cure.

use super::location::S3Location;
use crate::http::Answer;
use crate::quoted_text::quoted;
use crate::signed_client::NoResponse;
use labelrelay_core::BlobError;
use std::fmt;

/// Subject of an error.
pub(super) struct S3ErrorContext<'a> {
    pub(super) location: &'a S3Location,
    pub(super) permission: &'static str,
    /// Empty when it is about the bucket.
    pub(super) key: &'a str,
}

/// S3's own statement of an error.
#[derive(Default)]
pub(super) struct Stated {
    pub(super) code: String,
    said: String,
}

/// Reads an error's body; empty when it is not one of S3.
pub(super) fn stated(answer: &Answer) -> Stated {
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    let Ok(document) = roxmltree::Document::parse(text) else {
        return Stated::default();
    };
    let error = document.root_element();
    if error.tag_name().name() != "Error" {
        return Stated::default();
    }
    let member = |name: &str| {
        let mut members = error.children().filter(|child| child.has_tag_name(name));
        quoted(
            members
                .next()
                .and_then(|child| child.text())
                .unwrap_or_default(),
        )
    };
    Stated {
        code: member("Code"),
        said: member("Message"),
    }
}

impl S3ErrorContext<'_> {
    pub(super) fn no_response(&self, error: NoResponse) -> BlobError {
        let told = if error.is_permanent() {
            self.permanent(format_args!("{error}"))
        } else {
            self.transient(format_args!("{error}"))
        };
        told.caused_by(error)
    }

    pub(super) fn of(&self, answer: &Answer, stated: &Stated) -> BlobError {
        let Stated { code, said } = stated;
        let status = answer.status;
        match code.as_str() {
            "NoSuchBucket" => self.permanent(format_args!("there is no such bucket; create it, or check its name")),
            "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => self.elsewhere(answer, said),
            "AccessDenied" | "AllAccessDisabled" if said.contains("kms:") => self.permanent(format_args!(
                "the bucket is encrypted with a KMS key that cannot be used; allow kms:GenerateDataKey and kms:Decrypt on it ({said})"
            )),
            "AccessDenied" | "AllAccessDisabled" => self.permanent(format_args!(
                "allow {} on {}{} to this role ({said})", self.permission, self.location.arn(), self.objects()
            )),
            "ExpiredToken" | "RequestTimeTooSkewed" | "TokenRefreshRequired" => self.permanent(format_args!(
                "the credentials have expired, or the clock of this machine is wrong ({said})"
            )),
            "InvalidAccessKeyId" | "InvalidToken" | "SignatureDoesNotMatch" => self.permanent(format_args!(
                "the credentials were refused; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN ({said})"
            )),
            _ if code.starts_with("KMS.") => self.permanent(format_args!(
                "the bucket's KMS key cannot be used; check that it is enabled and allow kms:GenerateDataKey on it ({code}: {said})"
            )),
            // Two puts of one key at once, a body that came too slowly, or one that was damaged on its way.
            "ConditionalRequestConflict" | "OperationAborted" | "RequestTimeout" | "SlowDown"
            | "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch"
            | "IncompleteBody" => self.transient(format_args!("S3 answered {status} {code} ({said})")),
            "EntityTooLarge" => self.permanent(format_args!("S3 takes no object of more than 5 GiB at once ({said})")),
            _ if status >= 500 || status == 429 || status == 409 => {
                self.transient(format_args!("S3 answered {status} {code} ({said})"))
            }
            _ if (300..400).contains(&status) => self.elsewhere(answer, said),
            _ if code.is_empty() => self.transient(format_args!(
                "what answered ({status}) is not S3, or something in between"
            )),
            _ => self.permanent(format_args!("S3 answered {status} {code} ({said})")),
        }
    }

    fn elsewhere(&self, answer: &Answer, said: &str) -> BlobError {
        let asked = &self.location.region;
        match answer.header("x-amz-bucket-region") {
            Some(region) if region != asked => self.permanent(format_args!(
                "the bucket is in region {}, not in {asked}; use one where the relay is",
                quoted(region)
            )),
            _ => self.permanent(format_args!("the bucket is not in region {asked} ({said})")),
        }
    }

    fn objects(&self) -> String {
        match (self.key, self.location.prefix.as_str()) {
            ("", _) => String::new(),
            (_, "") => "/*".to_owned(),
            (_, prefix) => format!("/{prefix}/*"),
        }
    }

    fn transient(&self, message: fmt::Arguments<'_>) -> BlobError {
        BlobError::transient(format!("bucket {}: {message}", self.location.bucket))
    }

    fn permanent(&self, message: fmt::Arguments<'_>) -> BlobError {
        BlobError::permanent(format!("bucket {}: {message}", self.location.bucket))
    }
}
