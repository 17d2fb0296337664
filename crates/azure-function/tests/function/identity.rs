//! With TLS, and the tokens of a managed identity or of an application.

use crate::setup::{QUEUE, SECRET, assert_clean, deliver, queued, start};
use labelrelay_tests::azure::handler::Handler;
use labelrelay_tests::azure::host::Host;
use labelrelay_tests::azure::identity::{Entra, HEADER, Identity, TOKEN_MARK};
use labelrelay_tests::azure::sas::ACCOUNT;
use labelrelay_tests::fixture;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Tls;
use std::path::Path;

const FEDERATED: &str = "a-federated-token";

const CLIENT_SECRET: &str = "a-client-secret";

/// Azurite on the same folder: first without TLS, to make what has to be there, then with it.
#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn identities_and_tls() {
    let mut azurite = crate::setup::azurite();
    azurite.stop();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    azurite.start_again_with(Some(&Tls {
        certificate: &certificate,
        key: &key,
    }));
    let identity = Identity::start();
    let place = |port: u16, name: &str| format!("https://127.0.0.1:{port}/{ACCOUNT}/{name}");
    let mut variables = vec![
        ("LABELBOX_WEBHOOK_SECRET", SECRET.to_owned()),
        ("LABELRELAY_QUEUE", place(azurite.queues.port(), QUEUE)),
        (
            "LABELRELAY_BLOB_STORE",
            place(azurite.blobs.port(), "claims/data"),
        ),
        ("LABELRELAY_LOG", "trace".to_owned()),
        ("LABELRELAY_DEADLINE_MS", "30000".to_owned()),
        ("SSL_CERT_FILE", certificate.display().to_string()),
    ];
    variables.extend(identity.environment());
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    let small = sender::label("token");
    let large = format!(r#"{{"id":"large","label":"{}"}}"#, "x".repeat(6 << 20)).into_bytes();
    for body in [&small, &large] {
        let answer = deliver(&host, &sender::labelbox(SECRET, "LABEL_CREATED", "d", body));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(
        (1..=4).contains(&identity.given()),
        "tokens are kept: {}",
        identity.given()
    );
    assert_clean(&handler.log(), &[TOKEN_MARK, HEADER]);
    drop(handler);
    let mut sent = vec![small, large];
    applications_get_tokens(&variables, folder.path(), &made, &mut sent, &identity);
    azurite.stop();
    azurite.start_again();
    let mut got: Vec<_> = queued(&azurite).into_values().collect();
    got.sort();
    sent.sort();
    assert!(got == sent);
}

/// Red if an application that proves itself gets no token, or if the machine's own identity is asked in its place.
fn applications_get_tokens(
    variables: &[(&'static str, String)],
    folder: &Path,
    certified: &rcgen::CertifiedKey<rcgen::KeyPair>,
    sent: &mut Vec<Vec<u8>>,
    machine: &Identity,
) {
    let entra = Entra::start(certified);
    let token = folder.join("token");
    std::fs::write(&token, FEDERATED).unwrap();
    let own = fixture::folder().join("azure/service-principal.pem");
    let given = machine.given();
    for (name, value, proof) in [
        (
            "AZURE_FEDERATED_TOKEN_FILE",
            token.display().to_string(),
            "client_assertion=a-federated-token&",
        ),
        (
            "AZURE_CLIENT_CERTIFICATE_PATH",
            own.display().to_string(),
            "client_assertion=eyJhbGciOi",
        ),
        (
            "AZURE_CLIENT_SECRET",
            CLIENT_SECRET.to_owned(),
            "client_secret=a-client-secret&",
        ),
    ] {
        let mut variables = variables.to_vec();
        variables.extend([
            ("AZURE_CLIENT_ID", "client-7".to_owned()),
            ("AZURE_TENANT_ID", "tenant-7".to_owned()),
            ("AZURE_AUTHORITY_HOST", entra.url()),
            (name, value),
        ]);
        let handler = start(&variables);
        let host = Host::start(handler.address, false);
        let body = sender::label(name);
        let answer = deliver(
            &host,
            &sender::labelbox(SECRET, "LABEL_CREATED", "d", &body),
        );
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let forms = entra.forms();
        assert!(forms.iter().any(|form| form.contains(proof)), "{name}");
        assert_clean(&handler.log(), &[TOKEN_MARK, FEDERATED, CLIENT_SECRET]);
        sent.push(body);
    }
    assert_eq!(machine.given(), given, "its own identity is not asked");
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn without_an_identity_the_start_says_what_is_missing() {
    let nowhere = [
        ("LABELBOX_WEBHOOK_SECRET", SECRET),
        ("LABELRELAY_QUEUE", "azure-queue://labelrelay/events"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"),
        ("IDENTITY_HEADER", HEADER),
    ];
    // Nobody gives tokens out now; that may pass, so it starts, and says so.
    let handler = Handler::start(crate::setup::program(), &nowhere);
    let log = eventually("it says that it is not ready", || {
        let log = handler.log();
        // The last line may not be whole yet.
        let (whole, _) = log.rsplit_once('\n')?;
        whole.contains("not_ready").then(|| whole.to_owned())
    });
    assert!(log.contains("no token for the queue `events`"), "{log}");
    assert!(log.contains("Storage Queue Data Message Sender"), "{log}");
    drop(handler);
    let identity = Identity::start();
    let [endpoint, _] = identity.environment();
    let mut refused = nowhere;
    refused[2].1 = &endpoint.1;
    refused[3].1 = "another header";
    let (status, log) = Handler::fail(crate::setup::program(), &refused);
    assert_eq!(status.code(), Some(78), "{log}");
    assert!(log.contains("status 401"), "{log}");
}
