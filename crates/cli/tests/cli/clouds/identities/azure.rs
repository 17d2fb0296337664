//! Azure: identities that are wrong. Entra ID is asked by TLS alone, so what it refuses is tried beside the code.
//! Here is what fails before that, and a managed identity.

use super::Wrong;
use super::stand_in::{Answer, StandIn};
use crate::support::Place;
use labelrelay_tests::fixture;

const SECRET: &str = "a-client-secret";

const ROLE: &str = "Storage Queue Data Message Sender";

/// A place whose machine has an identity, at `endpoint`.
fn place(endpoint: &StandIn) -> Place {
    Place::new()
        .with("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough")
        .with("LABELRELAY_QUEUE", "azure-queue://labelrelay/events")
        .with("IDENTITY_ENDPOINT", &token_endpoint(endpoint))
        .with("IDENTITY_HEADER", "a-header")
}

fn token_endpoint(of: &StandIn) -> String {
    format!("{}/msi/token", of.url())
}

/// An application's variables.
fn application(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AZURE_CLIENT_ID", "client-7".to_owned()),
        ("AZURE_TENANT_ID", "tenant-7".to_owned()),
        (name, value.to_owned()),
    ]
}

/// Red if a wrong identity is not told, or the machine's own is used in its place.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn ten_wrong_identities_are_told_and_no_other_is_asked() {
    let (machine, refuses) = (
        StandIn::trap(),
        StandIn::start(|_| Answer::of(400, format!(r#"{{"error":"{SECRET}"}}"#))),
    );
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (token, certificate) = (
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_CLIENT_CERTIFICATE_PATH",
    );
    let missing = files.path().join("missing").display().to_string();
    let pem = |name: &str| {
        let path = fixture::folder().join("azure").join(name);
        path.display().to_string()
    };
    let good = pem("service-principal.pem");
    let with = |mut variables: Vec<(&'static str, String)>, name: &'static str, value: &str| {
        variables.push((name, value.to_owned()));
        variables
    };
    let without_tenant = vec![
        ("AZURE_CLIENT_ID", "client-7".to_owned()),
        ("AZURE_CLIENT_SECRET", SECRET.to_owned()),
    ];
    let managed = vec![
        ("AZURE_CLIENT_ID", "client-7".to_owned()),
        ("IDENTITY_ENDPOINT", token_endpoint(&refuses)),
    ];
    for (name, variables, words) in [
        (
            "a token's file is missing",
            application(token, &missing),
            ["client-7", "cannot be read", "federated credential", ROLE],
        ),
        (
            "a token's file is empty",
            application(token, &file("empty", "\n")),
            ["tenant-7", "is empty", "has not ended", ROLE],
        ),
        (
            "a certificate's file is missing",
            application(certificate, &missing),
            ["client-7", "cannot read", "has the certificate in", ROLE],
        ),
        (
            "a certificate in PKCS #12",
            application(certificate, &file("identity.pfx", "0\u{1}")),
            ["client-7", "PKCS #12", "openssl pkcs12 -in", ROLE],
        ),
        (
            "a key of another certificate",
            application(certificate, &pem("another-certificate.pem")),
            ["client-7", "no certificate", "belongs to its key", ROLE],
        ),
        (
            "a certificate with a password",
            with(
                application(certificate, &good),
                "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                SECRET,
            ),
            ["_CERTIFICATE_PASSWORD", "is set", "openssl pkcs12", "unset"],
        ),
        (
            "a secret that is set to nothing",
            application("AZURE_CLIENT_SECRET", ""),
            [
                "AZURE_CLIENT_SECRET",
                "is set to nothing",
                "give it",
                "unset both",
            ],
        ),
        (
            "a secret without a tenant",
            without_tenant,
            [
                "AZURE_TENANT_ID",
                "is not set",
                "set AZURE_TENANT_ID",
                "on AKS",
            ],
        ),
        (
            "tokens without TLS",
            with(
                application(token, &missing),
                "AZURE_AUTHORITY_HOST",
                "http://127.0.0.1:1",
            ),
            ["AZURE_AUTHORITY_HOST", "https://", "unset it", "your cloud"],
        ),
        (
            "a managed identity that is not assigned",
            managed,
            ["managed identity client-7", "status 400", "assign a", ROLE],
        ),
    ] {
        let wrong = Wrong {
            name,
            variables,
            words: &words,
        };
        wrong.is_told(|| place(&machine), &[SECRET], &[&machine]);
    }
    assert!(!refuses.asked().is_empty());
}
