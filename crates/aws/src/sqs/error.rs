//! Errors of SQS and of the network, in core's terms and with the cure.

use super::QueueLocation;
use super::answer_digests::unproven;
use crate::credentials::no_credentials;
use crate::quoted_text::{chain, quoted};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use labelrelay_core::{QueueError, QueueErrorKind};
use std::error::Error as StdError;
use std::fmt;

/// Subject of an error.
pub(super) struct SqsErrorContext<'a> {
    pub(super) location: &'a QueueLocation,
    pub(super) region: &'a str,
    pub(super) permission: &'static str,
}

/// A failed call.
pub(super) struct Failed {
    pub(super) error: QueueError,
    /// SQS itself said so, over a connection that works.
    pub(super) answered: bool,
    /// The caller lacks the permission for this very call.
    pub(super) forbidden: bool,
}

use QueueErrorKind::{Denied, Misconfigured, Throttled, TooLarge, Unavailable};

impl SqsErrorContext<'_> {
    pub(super) fn of<E>(&self, error: &SdkError<E, HttpResponse>) -> Failed
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        if let Some(identity) = no_credentials(error) {
            return Failed {
                error: self.error(kind_of(identity.is_permanent), format_args!("{identity}")),
                answered: false,
                forbidden: false,
            };
        }
        let (error, answered, forbidden) = match error {
            SdkError::ServiceError(stated) => {
                let status = stated.raw().status().as_u16();
                let code = stated.err().code().unwrap_or_default();
                let said = quoted(stated.err().message().unwrap_or_default());
                let error = if status < 300 {
                    garbage(status, error)
                } else {
                    self.stated(status, code, &said)
                };
                // Not in JSON, no code, or a server in trouble: connect anew.
                let answered = !code.is_empty() && status < 500;
                let forbidden = error.kind == Denied && is_access(code);
                (error, answered, forbidden)
            }
            SdkError::ResponseError(garbled) => {
                let status = garbled.raw().status().as_u16();
                let error = if status < 300 {
                    garbage(status, error)
                } else {
                    QueueError::new(
                        Unavailable,
                        format!("the answer ({status}) makes no sense: {}", chain(error)),
                    )
                };
                (error, false, false)
            }
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                let message = format!(
                    "{} cannot be reached: {}{}",
                    self.location.origin,
                    chain(error),
                    hint(error)
                );
                (QueueError::new(Unavailable, message), false, false)
            }
            _ => (self.other(error), false, false),
        };
        Failed {
            error,
            answered,
            forbidden,
        }
    }

    /// Meaning of SQS's own error code.
    pub(super) fn stated(&self, status: u16, code: &str, said: &str) -> QueueError {
        let own = code.rsplit('#').next().unwrap_or(code);
        let own = own.strip_prefix("AWS.SimpleQueueService.").unwrap_or(own);
        match own {
            "QueueDoesNotExist" | "NonExistentQueue" => self.error(Misconfigured, format_args!(
                "there is no such queue; check the URL and create it, or it was deleted within the last minute ({said})"
            )),
            "InvalidAddress" | "InvalidQueueUrl" => self.error(Misconfigured, format_args!(
                "the address is not valid in region {}; check the queue's region ({said})", self.region
            )),
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature"
            | "IncompleteSignatureException" | "AuthorizationHeaderMalformed" => {
                self.error(Denied, format_args!(
                    "the signature was refused; check AWS_SECRET_ACCESS_KEY, the clock of this machine and that the queue is in region {} ({said})", self.region
                ))
            }
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
                self.error(Denied, format_args!(
                    "the credentials have expired; renew them, or set the clock of this machine ({said})"
                ))
            }
            "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidSecurity"
            | "InvalidAccessKeyId" | "MissingAuthenticationToken" | "InvalidToken" | "OptInRequired" => {
                self.error(Denied, format_args!(
                    "the credentials were refused; check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN ({said})"
                ))
            }
            _ if own.eq_ignore_ascii_case("KmsThrottled") => self.error(Throttled, format_args!("KMS is throttling ({said})")),
            _ if own.starts_with("Kms") || own.starts_with("KMS") || (is_access(own) && said.contains("kms:")) => {
                self.error(Denied, format_args!(
                    "the queue is encrypted with a KMS key that cannot be used; allow kms:GenerateDataKey and kms:Decrypt on it, and check that it is enabled ({own}: {said})"
                ))
            }
            _ if is_access(own) => self.error(Denied, format_args!(
                "allow {} on {} to this role, in its policy or the queue's ({said})", self.permission, self.arn()
            )),
            "RequestThrottled" | "ThrottlingException" | "Throttling" | "OverLimit" | "SlowDown"
            | "TooManyRequestsException" | "RequestLimitExceeded" => self.throttled(own, said),
            _ if status == 429 => self.throttled(own, said),
            _ if status >= 500 || own.is_empty() => self.error(Unavailable, format_args!(
                "SQS answered {status} {own} ({said})"
            )),
            "InvalidMessageContents" => self.characters(),
            "MessageTooLong" => self.error(TooLarge, format_args!("the queue takes less ({said})")),
            "InvalidParameterValue" | "InvalidParameterValueException" if is_length(said) => {
                self.error(TooLarge, format_args!("the queue takes less ({said})"))
            }
            "MissingParameter" | "InvalidParameterValue" | "InvalidParameterValueException" | "UnsupportedOperation" => {
                self.error(Misconfigured, format_args!(
                    "SQS refuses the message; is the queue of the kind that its name says (FIFO names end in .fifo)? ({own}: {said})"
                ))
            }
            _ => self.error(Misconfigured, format_args!("SQS answered {status} {own} ({said})")),
        }
    }

    fn throttled(&self, code: &str, said: &str) -> QueueError {
        self.error(Throttled, format_args!(
            "SQS is throttling ({code}: {said}); a FIFO queue takes more with high throughput on, groups as deduplication scope"
        ))
    }

    /// The body has characters that SQS does not take; the relay encodes such bodies beforehand.
    pub(super) fn characters(&self) -> QueueError {
        self.error(
            Misconfigured,
            format_args!("the message holds characters that SQS does not take"),
        )
    }

    pub(super) fn other(&self, error: &dyn StdError) -> QueueError {
        self.error(
            Misconfigured,
            format_args!("the request could not be made: {}", chain(error)),
        )
    }

    fn error(&self, kind: QueueErrorKind, message: fmt::Arguments<'_>) -> QueueError {
        QueueError::new(kind, format!("queue {}: {message}", self.location.name))
    }

    fn arn(&self) -> String {
        let partition = match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let QueueLocation { account, name, .. } = self.location;
        format!("arn:{partition}:sqs:{}:{account}:{name}", self.region)
    }
}

/// Kind of an error of our identity.
pub(super) fn kind_of(is_permanent: bool) -> QueueErrorKind {
    if is_permanent { Denied } else { Unavailable }
}

/// The commonest reasons why nobody is there.
fn hint(error: &dyn StdError) -> &'static str {
    let text = chain(error);
    if text.contains("dns error") || text.contains("lookup") {
        "; check the region in the queue's URL, and that this network resolves names"
    } else if text.contains("certificate") || text.contains("UnknownIssuer") {
        "; if something in between has a certificate of its own, name its authority in SSL_CERT_FILE or AWS_CA_BUNDLE"
    } else {
        ""
    }
}

/// A success without a valid answer: the message may have arrived or not.
fn garbage(status: u16, error: &dyn StdError) -> QueueError {
    unproven(format!(
        "what answered ({status}) is not SQS, or something in between: {}",
        chain(error)
    ))
}

fn is_access(code: &str) -> bool {
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.rsplit('.').next().unwrap_or(code);
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "AuthorizationError" | "NotAuthorized"
    )
}

fn is_length(said: &str) -> bool {
    ["shorter than", "longer than", "too long", "exceeds"]
        .iter()
        .any(|words| said.contains(words))
}
