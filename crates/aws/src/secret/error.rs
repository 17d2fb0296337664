//! Errors of a secret store and of the network, in core's terms and with the cure. Answers are never quoted whole:
//! they may hold the secret.

use crate::json_answer::message;
use crate::quoted_text::quoted;
use crate::signed_client::NoResponse;
use labelrelay_core::SecretError;
use labelrelay_core::secret::words_without;
use serde_json::Value;

/// Subject of an error.
pub(super) struct SecretErrorContext<'a> {
    /// The reference, as it was configured.
    pub(super) name: &'a str,
    pub(super) permission: &'static str,
    /// The permission on the KMS key, if a key of the user's own encrypts the secret.
    pub(super) key_permission: &'static str,
    pub(super) region: &'a str,
    /// The value that is written, if any: no error tells it.
    pub(super) written: Option<&'a str>,
}

impl SecretErrorContext<'_> {
    pub(super) fn no_response(&self, error: &NoResponse) -> SecretError {
        if error.is_permanent() {
            return self.permanent(&error.to_string());
        }
        SecretError::transient(format!("the secret {}: {error}", self.name))
    }

    pub(super) fn garbled(&self) -> SecretError {
        SecretError::transient(format!(
            "the secret {}: what answered is not the secret store, or something in between",
            self.name
        ))
    }

    pub(super) fn absent(&self) -> SecretError {
        self.permanent(&format!(
            "there is none of that name in region {}; create it, or check name and region",
            self.region
        ))
    }

    pub(super) fn permanent(&self, problem: &str) -> SecretError {
        SecretError::permanent(format!("the secret {}: {problem}", self.name))
    }

    /// Meaning of the store's own error code.
    pub(super) fn stated(&self, status: u16, code: &str, members: Option<&Value>) -> SecretError {
        let said = message(members);
        let names_key = said.contains("kms:");
        let said = match self.written {
            Some(value) => words_without(value, said),
            None => said,
        };
        let said = quoted(said);
        match code {
            "AccessDeniedException" | "AccessDenied" if names_key => self.permanent(&format!(
                "it is encrypted with a KMS key that cannot be used; allow {} on it ({said})", self.key_permission
            )),
            "AccessDeniedException" | "AccessDenied" => self.permanent(&format!(
                "allow {} on it to this role ({said})", self.permission
            )),
            "ResourceExistsException" | "ParameterAlreadyExists" => {
                self.permanent("somebody has put one there meanwhile; run this again")
            }
            "EncryptionFailure" => self.permanent(&format!(
                "it cannot be encrypted; allow kms:GenerateDataKey and kms:Encrypt on its key, and check that the key is enabled ({said})"
            )),
            "DecryptionFailure" | "InvalidKeyId" => self.permanent(&format!(
                "it cannot be decrypted; allow kms:Decrypt on its key, and check that the key is enabled ({said})"
            )),
            "InvalidRequestException" if self.written.is_some() => self.permanent(&format!(
                "it cannot be written; was it deleted? `aws secretsmanager restore-secret` brings it back, and a name is free again only after the days that a deletion waits ({said})"
            )),
            "InvalidRequestException" => self.permanent(&format!(
                "it cannot be read; was it deleted? `aws secretsmanager restore-secret` brings it back ({said})"
            )),
            "ExpiredTokenException" | "ExpiredToken" => self.permanent("the credentials have expired; renew them"),
            "UnrecognizedClientException" | "InvalidSignatureException" | "InvalidClientTokenId"
            | "IncompleteSignatureException" | "MissingAuthenticationTokenException" => self.permanent(&format!(
                "the credentials were refused; check them and the clock of this machine ({said})"
            )),
            "ValidationException" | "InvalidParameterException" => {
                self.permanent(&format!("the store does not understand the name ({said})"))
            }
            // Throttled, in trouble, or not the store at all.
            _ => SecretError::transient(format!(
                "the secret {}: the store answered {status} {code} ({said})",
                self.name
            )),
        }
    }
}
