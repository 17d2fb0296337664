//! Secrets of Secret Manager.

use crate::location::SecretName;
use crate::rest::{Rest, RestError, parse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use jiff::Timestamp;
use labelrelay_core::secret::words_without;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource, SecretStore, chain};
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// A secret whose newest two enabled versions are live: a rotation adds a version, and ends by disabling
/// the one before. Without permission to list versions, it reads `latest` and the number before it, if that is enabled.
/// One trailing line break is not part of a secret: `echo` puts it there.
pub struct SecretManagerSecret {
    name: SecretName,
    rest: Rest,
    not_after: Option<Timestamp>,
}

/// Pages of a list of versions. A secret with more of them than that has been rotated every hour for months, or the
/// list has no end.
const MOST_PAGES: usize = 30;

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    versions: Vec<Version>,
    /// Where the list goes on; empty at its end.
    #[serde(default, rename = "nextPageToken")]
    next: String,
}

#[derive(Deserialize)]
struct Version {
    /// `projects/…/secrets/…/versions/N`, with the project's number.
    name: String,
}

#[derive(Deserialize)]
struct Access {
    #[serde(default)]
    name: String,
    payload: SecretPayload,
}

#[derive(Deserialize)]
struct SecretPayload {
    data: String,
}

/// A version that was read.
struct Live {
    number: Option<u64>,
    secret: Secret,
}

impl SecretManagerSecret {
    pub(crate) fn new(name: SecretName, rest: Rest, not_after: Option<Timestamp>) -> Self {
        Self {
            name,
            rest,
            not_after,
        }
    }

    async fn read(&self) -> Result<Vec<Secret>, SecretError> {
        if let Some(version) = &self.name.version {
            return Ok(vec![self.named(version).await?.secret]);
        }
        match self.listed().await {
            Ok(numbers) => {
                let mut secrets = Vec::new();
                for number in numbers {
                    secrets.push(self.named(&number).await?.secret);
                }
                Ok(secrets)
            }
            // Permission to read a secret does not include permission to list its versions.
            Err(error) if error.status() == Some(StatusCode::FORBIDDEN) => self.latest().await,
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Numbers of the newest two enabled versions, the newest first.
    async fn listed(&self) -> Result<Vec<String>, RestError> {
        let numbers = self.numbers("state:ENABLED").await?;
        if numbers.is_empty() {
            let message =
                "it has no enabled version; add one: gcloud secrets versions add".to_owned();
            return Err(RestError::refused(StatusCode::NOT_FOUND, message));
        }
        Ok(numbers)
    }

    /// Numbers of the newest two versions of a state. A page may have fewer than it could, or none, and be followed by
    /// another one: only a list that ended says that there are no more.
    async fn numbers(&self, state: &str) -> Result<Vec<String>, RestError> {
        let path = format!("/v1/{}/versions", self.name.resource);
        let (mut numbers, mut token) = (Vec::new(), String::new());
        for page in 0..MOST_PAGES {
            // Two are nearly always on the first page.
            let size = if page == 0 { "2" } else { "100" };
            let mut query = vec![("filter", state), ("pageSize", size)];
            if page > 0 {
                query.push(("pageToken", token.as_str()));
            }
            let request = self.rest.request(Method::GET, &path).query(&query);
            let body = self.rest.send(request).await?;
            let Versions { versions, next } = parse(&body)?;
            let number = |version: &Version| Some(version.name.rsplit('/').next()?.to_owned());
            numbers.extend(versions.iter().filter_map(number));
            if numbers.len() >= 2 || next.is_empty() {
                numbers.truncate(2);
                return Ok(numbers);
            }
            token = next;
        }
        Err(RestError::Garbled)
    }

    /// The newest version, and the one numbered before it if that can be read.
    async fn latest(&self) -> Result<Vec<Secret>, SecretError> {
        let newest = self.named("latest").await?;
        let mut secrets = vec![newest.secret];
        if let Some(before) = newest.number.and_then(|number| number.checked_sub(1)) {
            match self.access(&before.to_string()).await {
                Ok(version) => secrets.push(version.secret),
                Err(error) if error.is_retryable() => return Err(self.error(&error)),
                // Disabled, destroyed, or never there.
                Err(_) => {}
            }
        }
        Ok(secrets)
    }

    async fn named(&self, version: &str) -> Result<Live, SecretError> {
        self.access(version)
            .await
            .map_err(|error| self.error(&error))
    }

    async fn access(&self, version: &str) -> Result<Live, RestError> {
        let path = format!("/v1/{}/versions/{version}:access", self.name.resource);
        let body = self
            .rest
            .send(self.rest.request(Method::GET, &path))
            .await?;
        let access: Access = parse(&body)?;
        let mut value = STANDARD
            .decode(access.payload.data)
            .map_err(|_| RestError::Garbled)?;
        if value.last() == Some(&b'\n') {
            value.pop();
            if value.last() == Some(&b'\r') {
                value.pop();
            }
        }
        let number = access.name.rsplit('/').next().unwrap_or(version);
        let name = format!("gcp-secretmanager:{}/versions/{number}", self.name.resource);
        let number = number.parse().ok();
        let secret = Secret::new(name, value)
            .map_err(|error| RestError::refused(StatusCode::UNPROCESSABLE_ENTITY, error.message))?;
        Ok(Live {
            number,
            secret: secret.until(self.not_after),
        })
    }

    /// Values that are read, or nothing where there is no such secret, or one without a version. One whose versions are
    /// disabled is an error: somebody may want them back, and nothing may be put on top of that. A destroyed version
    /// never comes back.
    async fn live(&self) -> Result<Vec<Secret>, SecretError> {
        if self.name.version.is_some() {
            return self.read().await;
        }
        match self.listed().await {
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.none_disabled().await.map(|()| Vec::new())
            }
            // Who may not list may not see that there is none either: reading says the same as ever.
            _ => self.read().await,
        }
    }

    async fn none_disabled(&self) -> Result<(), SecretError> {
        match self.numbers("state:DISABLED").await {
            Ok(numbers) => numbers.first().map_or(Ok(()), |number| {
                Err(SecretError::permanent(format!(
                    "the secret {} has no enabled version, and version {number} is disabled: enable the one that is to be read (gcloud secrets versions enable), or add a new one yourself (gcloud secrets versions add)",
                    self.name.resource
                )))
            }),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Makes the secret, or gives its first version to one that somebody made without.
    async fn make(&self, value: &str) -> Result<(), SecretError> {
        let (project, name) = self.project_and_name()?;
        let request = self
            .rest
            .request(Method::POST, &format!("/v1/{project}/secrets"));
        let request = request.query(&[("secretId", name)]);
        let request = body(request, &json!({ "replication": { "automatic": {} } }));
        match self.rest.send(request).await {
            Ok(_) => {}
            // Templates make secrets without a version.
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                if !self.live().await?.is_empty() {
                    return Err(SecretError::permanent(format!(
                        "the secret {}: somebody has put one there meanwhile; run this again",
                        self.name.resource
                    )));
                }
            }
            Err(error) => {
                let right = "secretmanager.secrets.create (or make the secret yourself, without a version: gcloud secrets create)";
                return Err(self.not_written(error, value, right));
            }
        }
        self.put(value).await
    }

    async fn put(&self, value: &str) -> Result<(), SecretError> {
        self.project_and_name()?;
        let path = format!("/v1/{}:addVersion", self.name.resource);
        let request = self.rest.request(Method::POST, &path);
        let request = body(
            request,
            &json!({ "payload": { "data": STANDARD.encode(value) } }),
        );
        let right = "secretmanager.versions.add (roles/secretmanager.secretVersionAdder)";
        let sent = self.rest.send(request).await;
        sent.map(drop)
            .map_err(|error| self.not_written(error, value, right))
    }

    /// The two parts of the name, unless it is one of a version: those never change.
    fn project_and_name(&self) -> Result<(&str, &str), SecretError> {
        let parts = self.name.resource.split_once("/secrets/");
        parts
            .filter(|_| self.name.version.is_none())
            .ok_or_else(|| {
                SecretError::permanent(format!(
                    "the secret {}: the reference names one version, and a version never changes; take /versions/… away from it",
                    self.name.resource
                ))
            })
    }

    /// Tells why `value` was not written, and never the value.
    fn not_written(&self, error: RestError, value: &str, right: &str) -> SecretError {
        let error = match error {
            RestError::Refused {
                status, message, ..
            } => RestError::refused(status, words_without(value, &message).to_owned()),
            other => other,
        };
        let resource = &self.name.resource;
        let message = match error.status().map(|status| status.as_u16()) {
            Some(401 | 403) => format!(
                "the secret {resource} may not be written: that needs {right}; Secret Manager {error}"
            ),
            _ => format!(
                "the secret {resource} was not written: Secret Manager {}",
                chain(&error)
            ),
        };
        if error.is_retryable() {
            SecretError::transient(message)
        } else {
            SecretError::permanent(message)
        }
    }

    fn error(&self, error: &RestError) -> SecretError {
        let resource = &self.name.resource;
        let message = match error.status().map(|status| status.as_u16()) {
            Some(401 | 403) => format!(
                "the secret {resource} may not be read: that needs secretmanager.versions.access (roles/secretmanager.secretAccessor); Secret Manager {error}"
            ),
            Some(404) => format!("the secret {resource} is not there; Secret Manager {error}"),
            _ => format!("the secret {resource}: Secret Manager {}", chain(error)),
        };
        if error.is_retryable() {
            SecretError::transient(message)
        } else {
            SecretError::permanent(message)
        }
    }
}

fn body(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string())
}

impl SecretSource for SecretManagerSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.read())
    }
}

impl SecretStore for SecretManagerSecret {
    fn held(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.live())
    }

    fn create<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.make(value))
    }

    fn add<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.put(value))
    }
}

impl fmt::Debug for SecretManagerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretManagerSecret({})", self.name.resource)
    }
}
