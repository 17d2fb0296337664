//! A vault of Key Vault that keeps what it is given, one layer below the SDK: nothing installable does.

use crate::key_vault::KeyVaultSecret;
use crate::location::SettingValue;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::Result;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use azure_core::time::{Duration, OffsetDateTime};
use labelrelay_core::{Secret, SecretSource as _, SecretStore as _};
use labelrelay_testkit::clock::FakeClock;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const SECRET: &str = "https://v.vault.azure.net/secrets/hook";
const TOKEN: &str = "token-of-the-vault";
const CHALLENGE: &str = r#"Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net""#;

/// Values of the one secret, the oldest first.
#[derive(Debug, Default)]
struct Vault(Mutex<Vec<String>>);

impl Vault {
    /// The secret, as a client that has asked nothing yet.
    fn secret(self: &Arc<Self>) -> KeyVaultSecret {
        let client: Arc<dyn HttpClient> = self.clone();
        let clock = Arc::new(FakeClock::at("2026-11-24T00:00:00Z"));
        let setting = SettingValue(SECRET);
        KeyVaultSecret::open(SECRET, self.clone(), &client, clock, None, setting).unwrap()
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        let mut versions = self.0.lock().unwrap();
        let not_found = (404, json!({"error": {"code": "SecretNotFound"}}));
        let version = |at: usize| format!("{SECRET}/version{at}");
        match (request.method(), request.url().path()) {
            (Method::Put, "/secrets/hook") => {
                let Body::Bytes(body) = request.body() else {
                    panic!("a stream");
                };
                // Without its body it would be no request that a vault takes.
                let body: Value = serde_json::from_slice(body).unwrap();
                versions.push(body["value"].as_str().unwrap().to_owned());
                (200, json!({"id": version(versions.len() - 1)}))
            }
            (Method::Get, "/secrets/hook/versions") if versions.is_empty() => not_found,
            (Method::Get, "/secrets/hook/versions") => {
                // In no order that anybody promised. The times are what counts.
                let shown = (0..versions.len()).map(
                    |at| json!({"id": version(at), "attributes": {"enabled": true, "created": at}}),
                );
                (200, json!({"value": shown.collect::<Vec<_>>()}))
            }
            (Method::Get, path) => {
                let at = path.strip_prefix("/secrets/hook/version");
                let at = at.and_then(|at| at.parse::<usize>().ok());
                match at.and_then(|at| versions.get(at)) {
                    Some(value) => (200, json!({ "value": value })),
                    None => not_found,
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[async_trait]
impl HttpClient for Vault {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mut headers = Headers::new();
        let token = format!("Bearer {TOKEN}");
        let is_known = request
            .headers()
            .iter()
            .any(|(name, value)| name.as_str() == "authorization" && value.as_str() == token);
        let (status, body) = if is_known {
            self.answer(request)
        } else {
            headers.insert("www-authenticate", CHALLENGE.to_owned());
            (401_u16, json!({"error": {"code": "Unauthorized"}}))
        };
        Ok(AsyncRawResponse::from_bytes(
            status.into(),
            headers,
            body.to_string().into_bytes(),
        ))
    }
}

#[async_trait]
impl TokenCredential for Vault {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken> {
        let expires = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new(TOKEN.to_owned(), expires))
    }
}

fn texts(secrets: &[Secret]) -> Vec<String> {
    let texts = secrets.iter().map(|secret| secret.expose().to_vec());
    texts.map(|text| String::from_utf8(text).unwrap()).collect()
}

/// The steps of `labelrelay connect` and of its `--rotate`, each by a client that has asked nothing yet: the first request
/// of a client is challenged, and what it carried must not be lost.
#[tokio::test]
async fn what_is_put_is_read_and_the_second_write_of_a_rotation_ends_it() {
    let vault = Arc::new(Vault::default());
    assert!(vault.secret().held().await.unwrap().is_empty());
    vault.secret().create("first").await.unwrap();
    assert_eq!(texts(&vault.secret().held().await.unwrap()), ["first"]);
    vault.secret().create("another").await.unwrap_err();
    for held in [["second", "first"], ["second", "second"]] {
        vault.secret().add("second").await.unwrap();
        assert_eq!(texts(&vault.secret().held().await.unwrap()), held);
        assert_eq!(texts(&vault.secret().fetch().await.unwrap()), held);
    }
}
