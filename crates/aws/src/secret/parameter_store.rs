//! Parameter Store: a parameter, decrypted, and the version before it.

use super::value::{self, Name};
use super::{Reply, SecretErrorContext, call};
use crate::signed_client::SignedClient;
use jiff::{SignedDuration, Timestamp};
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource, SecretStore};
use serde_json::{Value, json};

const READ: &str = "ssm:GetParameter";
const WRITE: &str = "ssm:PutParameter";
const DESCRIBE: &str = "ssm:DescribeParameters";

/// Nothing in Parameter Store says when a rotation has ended: there are no stages, and no version can be disabled. So
/// the version before is good for so long after it was replaced, which is longer than a rotation by hand takes, and not
/// for ever.
const PREVIOUS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A parameter of Systems Manager.
pub(crate) struct ParameterSecret {
    signed: SignedClient,
    reference: String,
    name: Name,
    not_after: Option<Timestamp>,
}

/// A version of a parameter.
struct Version {
    secret: Secret,
    number: u64,
    /// When it was put there, if the service says so.
    written: Option<Timestamp>,
}

/// When the version before ends, which was replaced at `replaced`: the earlier of two ends.
fn end_of_previous(replaced: Option<Timestamp>, not_after: Option<Timestamp>) -> Option<Timestamp> {
    let end = replaced.and_then(|replaced| replaced.checked_add(PREVIOUS_FOR).ok());
    match (end, not_after) {
        (Some(end), Some(not_after)) => Some(end.min(not_after)),
        (end, not_after) => end.or(not_after),
    }
}

/// A time as the service writes it: seconds since 1970, with a fraction.
fn moment(seconds: &Value) -> Option<Timestamp> {
    let since = SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since).ok()
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
        let held = self.live().await?;
        if held.is_empty() {
            return Err(self.errors(READ).absent());
        }
        Ok(held)
    }

    /// The current version alone: one call, where a start waits for it.
    async fn newest(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let current = self.version(&signed, &self.name.store).await?;
        let current = current.ok_or_else(|| self.errors(READ).absent())?;
        Ok(vec![current.secret])
    }

    /// The current version and the one before; empty where there is no such parameter.
    async fn live(&self) -> Result<Vec<Secret>, SecretError> {
        let signed = self.signed.with_own_connections();
        let Some(current) = self.version(&signed, &self.name.store).await? else {
            return Ok(Vec::new());
        };
        let mut secrets = vec![current.secret];
        // Old versions go after a hundred; a parameter that was just made has none.
        if current.number > 1 {
            let name = format!("{}:{}", self.name.store, current.number - 1);
            let previous = self.version(&signed, &name).await?;
            let end = end_of_previous(current.written, self.not_after);
            secrets.extend(previous.map(|previous| previous.secret.until(end)));
        }
        Ok(secrets)
    }

    async fn version(
        &self,
        signed: &SignedClient,
        name: &str,
    ) -> Result<Option<Version>, SecretError> {
        let body = json!({ "Name": name, "WithDecryption": true });
        let errors = self.errors(READ);
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
        Ok(Some(Version {
            secret: secret.until(self.not_after),
            number: version,
            written: member("LastModifiedDate").and_then(moment),
        }))
    }

    /// Makes a parameter; one that is there stays as it is.
    async fn make(&self, value: &str) -> Result<(), SecretError> {
        let body = json!({
            "Name": self.name.store,
            "Value": value::first(value, self.name.member.as_deref()),
            "Type": "SecureString",
            "Overwrite": false,
        });
        self.put(&body).await
    }

    /// Adds a version of the same type, under the same key: without them it would get the account's key.
    async fn put_newer(&self, value: &str) -> Result<(), SecretError> {
        if let Some(member) = &self.name.member {
            return Err(self.errors(WRITE).permanent(&value::shared(member)));
        }
        let filter = json!({ "Key": "Name", "Option": "Equals", "Values": [self.name.store] });
        let body = json!({ "ParameterFilters": [filter] });
        let action = "AmazonSSM.DescribeParameters";
        let errors = self.errors(DESCRIBE);
        let described = call(&self.signed, action, &body, &errors).await?;
        let Reply::Found(members) = described else {
            return Err(errors.absent());
        };
        let first = members
            .get("Parameters")
            .and_then(|parameters| parameters.get(0));
        let parameter = first.ok_or_else(|| errors.absent())?;
        let mut body = json!({ "Name": self.name.store, "Value": value, "Overwrite": true });
        if let Some(body) = body.as_object_mut() {
            let kept = ["Type", "KeyId", "Tier", "DataType"].into_iter();
            let kept = kept.filter_map(|name| Some((name, parameter.get(name)?)));
            body.extend(
                kept.filter(|(_, value)| value.is_string())
                    .map(|(name, value)| (name.to_owned(), value.clone())),
            );
        }
        self.put(&body).await
    }

    async fn put(&self, body: &Value) -> Result<(), SecretError> {
        let errors = SecretErrorContext {
            written: body.get("Value").and_then(Value::as_str),
            ..self.errors(WRITE)
        };
        match call(&self.signed, "AmazonSSM.PutParameter", body, &errors).await? {
            Reply::Found(_) => Ok(()),
            Reply::Absent => Err(errors.absent()),
        }
    }

    fn errors(&self, permission: &'static str) -> SecretErrorContext<'_> {
        SecretErrorContext {
            name: &self.reference,
            permission,
            key_permission: if permission == WRITE {
                "kms:Encrypt"
            } else {
                "kms:Decrypt"
            },
            region: &self.signed.region,
            written: None,
        }
    }
}

impl SecretSource for ParameterSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.both())
    }

    fn fetch_newest(&self) -> Option<BoxFuture<'_, Result<Vec<Secret>, SecretError>>> {
        Some(Box::pin(self.newest()))
    }
}

impl SecretStore for ParameterSecret {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if a version that was replaced is good for ever.
    #[test]
    fn the_version_before_ends_a_week_after_it_was_replaced() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let replaced = moment(&json!(1_764_000_000.25)).unwrap();
        assert_eq!(replaced, at("2025-11-24T16:00:00.25Z"));
        let end = at("2025-12-01T16:00:00.25Z");
        assert_eq!(end_of_previous(Some(replaced), None), Some(end));
        let (sooner, later) = (at("2025-11-25T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(end_of_previous(Some(replaced), Some(sooner)), Some(sooner));
        assert_eq!(end_of_previous(Some(replaced), Some(later)), Some(end));
        assert_eq!(end_of_previous(None, Some(later)), Some(later));
        assert_eq!(end_of_previous(None, None), None);
        assert_eq!(moment(&json!("yesterday")), None);
    }
}
