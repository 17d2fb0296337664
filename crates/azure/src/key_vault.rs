//! Secrets in Key Vault.
//!
//! Each change of a secret there makes a version. The newest two that are enabled are live, so that a
//! rotation refuses nobody: a platform goes on signing with the old one until it is told the new one. What
//! shall end at once is disabled in the vault; what shall end later gets an expiry there.

use crate::error::{AzureError, Resource};
use crate::location::SettingValue;
use crate::transport::options;
use azure_core::credentials::TokenCredential;
use azure_core::error::{Error, ErrorKind, Result};
use azure_core::http::{HttpClient, Url};
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::models::{SecretClientGetSecretOptions, SecretProperties};
use azure_security_keyvault_secrets::{ResourceExt as _, SecretClient, SecretClientOptions};
use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use labelrelay_core::BackEndError;
use labelrelay_core::{BoxFuture, Clock, Secret, SecretError, SecretSource};
use std::sync::Arc;

/// The current one, and the one before.
const LIVE: usize = 2;

/// One secret of a vault.
pub struct KeyVaultSecret {
    pub(crate) client: SecretClient,
    clock: Arc<dyn Clock>,
    pub(crate) name: String,
    /// Only this version, where the reference names one.
    pub(crate) version: Option<String>,
    not_after: Option<Timestamp>,
    pub(crate) resource: Resource,
}

pub(crate) struct Version {
    id: String,
    created: i64,
    expires: Option<Timestamp>,
}

impl KeyVaultSecret {
    /// Reads `VAULT/NAME`, or a secret's identifier as the portal shows it.
    pub(crate) fn open(
        reference: &str,
        credential: Arc<dyn TokenCredential>,
        client: &Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        not_after: Option<Timestamp>,
        setting: SettingValue<'_>,
    ) -> std::result::Result<Self, BackEndError> {
        let wrong = || {
            setting.error(
                "does not name a secret in Key Vault",
                "write azure-keyvault:VAULT/SECRET, or azure-keyvault: and the secret's identifier (https://…/secrets/…)",
            )
        };
        let (vault, name, version) = parse(reference).ok_or_else(wrong)?;
        let what = format!("the secret `{name}` of {vault}");
        let options = SecretClientOptions {
            client_options: options(client),
            ..SecretClientOptions::default()
        };
        let client = SecretClient::new(&vault, credential, Some(options)).map_err(|_| wrong())?;
        Ok(Self {
            client,
            clock,
            name,
            version,
            not_after,
            resource: Resource {
                what,
                role: "Key Vault Secrets User",
            },
        })
    }

    pub(crate) async fn live(&self) -> std::result::Result<Vec<Secret>, SecretError> {
        let listed = self.listed().await;
        let (versions, _) = listed.map_err(|error| self.failed(&error))?;
        if versions.is_empty() {
            let message = format!(
                "{} has no version that is enabled and in force",
                self.resource.what
            );
            return Err(SecretError::permanent(message));
        }
        let reads = versions.iter().map(|version| self.read(version));
        try_join_all(reads).await
    }

    /// Versions in force, the newest first, and the number of those that are not.
    pub(crate) async fn listed(&self) -> Result<(Vec<Version>, usize)> {
        if let Some(id) = &self.version {
            let id = id.clone();
            let version = Version {
                id,
                created: 0,
                expires: None,
            };
            return Ok((vec![version], 0));
        }
        let now = self.clock.now().as_second();
        let mut all = self
            .client
            .list_secret_properties_versions(&self.name, None)?;
        let (mut versions, mut others) = (Vec::new(), 0);
        while let Some(properties) = all.try_next().await? {
            match in_force(&properties, now)? {
                Some(version) => versions.push(version),
                None => others += 1,
            }
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.created));
        versions.truncate(LIVE);
        Ok((versions, others))
    }

    async fn read(&self, version: &Version) -> std::result::Result<Secret, SecretError> {
        let options = SecretClientGetSecretOptions {
            secret_version: Some(version.id.clone()),
            ..SecretClientGetSecretOptions::default()
        };
        let read = async {
            let answer = self.client.get_secret(&self.name, Some(options)).await?;
            answer.into_model()
        };
        let value = read.await.map_err(|error| self.failed(&error))?.value;
        let short: String = version.id.chars().take(8).collect();
        let name = format!("azure-keyvault:{} {short}", self.name);
        let ends = [self.not_after, version.expires]
            .into_iter()
            .flatten()
            .min();
        Ok(Secret::new(name, value.unwrap_or_default())?.until(ends))
    }

    fn failed(&self, error: &Error) -> SecretError {
        AzureError::of(error, &self.resource).into()
    }
}

impl SecretSource for KeyVaultSecret {
    fn fetch(&self) -> BoxFuture<'_, std::result::Result<Vec<Secret>, SecretError>> {
        Box::pin(self.live())
    }
}

/// A version, unless it is disabled, expired or not yet begun.
fn in_force(properties: &SecretProperties, now: i64) -> Result<Option<Version>> {
    let id = properties
        .resource_id()?
        .version
        .ok_or_else(|| Error::with_message(ErrorKind::DataConversion, "a version without an id"))?;
    let attributes = properties.attributes.clone().unwrap_or_default();
    let at = |time: Option<OffsetDateTime>| time.map(OffsetDateTime::unix_timestamp);
    let expires = at(attributes.expires);
    let begun = at(attributes.not_before).is_none_or(|begin| begin <= now);
    let over = expires.is_some_and(|end| end < now);
    let live = attributes.enabled == Some(true) && begun && !over;
    Ok(live.then(|| Version {
        id,
        created: at(attributes.created).unwrap_or_default(),
        expires: expires.and_then(|end| Timestamp::from_second(end).ok()),
    }))
}

/// Vault's URL, name, version.
fn parse(reference: &str) -> Option<(String, String, Option<String>)> {
    let good = |text: &str| {
        (1..=127).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if reference.contains("://") {
        let url = Url::parse(reference).ok()?;
        let mut parts = url.path_segments()?;
        let (kind, name, version) = (parts.next()?, parts.next()?, parts.next());
        let version = version.filter(|version| !version.is_empty());
        let plain = url.scheme() == "https" && url.query().is_none() && parts.next().is_none();
        let named = kind == "secrets" && good(name) && version.is_none_or(good);
        let vault = url.origin().ascii_serialization();
        return (plain && named).then(|| (vault, name.to_owned(), version.map(str::to_owned)));
    }
    let (vault, name) = reference.split_once('/')?;
    (good(vault) && good(name)).then(|| {
        (
            format!("https://{vault}.vault.azure.net"),
            name.to_owned(),
            None,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::Stub;
    use labelrelay_core::SecretStore as _;
    use labelrelay_testkit::clock::FakeClock;

    const CHALLENGE: &str = r#"Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net""#;

    fn secret(reference: &str, stub: &Arc<Stub>) -> KeyVaultSecret {
        let client: Arc<dyn HttpClient> = stub.clone();
        let setting = SettingValue(reference);
        let clock = Arc::new(FakeClock::at("2026-11-24T00:00:00Z"));
        KeyVaultSecret::open(reference, stub.clone(), &client, clock, None, setting).unwrap()
    }

    fn version(id: &str, created: i64, more: &str) -> String {
        format!(
            r#"{{"id":"https://v.vault.azure.net/secrets/hook/{id}","attributes":{{"enabled":true,"created":{created}{more}}}}}"#
        )
    }

    #[tokio::test]
    async fn the_newest_two_versions_in_force_are_live() {
        let versions = [
            version("oldest", 100, ""),
            version("expired", 500, r#","exp":600"#),
            version("current", 400, r#","exp":4000000000"#),
            version("future", 600, r#","nbf":4000000000"#),
            version("previous", 300, ""),
            version("disabled", 700, "").replace("true", "false"),
        ];
        let list = format!(r#"{{"value":[{}]}}"#, versions.join(","));
        let stub = Stub::answering(&[
            (401, ""),
            (200, &list),
            (200, r#"{"value":"new-secret"}"#),
            (200, r#"{"value":"old-secret"}"#),
        ]);
        stub.first_with_header("www-authenticate", CHALLENGE);
        let live = secret("v/hook", &stub).fetch().await.unwrap();
        let values: Vec<_> = live.iter().map(Secret::expose).collect();
        assert_eq!(values, [b"new-secret".as_slice(), b"old-secret"]);
        assert!(live[0].is_live("2026-11-24T00:00:00Z".parse().unwrap()));
        assert!(!live[0].is_live("2126-11-24T00:00:00Z".parse().unwrap()));
        let urls: Vec<_> = stub
            .requests()
            .iter()
            .map(|r| r.url().path().to_owned())
            .collect();
        assert_eq!(
            urls[1..],
            [
                "/secrets/hook/versions",
                "/secrets/hook/current",
                "/secrets/hook/previous"
            ]
        );
        assert!(!format!("{live:?}").contains("secret\""));
    }

    #[tokio::test]
    async fn a_refusal_names_secret_and_role() {
        let stub =
            Stub::answering(&[(403, r#"{"error":{"code":"Forbidden","message":"caller"}}"#)]);
        let error = secret("v/hook", &stub).fetch().await.unwrap_err();
        assert!(!error.retryable);
        for part in [
            "`hook`",
            "https://v.vault.azure.net",
            "`Key Vault Secrets User`",
        ] {
            assert!(error.message.contains(part), "{}", error.message);
        }
    }

    #[tokio::test]
    async fn a_secret_is_put_where_there_is_none_and_gets_newer_versions() {
        let stub = Stub::answering(&[
            (404, r#"{"error":{"code":"SecretNotFound"}}"#),
            (200, r#"{"value":"value"}"#),
        ]);
        let store = secret("v/hook", &stub);
        store.create("value").await.unwrap();
        store.add("newer").await.unwrap();
        let requests = stub.requests();
        let asked: Vec<_> = requests
            .iter()
            .map(|request| format!("{} {}", request.method(), request.url().path()))
            .collect();
        let put = "PUT /secrets/hook";
        assert_eq!(asked, ["GET /secrets/hook/versions", put, put]);
    }

    #[tokio::test]
    async fn a_secret_is_not_replaced_and_a_refusal_names_the_role() {
        let list = format!(r#"{{"value":[{}]}}"#, version("one", 100, ""));
        let stub = Stub::answering(&[(200, &list), (200, &list), (200, r#"{"value":"here"}"#)]);
        let taken = secret("v/hook", &stub).create("value").await.unwrap_err();
        assert!(taken.message.contains("meanwhile"), "{taken}");
        assert!(
            stub.requests()
                .iter()
                .all(|one| one.method().as_ref() == "GET")
        );
        for (status, word) in [
            (403, "`Key Vault Secrets Officer`"),
            (409, "recover or purge"),
        ] {
            let stub = Stub::answering(&[(status, r#"{"error":{"code":"X","message":"y"}}"#)]);
            let error = secret("v/hook", &stub).add("value").await.unwrap_err();
            assert!(!error.retryable && error.message.contains(word), "{error}");
            assert!(
                error.message.contains("`hook`") && !error.message.contains("value"),
                "{error}"
            );
        }
        let pinned = "https://v.vault.azure.net/secrets/hook/0123abc";
        let error = secret(pinned, &stub).add("value").await.unwrap_err();
        assert!(error.message.contains("never changes"), "{error}");
    }

    #[tokio::test]
    async fn nothing_is_put_on_top_of_disabled_versions() {
        let disabled = version("one", 100, "").replace("true", "false");
        let list = format!(r#"{{"value":[{disabled}]}}"#);
        let stub = Stub::answering(&[(200, &list), (200, &list)]);
        let store = secret("v/hook", &stub);
        for error in [
            store.held().await.unwrap_err(),
            store.create("value").await.unwrap_err(),
        ] {
            assert!(
                !error.retryable && error.message.contains("disabled"),
                "{error}"
            );
        }
        let asked = stub.requests();
        assert!(asked.iter().all(|one| one.method().as_ref() == "GET"));
    }

    #[test]
    fn references() {
        let id = "https://v.vault.usgovcloudapi.net/secrets/hook";
        let vault = "https://v.vault.usgovcloudapi.net".to_owned();
        assert_eq!(parse(id), Some((vault.clone(), "hook".into(), None)));
        let pinned = parse(&format!("{id}/0123abc"));
        assert_eq!(pinned, Some((vault, "hook".into(), Some("0123abc".into()))));
        for wrong in [
            "hook",
            "v/",
            "/hook",
            "v/a/b",
            "http://v/secrets/hook",
            "https://v/keys/hook",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
