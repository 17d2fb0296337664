//! Google Cloud: workload identity federation, and files of credentials. Its services themselves cannot be stood in for
//! here: those that emulators speak for need no identity.

use super::Wrong;
use super::stand_in::{Answer, StandIn};
use crate::support::Place;
use serde_json::{Value, json};

const SUBJECT: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c3ViamVjdA";

/// A key, or what stands for one.
const KEY: &str = "a-secret-key";

/// What gcloud leaves of a user, for whom `server` gives tokens out.
fn user(server: &StandIn) -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "gcloud",
        "client_secret": KEY,
        "refresh_token": KEY,
        "token_uri": format!("{}/v1/token", server.url()),
    })
}

/// Address at which `server` lets a service account be impersonated.
fn impersonation(server: &StandIn) -> String {
    let url = server.url();
    format!("{url}/v1/projects/-/serviceAccounts/relay@p.test:generateAccessToken")
}

/// A server's address, as the variable of the metadata server has it.
fn host(server: &StandIn) -> String {
    server.url().trim_start_matches("http://").to_owned()
}

/// Red if a wrong identity is not told, or the metadata server is asked in its place.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn ten_wrong_identities_are_told_and_no_other_is_asked() {
    let other = StandIn::trap();
    let refuses = StandIn::start(|_| {
        Answer::of(
            400,
            json!({
                "error": "invalid_grant",
                "error_description": format!("The audience of {SUBJECT} does not match"),
            })
            .to_string(),
        )
    });
    let denies = StandIn::start(|asked| {
        if asked.line.contains(":generateAccessToken") {
            let message = "Permission 'iam.serviceAccounts.getAccessToken' denied";
            return Answer::of(
                403,
                json!({ "error": { "code": 403, "message": message, "status": "PERMISSION_DENIED" } })
                    .to_string(),
            );
        }
        let token = json!({
            "access_token": "federated",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        });
        Answer::good(token.to_string()).with("Content-Type: application/json")
    });
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let token = file("token", SUBJECT);
    let in_json = file("token.json", &json!({ "other": SUBJECT }).to_string());
    let missing = files.path().join("missing").display().to_string();
    let of_file = |name: &str, contents: &Value| {
        let path = file(name, &contents.to_string());
        vec![("GOOGLE_APPLICATION_CREDENTIALS", path)]
    };
    let nobody = StandIn::start(|_| Answer::of(404, "no service account"));
    let federated = |name: &str, server: &StandIn, source: Value| {
        let config = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/v1/token", server.url()),
            "service_account_impersonation_url": impersonation(server),
            "credential_source": source,
        });
        of_file(name, &config)
    };
    let wrong = [
        Wrong {
            name: "no such file",
            variables: vec![("GOOGLE_APPLICATION_CREDENTIALS", missing.clone())],
            words: &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "missing",
                "correct or unset it",
            ],
        },
        Wrong {
            name: "no file of credentials",
            variables: vec![("GOOGLE_APPLICATION_CREDENTIALS", token.clone())],
            words: &["GOOGLE_APPLICATION_CREDENTIALS", "correct or unset it"],
        },
        Wrong {
            name: "the token's file is missing",
            variables: federated("a.json", &refuses, json!({ "file": missing })),
            words: &[
                "relay@p.test",
                "No such file",
                "roles/iam.workloadIdentityUser",
            ],
        },
        Wrong {
            name: "the token has another name in its file",
            variables: federated(
                "b.json",
                &refuses,
                json!({
                    "file": in_json,
                    "format": { "type": "json", "subject_token_field_name": "token" },
                }),
            ),
            words: &[
                "relay@p.test",
                "subject token field `token`",
                "has not ended",
            ],
        },
        Wrong {
            name: "STS refuses the token",
            variables: federated("c.json", &refuses, json!({ "file": token })),
            words: &["relay@p.test", "does not match", "audience and attributes"],
        },
        Wrong {
            name: "the service account may not be impersonated",
            variables: federated("d.json", &denies, json!({ "file": token })),
            words: &["relay@p.test", "403", "roles/iam.workloadIdentityUser"],
        },
        Wrong {
            name: "the user of gcloud is logged out",
            variables: of_file("e.json", &user(&refuses)),
            words: &[
                "the user of gcloud",
                "does not match",
                "gcloud auth application-default login",
            ],
        },
        Wrong {
            name: "the user may not impersonate the service account",
            variables: of_file(
                "f.json",
                &json!({
                    "type": "impersonated_service_account",
                    "service_account_impersonation_url": impersonation(&denies),
                    "source_credentials": user(&denies),
                }),
            ),
            words: &[
                "relay@p.test",
                "403",
                "roles/iam.serviceAccountTokenCreator",
            ],
        },
        Wrong {
            name: "the key of a service account is none",
            variables: of_file(
                "g.json",
                &json!({
                    "type": "service_account",
                    "client_email": "relay@p.test",
                    "project_id": "p",
                    "private_key_id": "1",
                    "private_key": KEY,
                }),
            ),
            words: &["relay@p.test", "private key", "make another key"],
        },
        Wrong {
            name: "the machine has no service account",
            variables: vec![("GCE_METADATA_HOST", host(&nobody))],
            words: &[
                "its metadata server",
                "failed to fetch",
                "give the service, VM or pod",
            ],
        },
    ];
    for wrong in wrong {
        let place = || {
            Place::new()
                .with("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough")
                .with("LABELRELAY_QUEUE", "pubsub://project/events")
                .with("GCE_METADATA_HOST", &host(&other))
        };
        wrong.is_told(place, &[SUBJECT, KEY], &[&other]);
    }
}
