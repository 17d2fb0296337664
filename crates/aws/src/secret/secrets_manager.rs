//! Secrets Manager: the versions staged AWSCURRENT and AWSPREVIOUS.

use super::value::{self, Name};
use super::{Reply, SecretErrorContext, call};
use crate::signed_client::SignedClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource};
use serde_json::{Value, json};

/// A secret of Secrets Manager.
pub(crate) struct ManagerSecret {
    signed: SignedClient,
    reference: String,
    name: Name,
    not_after: Option<Timestamp>,
}

impl ManagerSecret {
    pub(crate) fn new(signed: SignedClient, name: &str, not_after: Option<Timestamp>) -> Self {
        Self {
            signed,
            reference: format!("aws-secretsmanager:{name}"),
            name: Name::parse(name),
            not_after,
        }
    }

    /// One after the other over one connection: a second handshake costs more than a second question.
    async fn both(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let current = self.stage(&signed, "AWSCURRENT").await?;
        let current = current.ok_or_else(|| self.error_context().absent())?;
        // Without it, a delivery that was signed before a rotation would be refused as a forgery; so it
        // is an error when it cannot be read, and none when there is none.
        let previous = self.stage(&signed, "AWSPREVIOUS").await?;
        Ok([Some(current), previous].into_iter().flatten().collect())
    }

    async fn stage(
        &self,
        signed: &SignedClient,
        stage: &str,
    ) -> Result<Option<Secret>, SecretError> {
        let body = json!({ "SecretId": self.name.store, "VersionStage": stage });
        let errors = self.error_context();
        let Reply::Found(members) =
            call(signed, "secretsmanager.GetSecretValue", &body, &errors).await?
        else {
            return Ok(None);
        };
        let stored = stored(&members).ok_or_else(|| errors.garbled())?;
        let value = value::secret(&stored, self.name.member.as_deref());
        let value = value.map_err(|problem| errors.permanent(&problem))?;
        let secret = Secret::new(format!("{} {stage}", self.reference), value)?;
        Ok(Some(secret.until(self.not_after)))
    }

    fn error_context(&self) -> SecretErrorContext<'_> {
        SecretErrorContext {
            name: &self.reference,
            permission: "secretsmanager:GetSecretValue",
            region: &self.signed.region,
        }
    }
}

/// The stored secret, kept as text or as bytes.
fn stored(members: &Value) -> Option<Vec<u8>> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match text("SecretString") {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => STANDARD.decode(text("SecretBinary")?).ok(),
    }
}

impl SecretSource for ManagerSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.both())
    }
}
