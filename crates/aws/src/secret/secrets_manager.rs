//! Secrets Manager: the version staged AWSCURRENT, and that staged AWSPREVIOUS where a credential needs it.

use super::value::{self, Name};
use super::{Reply, SecretErrorContext, call};
use crate::signed_client::SignedClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource, SecretStore};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const READ: &str = "secretsmanager:GetSecretValue";
const CREATE: &str = "secretsmanager:CreateSecret";
const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const WRITE: &str = "secretsmanager:PutSecretValue";

const CURRENT: &str = "AWSCURRENT";

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

    async fn both(&self) -> Result<Vec<Secret>, SecretError> {
        let held = self.live().await?;
        if held.is_empty() {
            return Err(self.errors(READ).absent());
        }
        Ok(held)
    }

    /// The current stage alone: one call, where a start waits for it.
    async fn newest(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let current = self.stage(&signed, CURRENT).await?;
        Ok(vec![current.ok_or_else(|| self.errors(READ).absent())?])
    }

    /// Both stages; empty where there is no such secret, or one without a value. One after the other over one
    /// connection: a second handshake costs more than a second question.
    async fn live(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let Some(current) = self.stage(&signed, CURRENT).await? else {
            return Ok(Vec::new());
        };
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
        let errors = self.errors(READ);
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

    /// Makes the secret, or gives its first value to one that somebody made without.
    async fn make(&self, value: &str) -> Result<(), SecretError> {
        let value = value::first(value, self.name.member.as_deref());
        let body = json!({
            "Name": self.name.store,
            "SecretString": value,
            "ClientRequestToken": token(&value),
        });
        let errors = SecretErrorContext {
            written: Some(&value),
            ..self.errors(CREATE)
        };
        let action = "secretsmanager.CreateSecret";
        match call(&self.signed, action, &body, &errors).await {
            Ok(Reply::Found(_)) => Ok(()),
            Ok(Reply::Absent) => Err(errors.absent()),
            // Templates make secrets without a value.
            Err(error) => match self.is_without_value().await {
                Ok(true) => self.put(&value).await,
                // Whoever may not look sees no difference to a secret that has one.
                Err(refused) if !refused.retryable && !error.retryable => {
                    Err(SecretError::permanent(format!(
                        "{}; or, if it is there and has no value yet, allow {DESCRIBE} and {WRITE} on it",
                        error.message
                    )))
                }
                Ok(false) | Err(_) => Err(error),
            },
        }
    }

    /// Tells whether a secret is there that has no value yet: nothing else is current.
    async fn is_without_value(&self) -> Result<bool, SecretError> {
        let body = json!({ "SecretId": self.name.store });
        let errors = self.errors(DESCRIBE);
        let action = "secretsmanager.DescribeSecret";
        let Reply::Found(members) = call(&self.signed, action, &body, &errors).await? else {
            return Ok(false);
        };
        let versions = members.get("VersionIdsToStages");
        let is_empty = versions
            .and_then(Value::as_object)
            .is_none_or(serde_json::Map::is_empty);
        Ok(is_empty && members.get("DeletedDate").is_none())
    }

    async fn put(&self, value: &str) -> Result<(), SecretError> {
        let body = json!({
            "SecretId": self.name.store,
            "SecretString": value,
            "ClientRequestToken": token(value),
        });
        let errors = SecretErrorContext {
            written: Some(value),
            ..self.errors(WRITE)
        };
        let action = "secretsmanager.PutSecretValue";
        match call(&self.signed, action, &body, &errors).await? {
            Reply::Found(_) => Ok(()),
            Reply::Absent => Err(errors.absent()),
        }
    }

    async fn put_newer(&self, value: &str) -> Result<(), SecretError> {
        match &self.name.member {
            Some(member) => Err(self.errors(WRITE).permanent(&value::shared(member))),
            None => self.put(value).await,
        }
    }

    fn errors(&self, permission: &'static str) -> SecretErrorContext<'_> {
        SecretErrorContext {
            name: &self.reference,
            permission,
            key_permission: if permission == READ {
                "kms:Decrypt"
            } else {
                "kms:GenerateDataKey and kms:Decrypt"
            },
            region: &self.signed.region,
            written: None,
        }
    }
}

/// Names a write, so that the service tells it from a repeat: of 32 to 64 characters. It becomes the version's id, which
/// more people see than the value; so it must not tell anything of that. Two writes of one value are two versions.
fn token(value: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos().to_string();
    let digest = sign_sha1(value.as_bytes(), now.as_bytes());
    digest.trim_start_matches("sha1=").to_owned()
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

    fn fetch_newest(&self) -> Option<BoxFuture<'_, Result<Vec<Secret>, SecretError>>> {
        Some(Box::pin(self.newest()))
    }
}

impl SecretStore for ManagerSecret {
    fn held(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.live())
    }

    fn create<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.make(value))
    }

    fn add<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.put_newer(value))
    }
}
