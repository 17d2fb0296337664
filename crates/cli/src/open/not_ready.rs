//! Message and exit code when something cannot be used: bad configuration (78) is what
//! somebody has to change there; what may pass by itself is a failure (1), and another start may do.

use crate::failure::{Failure, chain};
use labelrelay_core::QueueErrorKind;
use labelrelay_core::relay::CheckError;
use labelrelay_local::OpenError;

/// A queue file that could not be opened. The error names it, and the cure.
pub(crate) fn not_opened(error: &OpenError) -> Failure {
    let message = format!("queue: {}", chain(error));
    if error.is_retryable() {
        Failure::Failed(message)
    } else {
        Failure::Config(message)
    }
}

/// A failed check of the pipeline.
pub(crate) fn not_ready(error: &CheckError) -> Failure {
    let (is_retryable, what, cure) = match error {
        CheckError::Secret { error, .. } => (
            error.retryable,
            "",
            if error.retryable {
                "see that its store can be reached, and start again"
            } else {
                "correct the reference or the file"
            },
        ),
        CheckError::Queue(error) => (
            // Room is made on the disk, not in the configuration.
            error.retryable || matches!(error.kind, QueueErrorKind::Late | QueueErrorKind::Full),
            "queue: ",
            if error.kind == QueueErrorKind::Full {
                "make room, and start again"
            } else if error.retryable || error.kind == QueueErrorKind::Late {
                "see that it can be reached and that no other program holds it, and start again"
            } else {
                "correct `queue`, or what it names"
            },
        ),
        CheckError::Blob(error) => (
            error.retryable,
            "",
            if error.retryable {
                "see that it can be reached, and start again"
            } else {
                "correct `blob_store`, or what it names"
            },
        ),
        // Room is made on the disk, not in the configuration.
        CheckError::Spool(_) => (true, "", "see to it, and start again"),
        CheckError::Fallback(error) => (
            error.retryable,
            "",
            if error.retryable {
                "see that it can be reached, and start again"
            } else {
                "correct `fallback`, or what it names"
            },
        ),
        _ => (false, "", "correct the configuration"),
    };
    let message = format!("{what}{}; {cure}", chain(error));
    if is_retryable {
        Failure::Failed(message)
    } else {
        Failure::Config(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::{BlobError, QueueError};

    #[test]
    fn what_may_pass_is_no_bad_configuration() {
        let queue = |kind| CheckError::from(QueueError::new(kind, "x"));
        for (error, is_retryable) in [
            (queue(QueueErrorKind::Unavailable), true),
            (queue(QueueErrorKind::Late), true),
            (queue(QueueErrorKind::Full), true),
            (queue(QueueErrorKind::Denied), false),
            (queue(QueueErrorKind::Misconfigured), false),
            (CheckError::from(BlobError::transient("x")), true),
            (CheckError::from(BlobError::permanent("x")), false),
        ] {
            match not_ready(&error) {
                Failure::Failed(message) => {
                    assert!(is_retryable, "{message}");
                    assert!(message.contains("start again"), "{message}");
                }
                Failure::Config(message) => {
                    assert!(!is_retryable, "{message}");
                    assert!(message.contains("correct `"), "{message}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
