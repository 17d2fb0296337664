use super::*;
use crate::error::{AzureError, Resource};
use crate::stub::Stub;
use azure_core::http::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use labelrelay_core::QueueErrorKind;
use labelrelay_core::config::Environment;
use labelrelay_tests::fixture;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, alg_id};
use rustls::server::ParsedCertificate;
use serde_json::Value;

const SCOPE: &str = "https://storage.azure.com/.default";
const GOOD: &str =
    r#"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"a-token"}"#;

fn identity(
    variables: &[(&str, &str)],
    answers: &[(u16, &str)],
) -> (Arc<Stub>, Result<Arc<Identity>, BackEndError>) {
    let stub = Stub::answering(answers);
    let client: Arc<dyn HttpClient> = stub.clone();
    let environment: Environment = variables.iter().copied().collect();
    let made = credential(&environment, &client);
    (stub, made)
}

fn of_aks(file: &str) -> [(&str, &str); 3] {
    [
        (CLIENT, "client-7"),
        (TENANT, "tenant-7"),
        (TOKEN_FILE, file),
    ]
}

fn by_certificate(file: &str) -> [(&str, &str); 3] {
    [
        (CLIENT, "client-7"),
        (TENANT, "tenant-7"),
        (CERTIFICATE, file),
    ]
}

/// Path of a fixture.
fn pem(name: &str) -> String {
    let path = fixture::folder().join("azure").join(name);
    path.display().to_string()
}

fn body(request: &azure_core::http::Request) -> String {
    let Body::Bytes(bytes) = request.body() else {
        panic!("a form is bytes");
    };
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_workload_identity_sends_the_token_that_its_file_has_now() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let file = path.to_str().unwrap();
    let (stub, made) = identity(&of_aks(file), &[(200, GOOD)]);
    let identity = made.unwrap();
    for word in ["client-7", "tenant-7", file] {
        assert!(identity.name().contains(word), "{}", identity.name());
    }
    // Each scope has a token of its own, so each asks.
    for (token, scope) in [
        ("first-token", SCOPE),
        ("second-token", "https://vault.azure.net/.default"),
    ] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        let got = identity.get_token(&[scope], None).await.unwrap();
        assert_eq!(got.token.secret(), "a-token");
        let asked = stub.requests().pop().unwrap();
        assert_eq!(
            asked.url().as_str(),
            "https://login.microsoftonline.com/tenant-7/oauth2/v2.0/token"
        );
        let form = body(&asked);
        assert!(
            form.contains(&format!("client_assertion={token}&")),
            "{form}"
        );
    }
}

/// Header and claims of an assertion, whose signature must be that of the certificate.
fn read_assertion(assertion: &str, certificate: &CertificateDer<'_>) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = ParsedCertificate::try_from(certificate).unwrap();
    let key = key.subject_public_key_info();
    let algorithms = default_provider().signature_verification_algorithms.all;
    let algorithm = algorithms.iter().find(|one| {
        one.signature_alg_id() == alg_id::RSA_PSS_SHA256
            && one.public_key_alg_id() == alg_id::RSA_ENCRYPTION
    });
    // What is before the key itself has the same length for each key of 2048 bits.
    let verified = algorithm
        .unwrap()
        .verify_signature(&key[24..], signed.as_bytes(), &signature);
    assert!(verified.is_ok(), "another signature: {assertion}");
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (header, claims) = signed.split_once('.').unwrap();
    (part(header), part(claims))
}

#[tokio::test]
async fn a_service_principal_signs_with_the_key_of_its_certificate() {
    let file = pem("service-principal.pem");
    let text = std::fs::read(&file).unwrap();
    let certificate = CertificateDer::from_pem_slice(&text).unwrap();
    for (chain, authority) in [
        (None, None),
        (Some("true"), Some("https://login.microsoftonline.us/")),
    ] {
        let mut variables = by_certificate(&file).to_vec();
        variables.extend(chain.map(|said| (SEND_CHAIN, said)));
        variables.extend(authority.map(|host| (AUTHORITY, host)));
        let (stub, made) = identity(&variables, &[(200, GOOD)]);
        let identity = made.unwrap();
        for word in ["service principal client-7", "tenant-7", &*file] {
            assert!(identity.name().contains(word), "{}", identity.name());
        }
        let got = identity.get_token(&[SCOPE], None).await.unwrap();
        assert_eq!(got.token.secret(), "a-token");
        let form = body(&stub.requests().pop().unwrap());
        let (_, assertion) = form.split_once("client_assertion=").unwrap();
        let (assertion, _) = assertion.split_once('&').unwrap();
        let (header, claims) = read_assertion(assertion, &certificate);
        assert_eq!(header["alg"], "PS256");
        assert_eq!(
            header["x5t#S256"], "vOTWqVREOhKE7BPV_mn-ndLjuGVK-j8i_CK68cKxGqw",
            "as OpenSSL computes it"
        );
        match chain {
            None => assert_eq!(header.get("x5c"), None),
            Some(_) => assert_eq!(header["x5c"][0], STANDARD.encode(&certificate)),
        }
        let host = authority.unwrap_or("https://login.microsoftonline.com/");
        assert_eq!(claims["aud"], format!("{host}tenant-7/oauth2/v2.0/token"));
        for name in ["iss", "sub"] {
            assert_eq!(claims[name], "client-7");
        }
        let time = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(time("exp") - time("nbf"), 600, "{claims}");
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    }
}

#[tokio::test]
async fn a_managed_identity_is_asked_for_at_the_machine() {
    let answer = r#"{"access_token":"of-the-machine","expires_on":"4102444800","token_type":"Bearer","resource":"https://storage.azure.com"}"#;
    let (stub, made) = identity(&[(CLIENT, "client-7")], &[(200, answer)]);
    let identity = made.unwrap();
    assert_eq!(identity.name(), "managed identity client-7");
    let got = identity.get_token(&[SCOPE], None).await.unwrap();
    assert_eq!(got.token.secret(), "of-the-machine");
    let asked = stub.requests().pop().unwrap();
    assert_eq!(asked.url().host_str(), Some("169.254.169.254"));
    assert!(asked.url().as_str().contains("client_id=client-7"));
}

/// Red if a key that others can read is not told, or if a certificate's file that is none is waited for.
#[cfg(unix)]
#[tokio::test]
async fn a_certificates_file_is_one_that_nobody_else_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.pem");
    std::fs::copy(pem("service-principal.pem"), &path).unwrap();
    let made = |file: &str| identity(&by_certificate(file), &[(500, "{}")]).1.unwrap();
    let identity = made(path.to_str().unwrap());
    for (mode, is_open) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let doubt = identity.doubt();
        let is_told = doubt.is_some_and(|doubt| doubt.contains("chmod 600"));
        assert_eq!(is_told, is_open, "{mode:o}");
    }
    let device = made("/dev/null");
    let error = device.get_token(&[SCOPE], None).await.unwrap_err();
    let resource = Resource {
        what: "the queue `q` of account `a`".to_owned(),
        role: "Storage Queue Data Message Sender",
    };
    let told = AzureError::of(&error, &resource).message;
    assert!(told.contains("/dev/null is a device"), "{told}");
}

/// Red if a wrong identity is told without its resource, its problem or its cure, or another one is asked in its place.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn ten_wrong_identities_are_told_and_no_other_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (token, empty) = (file("token", "a-secret-assertion"), file("empty", "\n"));
    let missing = directory.path().join("missing").display().to_string();
    let entra = r#"{"error":"invalid_client","error_codes":[700016],"error_description":"AADSTS700016: no a-secret-assertion"}"#;
    let by_secret = [
        (CLIENT, "client-7"),
        (TENANT, "tenant-7"),
        (SECRET, "a-client-secret"),
    ];
    let no_certificate = r#"{"error":"invalid_client","error_codes":[700027],"error_description":"AADSTS700027: no a-secret-assertion"}"#;
    let good = pem("service-principal.pem");
    let another = pem("another-certificate.pem");
    let (pkcs12, locked) = (
        file("identity.pfx", "0\u{1}"),
        file("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
    );
    let resource = Resource {
        what: "the queue `q` of account `a`".to_owned(),
        role: "Storage Queue Data Message Sender",
    };
    for (variables, answer, words) in [
        (
            &of_aks(&missing)[..],
            (500, "{}"),
            ["client-7", "cannot be read", "federated credential"],
        ),
        (
            &of_aks(&empty)[..],
            (500, "{}"),
            ["client-7", "is empty", "has not ended"],
        ),
        (
            &of_aks(&token)[..],
            (400, entra),
            [
                "tenant-7",
                "status 400, AADSTS700016",
                "issuer, subject and audience",
            ],
        ),
        (
            &by_secret[..],
            (401, entra),
            [
                "service principal client-7",
                "status 401",
                "another client secret",
            ],
        ),
        (
            &by_certificate(&missing)[..],
            (500, "{}"),
            [
                "client-7",
                "cannot read the secret file",
                "has the certificate in",
            ],
        ),
        (
            &by_certificate(&pkcs12)[..],
            (500, "{}"),
            ["client-7", "PKCS #12", "openssl pkcs12 -in"],
        ),
        (
            &by_certificate(&locked)[..],
            (500, "{}"),
            ["client-7", "a key with a password", "openssl pkey -in"],
        ),
        (
            &by_certificate(&another)[..],
            (500, "{}"),
            [
                "client-7",
                "no certificate that belongs to its key",
                "has the certificate in",
            ],
        ),
        (
            &by_certificate(&good)[..],
            (401, no_certificate),
            [
                "service principal client-7",
                "status 401, AADSTS700027",
                "has not ended",
            ],
        ),
        (
            &[(CLIENT, "client-7")][..],
            (400, "{}"),
            ["managed identity client-7", "status 400", "AZURE_CLIENT_ID"],
        ),
    ] {
        let (stub, made) = identity(variables, &[answer]);
        let error = made.unwrap().get_token(&[SCOPE], None).await.unwrap_err();
        let told = AzureError::of(&error, &resource);
        assert_eq!(told.kind, QueueErrorKind::Denied, "{}", told.message);
        for word in words.iter().chain(&[&*resource.what, resource.role]) {
            assert!(told.message.contains(word), "no {word} in {}", told.message);
        }
        assert!(!told.message.contains("a-secret"), "{}", told.message);
        assert!(
            !told.message.contains("a-client-secret"),
            "{}",
            told.message
        );
        assert!(stub.requests().len() <= 1, "{:?}", stub.requests());
    }
}

#[test]
fn half_of_an_identity_is_told_before_anything_is_asked() {
    for (variables, blamed) in [
        (&[(TOKEN_FILE, "/token"), (TENANT, "tenant-7")][..], CLIENT),
        (&[(TOKEN_FILE, "/token"), (CLIENT, "client-7")][..], TENANT),
        (
            &[(SECRET, "a-client-secret"), (CLIENT, "client-7")][..],
            TENANT,
        ),
        (
            &[
                (SECRET, "a-client-secret"),
                (CLIENT, "c"),
                (TENANT, "no tenant"),
            ][..],
            TENANT,
        ),
        (&[(CERTIFICATE, "/c.pem"), (TENANT, "t")][..], CLIENT),
        // The machine's own identity would be used in its place.
        (&[(SECRET, ""), (CLIENT, "c"), (TENANT, "t")][..], SECRET),
        (&[(TOKEN_FILE, ""), (TENANT, "t")][..], TOKEN_FILE),
        (
            &[
                (CERTIFICATE, "/c.pem"),
                (CERTIFICATE_PASSWORD, "a-client-secret"),
                (CLIENT, "c"),
                (TENANT, "t"),
            ][..],
            CERTIFICATE_PASSWORD,
        ),
        (
            &[
                (CERTIFICATE, "/c.pem"),
                (SEND_CHAIN, "perhaps"),
                (CLIENT, "c"),
                (TENANT, "t"),
            ][..],
            SEND_CHAIN,
        ),
        (
            &[
                (TOKEN_FILE, "/token"),
                (CLIENT, "c"),
                (TENANT, "t"),
                (AUTHORITY, "http://login.test"),
            ][..],
            AUTHORITY,
        ),
    ] {
        let (stub, made) = identity(variables, &[(500, "{}")]);
        let error = made.unwrap_err();
        assert_eq!(error.resource, blamed);
        assert!(!error.to_string().contains("a-client-secret"), "{error}");
        assert!(stub.requests().is_empty());
    }
}

/// Red if the machine's own identity is used without a word where somebody may have meant another.
#[test]
fn a_tenant_that_a_managed_identity_does_not_need_is_a_doubt() {
    for (variables, is_told) in [
        (&[(CLIENT, "client-7"), (TENANT, "tenant-7")][..], true),
        (&[(CLIENT, "client-7")][..], false),
        (&[(CLIENT, "client-7"), (SECRET, "")][..], false),
        (&of_aks("/token")[..], false),
    ] {
        let (_, made) = identity(variables, &[(500, "{}")]);
        let doubt = made.unwrap().doubt();
        let found = doubt.is_some_and(|doubt| doubt.contains("or unset AZURE_TENANT_ID"));
        assert_eq!(found, is_told, "{variables:?}");
    }
}
