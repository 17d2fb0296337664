//! Azure's errors in core's terms: the resource, the service's code, and the role or setting that puts it right.
//! Never a URL's query, which may be a signature, nor a service's free text, which may repeat the request.

use crate::credential::{IdentityFileError, NoToken};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::StatusCode;
use labelrelay_core::{
    BlobError, EventSourceError, QueueError, QueueErrorKind, SecretError, chain,
};
use std::error::Error as _;

/// The resource that was to be reached, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// Kind and name: ``the queue `events` of account `a` ``.
    pub(crate) what: String,
    /// The role that allows what we do with it.
    pub(crate) role: &'static str,
}

/// A failure, sorted.
#[derive(Debug)]
pub(crate) struct AzureError {
    pub(crate) kind: QueueErrorKind,
    /// Everything in one line, with the resource.
    pub(crate) message: String,
    /// The same without the resource and the cure.
    problem: String,
    /// Empty where the problem says all that is known.
    cure: String,
}

impl AzureError {
    /// `{what} {problem}` as it is told, without a cure.
    fn without_cure(kind: QueueErrorKind, problem: String, resource: &Resource) -> Self {
        Self {
            kind,
            message: format!("{} {problem}", resource.what),
            problem,
            cure: String::new(),
        }
    }

    pub(crate) fn of(error: &Error, resource: &Resource) -> Self {
        let (kind, problem) = match error.kind() {
            ErrorKind::HttpResponse {
                status, error_code, ..
            } => {
                let code = error_code.as_deref().unwrap_or_default();
                return Self::answered(*status, code, resource);
            }
            ErrorKind::Credential => return Self::no_token(error, resource),
            ErrorKind::Connection | ErrorKind::Io => (
                QueueErrorKind::Unavailable,
                format!("cannot be reached: {}", causes(error)),
            ),
            // The answer did not come from this service: a proxy, or a stranger.
            ErrorKind::DataConversion => (
                QueueErrorKind::Unproven,
                "sent an answer that cannot be read".to_owned(),
            ),
            ErrorKind::Other => (
                QueueErrorKind::Misconfigured,
                format!("cannot be asked for: {error}"),
            ),
        };
        Self::without_cure(kind, problem, resource)
    }

    /// Meaning of an HTTP status and of the service's own error code.
    pub(crate) fn answered(status: StatusCode, code: &str, resource: &Resource) -> Self {
        let what = &resource.what;
        let number = u16::from(status);
        let said = if code.is_empty() {
            format!("status {number}")
        } else {
            format!("status {number}, {}", printable(code))
        };
        let (kind, cure) = match (number, code) {
            (_, "ServerBusy") | (429, _) => (
                QueueErrorKind::Throttled,
                "it asks for fewer requests".to_owned(),
            ),
            (413, _) | (_, "RequestBodyTooLarge" | "MessageTooLarge") => (
                QueueErrorKind::TooLarge,
                "it takes none so large".to_owned(),
            ),
            (_, "QuotaExceeded" | "InsufficientAccountPermissions" | "AccountQuotaExceeded") => (
                QueueErrorKind::Full,
                "make room there, or raise its quota".to_owned(),
            ),
            (401 | 403, _) => (
                QueueErrorKind::Denied,
                format!(
                    "give this identity the role `{}` there, or renew the shared access signature; a firewall of the account refuses in the same way",
                    resource.role
                ),
            ),
            (404 | 410, _) => (
                QueueErrorKind::Misconfigured,
                "it does not exist; create it, or correct its name".to_owned(),
            ),
            (408 | 500.., _) | (409, "QueueBeingDeleted" | "ContainerBeingDeleted") => {
                (QueueErrorKind::Unavailable, "it may pass".to_owned())
            }
            _ => (
                QueueErrorKind::Misconfigured,
                "it does not take what is sent to it".to_owned(),
            ),
        };
        Self {
            kind,
            message: format!("{what}: {said}: {cure}"),
            problem: said,
            cure,
        }
    }

    /// No token: whoever gives them is out of reach, or knows no such identity.
    fn no_token(error: &Error, resource: &Resource) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut kind = QueueErrorKind::Denied;
        let mut said = "no identity is at hand".to_owned();
        let mut identity: Option<&NoToken> = None;
        while let Some(error) = cause {
            identity = identity.or_else(|| error.downcast_ref());
            if let Some(file) = error.downcast_ref::<IdentityFileError>() {
                said = file.to_string();
            }
            match error.downcast_ref::<Error>().map(Error::kind) {
                Some(ErrorKind::Connection | ErrorKind::Io) => {
                    kind = QueueErrorKind::Unavailable;
                    "the service that gives out tokens cannot be reached".clone_into(&mut said);
                }
                Some(ErrorKind::HttpResponse {
                    status, error_code, ..
                }) => {
                    let number = u16::from(*status);
                    if number >= 500 || number == 429 {
                        kind = QueueErrorKind::Unavailable;
                    }
                    said = format!(
                        "the service that gives out tokens answers with status {number}{}",
                        entra(error_code.as_deref().unwrap_or_default())
                    );
                }
                _ => {}
            }
            cause = error.source();
        }
        let role = resource.role;
        let (from, cure) = match identity {
            Some(NoToken { identity, cure, .. }) => (
                format!(" from {identity}"),
                format!("{cure}; it needs the role `{role}`"),
            ),
            None => (
                String::new(),
                format!(
                    "assign a managed identity to this app and give it the role `{role}`, or use a shared access signature"
                ),
            ),
        };
        Self {
            kind,
            message: format!("no token for {}{from}: {said}; {cure}", resource.what),
            problem: format!("no token for it{from}: {said}"),
            cure,
        }
    }

    /// The same for a consumer, its parts apart.
    pub(crate) fn into_source_error(self, resource: &Resource) -> EventSourceError {
        let retryable = self.is_retryable();
        let cure = match &*self.cure {
            "" if retryable => "it may pass",
            "" => "correct it there, or in these settings",
            cure => cure,
        };
        let error = EventSourceError::new(&resource.what, self.problem, cure);
        if retryable { error.retryable() } else { error }
    }

    fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            QueueErrorKind::Unavailable | QueueErrorKind::Throttled | QueueErrorKind::Unproven
        )
    }
}

impl From<AzureError> for QueueError {
    fn from(error: AzureError) -> Self {
        Self::new(error.kind, error.message)
    }
}

impl From<AzureError> for BlobError {
    fn from(error: AzureError) -> Self {
        if error.is_retryable() {
            Self::transient(error.message)
        } else {
            Self::permanent(error.message)
        }
    }
}

impl From<AzureError> for SecretError {
    fn from(error: AzureError) -> Self {
        if error.is_retryable() {
            Self::transient(error.message)
        } else {
            Self::permanent(error.message)
        }
    }
}

/// The code of an error of Entra ID, whose documents explain it. The text beside it is not told.
fn entra(code: &str) -> String {
    let number = code.split(',').next().unwrap_or_default();
    if number.is_empty() || number.len() > 12 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return String::new();
    }
    format!(", AADSTS{number}")
}

/// Codes are single words; anything else came from somewhere else.
fn printable(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}

/// The causes of an error of the transport, none of which know the URL's query.
fn causes(error: &Error) -> String {
    error.source().map(chain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource() -> Resource {
        Resource {
            what: "the queue `q` of account `a`".to_owned(),
            role: "Storage Queue Data Message Sender",
        }
    }

    #[test]
    fn statuses_become_kinds_and_name_the_cure() {
        for (status, code, kind) in [
            (503, "ServerBusy", QueueErrorKind::Throttled),
            (500, "OperationTimedOut", QueueErrorKind::Unavailable),
            (502, "", QueueErrorKind::Unavailable),
            (
                403,
                "AuthorizationPermissionMismatch",
                QueueErrorKind::Denied,
            ),
            (401, "", QueueErrorKind::Denied),
            (404, "QueueNotFound", QueueErrorKind::Misconfigured),
            (410, "", QueueErrorKind::Misconfigured),
            (413, "RequestBodyTooLarge", QueueErrorKind::TooLarge),
            (400, "RequestBodyTooLarge", QueueErrorKind::TooLarge),
            (403, "QuotaExceeded", QueueErrorKind::Full),
            (400, "InvalidXmlDocument", QueueErrorKind::Misconfigured),
        ] {
            let error = AzureError::answered(StatusCode::from(status), code, &resource());
            assert_eq!(error.kind, kind, "{status} {code}");
            assert!(error.message.contains("the queue `q` of account `a`"));
        }
        let denied = AzureError::answered(StatusCode::Forbidden, "X", &resource());
        assert!(
            denied
                .message
                .contains("`Storage Queue Data Message Sender`")
        );
    }

    /// Red if problem and cure are told apart by the signs in a text that others wrote.
    #[test]
    fn a_consumer_is_told_problem_and_cure_apart() {
        let refused = std::io::Error::other("connection refused: nobody: listens");
        let unreached = Error::new(ErrorKind::Io, refused);
        let told = AzureError::of(&unreached, &resource()).into_source_error(&resource());
        assert_eq!(
            told.to_string(),
            "the queue `q` of account `a`: cannot be reached: connection refused: nobody: listens: it may pass"
        );
        assert_eq!((&*told.cure, told.retryable), ("it may pass", true));
        let missing = AzureError::answered(StatusCode::NotFound, "QueueNotFound", &resource());
        let told = missing.into_source_error(&resource());
        assert_eq!(told.problem, "status 404, QueueNotFound");
        assert_eq!(
            told.cure,
            "it does not exist; create it, or correct its name"
        );
        let nobody = Error::with_message(ErrorKind::Credential, "none: at all");
        let told = AzureError::of(&nobody, &resource()).into_source_error(&resource());
        assert_eq!(told.problem, "no token for it: no identity is at hand");
        assert!(told.cure.starts_with("assign a managed identity"), "{told}");
    }

    #[test]
    fn an_odd_error_code_does_not_reach_the_log() {
        let error = AzureError::answered(StatusCode::Forbidden, "a=b&sig=%2B\n", &resource());
        assert!(!error.message.contains("sig="), "{}", error.message);
        assert!(!error.message.contains('\n'));
    }
}
