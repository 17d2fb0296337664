//! Pub/Sub's errors in core's terms.

use crate::identity::no_credentials;
use crate::rest::RestError;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::error::{CredentialsError, Error};
use google_cloud_pubsub::error::PublishError;
use labelrelay_core::{QueueError, QueueErrorKind, chain};

/// All that it takes to publish.
pub(super) const PERMISSION: &str = "pubsub.topics.publish";

/// From here on a message that is "invalid" may simply be too large in Pub/Sub's eyes.
const SUSPICIOUS_BYTES: u64 = 9_000_000;

/// A message of `bytes` that was not published.
pub(super) fn publish_error(error: PublishError, topic: &str, bytes: u64) -> QueueError {
    let PublishError::Rpc(rpc) = error else {
        // Our publishers are neither paused nor shut down while somebody waits for them.
        let message = format!("{topic}: the client gave up");
        return QueueError::new(QueueErrorKind::Unavailable, message).caused_by(error);
    };
    let (kind, message) = explain(&rpc, topic, bytes);
    QueueError::new(kind, message).caused_by(rpc)
}

fn explain(error: &Error, topic: &str, bytes: u64) -> (QueueErrorKind, String) {
    use QueueErrorKind::{Denied, Full, Misconfigured, Throttled, TooLarge, Unavailable};
    let Some(status) = error.status() else {
        if let Some(told) = no_credentials(error) {
            let kind = if is_transient(error) {
                Unavailable
            } else {
                Denied
            };
            return (kind, format!("{topic}: Pub/Sub {told}"));
        }
        if error.is_authentication() && !is_transient(error) {
            let message = "no credentials for Google Cloud can be got; run where a service account is at hand, or set GOOGLE_APPLICATION_CREDENTIALS";
            return (Denied, message.to_owned());
        }
        return (Unavailable, format!("{topic} cannot be reached"));
    };
    match status.code {
        Code::NotFound => (
            Misconfigured,
            format!("{topic} does not exist; create it, or correct the queue's URL"),
        ),
        Code::PermissionDenied | Code::Unauthenticated => (
            Denied,
            format!("{topic} refuses us: that needs {PERMISSION} (roles/pubsub.publisher) on it"),
        ),
        Code::ResourceExhausted => (Throttled, format!("{topic}: a quota of Pub/Sub is used up")),
        Code::InvalidArgument if bytes > SUSPICIOUS_BYTES => (
            TooLarge,
            format!("{topic} refuses a request of {bytes} bytes"),
        ),
        Code::InvalidArgument | Code::Unimplemented => (
            Misconfigured,
            format!("{topic} refuses the message as invalid"),
        ),
        // A key of the customer's own that is switched off, or a topic that is being deleted.
        Code::FailedPrecondition => (Full, format!("{topic} takes no messages now")),
        _ => (Unavailable, format!("{topic} failed")),
    }
}

fn is_transient(error: &Error) -> bool {
    use std::error::Error as _;
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            return error.is_transient();
        }
        cause = error.source();
    }
    false
}

/// The look-up of the permission failed.
pub(super) fn rest_error(error: &RestError, topic: &str) -> QueueError {
    let message = format!("{topic}: Pub/Sub {}", chain(error));
    match error.status().map(|status| status.as_u16()) {
        _ if error.is_retryable() => QueueError::new(QueueErrorKind::Unavailable, message),
        Some(404) => {
            let message = format!("{topic} does not exist; create it, or correct the queue's URL");
            QueueError::new(QueueErrorKind::Misconfigured, message)
        }
        _ => QueueError::new(QueueErrorKind::Denied, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use google_cloud_gax::error::rpc::Status;
    use std::sync::Arc;

    #[test]
    fn codes_map_to_error_kinds() {
        use QueueErrorKind::{Denied, Full, Misconfigured, Throttled, TooLarge, Unavailable};
        for (code, bytes, kind, retryable) in [
            (Code::NotFound, 1, Misconfigured, false),
            (Code::PermissionDenied, 1, Denied, false),
            (Code::Unauthenticated, 1, Denied, false),
            (Code::ResourceExhausted, 1, Throttled, true),
            (Code::InvalidArgument, 1, Misconfigured, false),
            (Code::InvalidArgument, 9_999_999, TooLarge, false),
            (Code::FailedPrecondition, 1, Full, false),
            (Code::Unavailable, 1, Unavailable, true),
            (Code::Internal, 1, Unavailable, true),
            (Code::DeadlineExceeded, 1, Unavailable, true),
        ] {
            let rpc = Error::service(Status::default().set_code(code).set_message("x"));
            let error = publish_error(
                PublishError::Rpc(Arc::new(rpc)),
                "projects/p/topics/abc",
                bytes,
            );
            assert_eq!((error.kind, error.retryable), (kind, retryable), "{code:?}");
            assert!(
                error.message.contains("projects/p/topics/abc"),
                "{}",
                error.message
            );
        }
    }
}
