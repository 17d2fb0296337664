//! Google Cloud: workload identity federation, and files of credentials. Its services themselves cannot be stood in for
//! here: those that emulators speak for need no identity.

use super::Wrong;
use super::stand_in::{Answer, StandIn};
use crate::support::Place;
use serde_json::{Value, json};

const SUBJECT: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c3ViamVjdA";

/// Red if a wrong identity is not told, or the metadata server is asked in its place.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn wrong_identities_are_told_and_no_other_is_asked() {
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
    let federated = |name: &str, server: &StandIn, source: Value| {
        let config = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/v1/token", server.url()),
            "service_account_impersonation_url": format!("{}/v1/projects/-/serviceAccounts/relay@p.test:generateAccessToken", server.url()),
            "credential_source": source,
        });
        let path = file(name, &config.to_string());
        vec![("GOOGLE_APPLICATION_CREDENTIALS", path)]
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
    ];
    for wrong in wrong {
        let place = || {
            Place::new()
                .with("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough")
                .with("LABELRELAY_QUEUE", "pubsub://project/events")
                .with(
                    "GCE_METADATA_HOST",
                    other.url().trim_start_matches("http://"),
                )
        };
        wrong.is_told(place, &[SUBJECT], &[&other]);
    }
}
