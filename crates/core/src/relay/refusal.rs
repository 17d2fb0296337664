//! Why a request ends without an event: what the sender is told, and what the log is.

use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::request::RequestHead;
use crate::secret::{Secret, SecretError};
use crate::signature::{CredentialError, SecretHeader, credential_headers};
use crate::spool::SpoolError;

/// Why a request ends here.
pub(super) struct Refusal {
    pub(super) answer: Answer,
    pub(super) reason: Option<String>,
    pub(super) secrets_tried: Vec<String>,
}

impl Refusal {
    pub(super) fn new(outcome: Outcome, message: &str) -> Self {
        Self {
            answer: Answer::refusal(outcome, message),
            reason: Some(message.to_owned()),
            secrets_tried: Vec::new(),
        }
    }

    /// The answer; everything else goes into the report.
    pub(super) fn reported(
        self,
        report: &mut Report,
        head: &RequestHead,
        scheme: Option<&SecretHeader>,
    ) -> Answer {
        report.outcome = self.answer.outcome;
        report.reason = self.reason;
        report.secrets_tried = self.secrets_tried;
        if matches!(report.outcome, Outcome::Unauthorized | Outcome::Malformed) {
            report.credential_headers = credential_headers(head, scheme);
        }
        self.answer
    }

    /// The same refusal, for a path that belongs to a source only because no other one owns it: often
    /// a name that was misspelt in the webhook's URL. The log says which names there are; a stranger is not
    /// told.
    pub(super) fn on_the_path_of<'n>(
        self,
        source: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        let reason = format!(
            "{}; no source has this path, so it belongs to `{source}`: is the URL right? The sources are {}",
            self.reason.as_deref().unwrap_or_default(),
            names.join(", ")
        );
        Self {
            reason: Some(reason),
            ..self
        }
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(
            Outcome::TooLarge,
            &format!("the body is larger than {limit} bytes (max_body_bytes)"),
        )
    }

    pub(super) fn too_many_deliveries(limit: u64) -> Self {
        Self::overloaded(format!("{limit} deliveries are under way (max_in_flight)"))
    }

    pub(super) fn no_memory_left(limit: u64) -> Self {
        Self::overloaded(format!(
            "the deliveries under way fill {limit} bytes of memory (max_bytes_in_flight)"
        ))
    }

    /// More than may be under way at once. The observer hears the reason, once a flood.
    pub(super) fn overloaded(bound: String) -> Self {
        Self {
            reason: Some(bound),
            ..Self::new(
                Outcome::Overloaded,
                "too many deliveries are under way; try again",
            )
        }
    }

    pub(super) fn credential(error: &CredentialError, tried: &[Secret]) -> Self {
        let outcome = if error.is_malformed() {
            Outcome::Malformed
        } else {
            Outcome::Unauthorized
        };
        Self {
            secrets_tried: tried
                .iter()
                .map(|secret| format!("{} ({})", secret.name(), secret.fingerprint()))
                .collect(),
            ..Self::new(outcome, &error.to_string())
        }
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Self::credential(&error, &[])
    }
}

impl From<SpoolError> for Refusal {
    fn from(error: SpoolError) -> Self {
        Self {
            reason: Some(error.to_string()),
            ..Self::new(
                Outcome::Unavailable,
                "the body cannot be stored now; try again",
            )
        }
    }
}

impl From<SecretError> for Refusal {
    fn from(error: SecretError) -> Self {
        Self {
            reason: Some(error.message),
            ..Self::new(
                Outcome::Unavailable,
                "the secrets cannot be read now; try again",
            )
        }
    }
}

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            reason: None,
            secrets_tried: Vec::new(),
        }
    }
}
