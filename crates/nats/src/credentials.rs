//! Who we are: never in the configuration itself.

use crate::failure::Failure;
use crate::location::QueueUrl;
use async_nats::ConnectOptions;
use labelrelay_core::config::{Lookup, SecretRef};
use labelrelay_core::{BackEndError, SecretSource};
use std::path::Path;

/// An identity. What is secret of it is read at each connection, so that a new one counts.
pub(crate) enum Credentials {
    None,
    User(String, Box<dyn SecretSource>),
    Token(Box<dyn SecretSource>),
    /// The seed of a key.
    Nkey(Box<dyn SecretSource>),
    /// What a `.creds` file has.
    CredsFile(Box<dyn SecretSource>),
}

impl Credentials {
    /// What the URL names.
    ///
    /// # Errors
    /// [`BackEndError`] when a reference is none, its variable is not set, or there are several identities.
    pub(crate) fn of(
        url: &QueueUrl,
        lookup: Lookup<'_>,
        base_dir: &Path,
    ) -> Result<Self, BackEndError> {
        let named: Vec<_> = ["password", "token", "nkey", "credentials"]
            .into_iter()
            .filter_map(|key| Some((key, url.query.get(key)?)))
            .collect();
        let user = url.query.get("user");
        let wrong = |problem: &str| {
            let cure = "write user=NAME&password=env:NAME, or one of token=, nkey= and credentials= with env:NAME or file:PATH";
            BackEndError::of_shown(&url.shown, problem, cure)
        };
        let (key, reference) = match named.as_slice() {
            [] if user.is_none() => return Ok(Self::None),
            [] => return Err(wrong("has a user and no password")),
            [one] => *one,
            _ => return Err(wrong("has several identities")),
        };
        let secret = opened(key, reference, url, lookup, base_dir)?;
        match (key, user) {
            ("password", Some(user)) => Ok(Self::User(user.to_owned(), secret)),
            ("password", None) => Err(wrong("has a password and no user")),
            (_, Some(_)) => Err(wrong("has a user, and another identity besides")),
            ("token", None) => Ok(Self::Token(secret)),
            ("nkey", None) => Ok(Self::Nkey(secret)),
            (_, None) => Ok(Self::CredsFile(secret)),
        }
    }

    /// Puts the identity into the options of a connection.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read, or is none.
    pub(crate) async fn apply(&self, options: ConnectOptions) -> Result<ConnectOptions, Failure> {
        Ok(match self {
            Self::None => options,
            Self::User(user, password) => {
                options.user_and_password(user.clone(), text(&**password).await?)
            }
            Self::Token(token) => options.token(text(&**token).await?),
            Self::Nkey(seed) => options.nkey(text(&**seed).await?.trim().to_owned()),
            Self::CredsFile(credentials) => {
                let credentials = text(&**credentials).await?;
                // Its error may quote what is there.
                options.credentials(&credentials).map_err(|_| {
                    Failure::of_credential("what `credentials` names is no .creds file")
                })?
            }
        })
    }
}

/// The newest value, as text.
async fn text(secret: &dyn SecretSource) -> Result<String, Failure> {
    let secrets = secret.fetch().await;
    let secrets = secrets.map_err(|error| Failure::of_credential(error.message))?;
    let newest = secrets.first().map(|secret| secret.expose().to_vec());
    String::from_utf8(newest.unwrap_or_default())
        .map_err(|_| Failure::of_credential("the credential is no text"))
}

fn opened(
    key: &str,
    reference: &str,
    url: &QueueUrl,
    lookup: Lookup<'_>,
    base_dir: &Path,
) -> Result<Box<dyn SecretSource>, BackEndError> {
    let wrong = |problem: String| {
        let cure = format!("write {key}=env:NAME or {key}=file:PATH");
        BackEndError::of_shown(&url.shown, problem, cure)
    };
    let reference = SecretRef::of_command_line(reference)
        .map_err(|_| wrong(format!("has a `{key}` that is no reference to a secret")))?;
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(base_dir.join(path)),
        other => other,
    };
    let secret = reference
        .open(None, lookup, &url.shown, key)
        .map_err(|error| {
            let problem = format!("has a `{key}` that cannot be had: {}", error.problem);
            let cure = format!("set what {reference} names to the {key} of NATS");
            BackEndError::of_shown(&url.shown, problem, cure)
        })?;
    secret.ok_or_else(|| {
        wrong(format!(
            "has its `{key}` in a store that this queue does not read"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::config::Environment;

    #[test]
    fn an_identity_is_named_by_reference_and_alone() {
        let of = |more: &str| {
            let url = format!("nats://n/EVENTS/labels{more}");
            let url = QueueUrl::parse(&url, Path::new("")).unwrap();
            let variables: Environment = [("SET", "x")].into_iter().collect();
            Credentials::of(&url, &variables, Path::new("/base"))
        };
        assert!(matches!(of(""), Ok(Credentials::None)));
        assert!(matches!(of("?token=env:SET"), Ok(Credentials::Token(_))));
        assert!(matches!(of("?nkey=file:seed"), Ok(Credentials::Nkey(_))));
        let creds = of("?credentials=file:relay.creds");
        assert!(matches!(creds, Ok(Credentials::CredsFile(_))));
        let user = of("?user=relay&password=env:SET");
        assert!(matches!(user, Ok(Credentials::User(name, _)) if name == "relay"));
        for wrong in [
            "?token=hunter2",
            "?token=env:UNSET",
            "?token=aws-ssm:/token",
            "?user=relay",
            "?password=env:SET",
            "?user=relay&token=env:SET",
            "?token=env:SET&nkey=env:SET",
        ] {
            let error = of(wrong).err().expect(wrong).to_string();
            assert!(
                error.contains("env:NAME") || error.contains("UNSET"),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
