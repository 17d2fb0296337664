//! Parameter Store: a parameter, decrypted, and the version before it.

use super::value::{self, Name};
use super::{Reply, SecretErrorContext, call};
use crate::signed_client::SignedClient;
use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource};
use serde_json::{Value, json};

/// A parameter of Systems Manager.
pub(crate) struct ParameterSecret {
    signed: SignedClient,
    reference: String,
    name: Name,
    not_after: Option<Timestamp>,
}

impl ParameterSecret {
    pub(crate) fn new(signed: SignedClient, name: &str, not_after: Option<Timestamp>) -> Self {
        Self {
            signed,
            reference: format!("aws-ssm:{name}"),
            name: Name::parse(name),
            not_after,
        }
    }

    async fn both(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let current = self.version(&signed, &self.name.store).await?;
        let (current, version) = current.ok_or_else(|| self.error_context().absent())?;
        let mut secrets = vec![current];
        // Old versions go after a hundred; a parameter that was just made has none.
        if version > 1 {
            let name = format!("{}:{}", self.name.store, version - 1);
            let previous = self.version(&signed, &name).await?;
            secrets.extend(previous.map(|(secret, _)| secret));
        }
        Ok(secrets)
    }

    async fn version(
        &self,
        signed: &SignedClient,
        name: &str,
    ) -> Result<Option<(Secret, u64)>, SecretError> {
        let body = json!({ "Name": name, "WithDecryption": true });
        let errors = self.error_context();
        let Reply::Found(members) = call(signed, "AmazonSSM.GetParameter", &body, &errors).await?
        else {
            return Ok(None);
        };
        let parameter = members.get("Parameter");
        let member = |name: &str| parameter.and_then(|parameter| parameter.get(name));
        let stored = member("Value").and_then(Value::as_str);
        let stored = stored.ok_or_else(|| errors.garbled())?;
        let version = member("Version").and_then(Value::as_u64).unwrap_or(1);
        let value = value::secret(stored.as_bytes(), self.name.member.as_deref());
        let value = value.map_err(|problem| errors.permanent(&problem))?;
        let secret = Secret::new(format!("{} version {version}", self.reference), value)?;
        Ok(Some((secret.until(self.not_after), version)))
    }

    fn error_context(&self) -> SecretErrorContext<'_> {
        SecretErrorContext {
            name: &self.reference,
            permission: "ssm:GetParameter",
            region: &self.signed.region,
        }
    }
}

impl SecretSource for ParameterSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.both())
    }
}
