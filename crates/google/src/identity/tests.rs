use super::*;
use crate::credentials_and_endpoints::provide_tls;
use crate::stub::Stub;
use google_cloud_auth::credentials::external_account;
use labelrelay_core::config::Environment;
use serde_json::json;

fn whose(contents: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    std::fs::write(&file, contents).unwrap();
    Whose::of_file(&file).identity
}

#[test]
fn an_identity_is_told_by_the_kind_of_its_file() {
    for (contents, words) in [
        (
            r#"{"type":"external_account","service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/relay@p.iam.gserviceaccount.com:generateAccessToken"}"#,
            "service account relay@p.iam.gserviceaccount.com, by workload identity federation as in ",
        ),
        (
            r#"{"type":"external_account"}"#,
            "the principal of workload identity federation as in ",
        ),
        (
            r#"{"type":"service_account","client_email":"relay@p","private_key":"secret"}"#,
            "service account relay@p, by its key in ",
        ),
        (
            r#"{"type":"impersonated_service_account","service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/relay@p:generateAccessToken"}"#,
            "service account relay@p, impersonated as in ",
        ),
        (
            r#"{"type":"impersonated_service_account"}"#,
            "a service account that is impersonated as in ",
        ),
        (
            r#"{"type":"authorized_user"}"#,
            "the user of gcloud, as in ",
        ),
        ("nonsense", "the file "),
    ] {
        let told = whose(contents);
        assert!(told.starts_with(words), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
    let nothing = Environment::default();
    let machine = Whose::of(&nothing);
    assert!(machine.identity().contains("metadata server"));
}

/// Red if a token that the library quotes reaches a log.
#[test]
fn quoted_bodies_are_not_repeated() {
    for (message, expected) in [
        (
            r#"failed to read subject token field `t` as string, body=<{"token":"a-secret"}>"#,
            "failed to read subject token field `t` as string",
        ),
        (
            r#"failed to exchange token, body=<{"error":"invalid_grant","error_description":"The audience does not match."}>"#,
            "failed to exchange token: The audience does not match.",
        ),
        (
            r#"failed to fetch token, body=<{"error":{"code":403,"message":"Permission denied on eyJhbGciOi.a.b"}}>"#,
            "failed to fetch token: Permission denied on [redacted]",
        ),
        ("failed, body=<a-secret>", "failed"),
        (
            "error sending request for url (http://127.0.0.1/subject?key=a-secret)",
            "error sending request for url (http://127.0.0.1/subject",
        ),
    ] {
        let error = CredentialsError::from_msg(false, message);
        assert_eq!(said(&error), expected);
    }
}

/// Google's STS, the address at which a service account is impersonated, and one that gives out a token.
fn google() -> Stub {
    provide_tls();
    Stub::start(|path| match path {
        "/v1/token" => (
            200,
            r#"{"access_token":"federated","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#,
        ),
        "/serviceaccounts/relay@p:generateaccesstoken" => (
            200,
            r#"{"accessToken":"of-the-account","expireTime":"2099-01-01T00:00:00Z"}"#,
        ),
        "/subject" => (200, "a-subject-token"),
        _ => (404, "{}"),
    })
}

fn federated(stub: &Stub, source: &Value) -> (tempfile::TempDir, Identity) {
    let endpoint = stub.endpoint();
    let config = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{endpoint}/v1/token"),
        "service_account_impersonation_url": format!("{endpoint}/serviceAccounts/relay@p:generateAccessToken"),
        "credential_source": source,
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let make = Box::new(move || external_account::Builder::new(config.clone()).build());
    let identity = Identity::with(Whose::of_file(&file), make, Duration::ZERO).unwrap();
    (directory, identity)
}

async fn authorization(identity: &Identity) -> Result<String, CredentialsError> {
    match identity.headers(Extensions::new()).await? {
        CacheableResource::New { data, .. } => {
            Ok(data["authorization"].to_str().unwrap().to_owned())
        }
        CacheableResource::NotModified => panic!("nothing was shown"),
    }
}

#[tokio::test]
async fn a_subject_token_becomes_one_of_the_service_account() {
    let stub = google();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "a-subject-token").unwrap();
    for source in [
        json!({ "file": file }),
        json!({ "url": format!("{}/subject", stub.endpoint()) }),
    ] {
        let (_directory, identity) = federated(&stub, &source);
        assert_eq!(
            authorization(&identity).await.unwrap(),
            "Bearer of-the-account",
            "{source}"
        );
    }
    let heads = stub.heads();
    let impersonated = heads
        .iter()
        .find(|head| head.starts_with("post /serviceaccounts/"));
    assert!(impersonated.unwrap().contains("bearer federated"));
}

/// Red if an identity that was refused stays so after it was mended.
#[tokio::test]
async fn a_token_that_comes_late_is_taken() {
    let stub = google();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let (_directory, identity) = federated(&stub, &json!({ "file": file }));
    let error = authorization(&identity).await.unwrap_err();
    let told = no_credentials(&error)
        .expect("an error of ours")
        .to_string();
    for word in [
        "relay@p",
        file.to_str().unwrap(),
        "No such file",
        "roles/iam.workloadIdentityUser",
    ] {
        assert!(told.contains(word), "{told}");
    }
    std::fs::write(&file, "a-subject-token").unwrap();
    assert_eq!(
        authorization(&identity).await.unwrap(),
        "Bearer of-the-account"
    );
}
