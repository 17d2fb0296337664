//! `infra/google`, deployed by Terraform to a provider that has the real one's schema.

use crate::terraform::{Deployment, GOOGLE, Operation};
use crate::tool::run;
use serde_json::Value;

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn it_deploys_and_a_second_time_changes_nothing() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[]);
    let operations = deployment.operations();
    for (kind, count) in [
        ("google_cloud_run_v2_service", 1),
        ("google_cloud_run_v2_job", 1),
        ("google_cloud_scheduler_job", 1),
        ("google_pubsub_topic", 2),
        ("google_pubsub_subscription", 2),
        ("google_storage_bucket", 2),
        ("google_secret_manager_secret_version", 2),
        ("google_monitoring_alert_policy", 6),
        ("google_service_account", 3),
    ] {
        assert_eq!(of(&operations, kind).count(), count, "{kind}");
    }

    // Generated secrets went to Secret Manager, and nowhere else.
    let made: Vec<&str> = of(&operations, "google_secret_manager_secret_version")
        .map(|operation| operation.config["secret_data_wo"].as_str().unwrap())
        .collect();
    assert!(made.iter().all(|secret| secret.len() == 40), "{made:?}");
    assert_ne!(made[0], made[1]);
    let state = std::fs::read_to_string(deployment.folder().join("terraform.tfstate")).unwrap();
    assert!(made.iter().all(|secret| !state.contains(secret)));

    // The fallback never expires, claims outlive all messages.
    for bucket in of(&operations, "google_storage_bucket") {
        let rules = bucket.state["lifecycle_rule"].as_array().unwrap();
        let deleting = rules
            .iter()
            .find(|rule| rule["action"][0]["type"] == "Delete" && !is_of_traces(rule));
        let days = deleting.map(|rule| rule["condition"][0]["age"].as_u64().unwrap());
        if bucket.state["name"]
            .as_str()
            .unwrap()
            .ends_with("-fallback")
        {
            assert_eq!(days, None);
        } else {
            assert!(days > Some(62));
        }
    }

    let again = deployment.with_variables("plan", &["-detailed-exitcode", "-input=false"], &[]);
    assert_eq!(again.status.code(), Some(0), "a second plan has no changes");
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn the_redrive_gets_no_secret_and_nobody_but_the_scheduler_starts_it() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[]);
    let operations = deployment.operations();
    let job = of(&operations, "google_cloud_run_v2_job").next().unwrap();
    let container = &job.state["template"][0]["template"][0]["containers"][0];
    assert_eq!(container["args"], serde_json::json!(["redrive"]));
    let names: Vec<&str> = environment(container).map(|(name, _)| name).collect();
    assert!(!names.contains(&"LABELRELAY_CONFIG_TOML"), "{names:?}");
    assert!(names.contains(&"LABELRELAY_FALLBACK"), "{names:?}");
    let readers: Vec<_> = of(&operations, "google_secret_manager_secret_iam_member")
        .map(|operation| operation.state["member"].as_str().unwrap())
        .collect();
    assert!(
        readers
            .iter()
            .all(|member| member.contains("labelrelay-relay@"))
    );
    let starters: Vec<_> = of(&operations, "google_cloud_run_v2_job_iam_member").collect();
    assert_eq!(starters.len(), 1);
    let starter = starters[0].state["member"].as_str().unwrap();
    assert!(starter.contains("labelrelay-scheduler@"), "{starter}");
}

/// Tells whether a rule for lifecycles is that of traces alone.
fn is_of_traces(rule: &Value) -> bool {
    rule["condition"][0]["matches_prefix"] == serde_json::json!(["traces/"])
}

/// Settings that turn reconcile on.
const RECONCILE: [&str; 3] = [
    "reconcile_image=labelrelay:1",
    "reconcile_url=https://label-studio.example.org",
    "reconcile_token=projects/a-project/secrets/label-studio-token",
];

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn missed_events_are_fetched_on_a_schedule_when_that_is_asked_for() {
    let deployment = Deployment::new(&GOOGLE);
    let set = [&RECONCILE[..], &["reconcile_minutes=10", "fallback=false"]].concat();
    deployment.apply(&set);
    let operations = deployment.operations();

    let job = of(&operations, "google_cloud_run_v2_job").next().unwrap();
    let task = &job.state["template"][0]["template"][0];
    let container = &task["containers"][0];
    assert_eq!(container["image"], "labelrelay:1");
    let bucket = "labelrelay-123456789012-fallback";
    let ledger = format!("gs://{bucket}/ledger");
    let args = serde_json::json!(["pull", "label-studio", "--ledger", ledger]);
    assert_eq!(container["args"], args);
    // The token comes from its secret, and appears nowhere else.
    let variables = container["env"].as_array().unwrap();
    let token = variables
        .iter()
        .find(|variable| variable["name"] == "LABEL_STUDIO_API_KEY")
        .unwrap();
    let reference = &token["value_source"][0]["secret_key_ref"][0];
    assert_eq!(
        (&token["value"], &reference["secret"]),
        (&Value::Null, &"label-studio-token".into())
    );
    // Its events are those of the relay's source, and go where the relay's go.
    let service = of(&operations, "google_cloud_run_v2_service")
        .next()
        .unwrap();
    let relay = &service.state["template"][0]["containers"][0];
    for name in [
        "LABELRELAY_QUEUE",
        "LABELRELAY_BLOB_STORE",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_TRACES",
    ] {
        assert_eq!(variable(container, name), variable(relay, name));
    }
    let traces = format!("gs://{bucket}/traces");
    assert_eq!(variable(relay, "LABELRELAY_TRACES"), traces);

    // A run is over before the next one begins.
    let schedule = of(&operations, "google_cloud_scheduler_job")
        .next()
        .unwrap();
    assert_eq!(schedule.state["schedule"], "*/10 * * * *");
    assert_eq!(task["timeout"], "540s");

    // The ledger's bucket is there without a fallback too, and nothing in it expires.
    let kept = of(&operations, "google_storage_bucket")
        .find(|operation| operation.state["name"] == bucket)
        .unwrap();
    let rules = kept.state["lifecycle_rule"].as_array().unwrap();
    assert!(
        rules
            .iter()
            .all(|rule| rule["action"][0]["type"] != "Delete" || is_of_traces(rule))
    );

    // Of all that, it may touch the ledger, make claims, publish and read its token.
    let held = |kind: &str| -> Vec<(String, String)> {
        let of_it = of(&operations, kind).filter(|operation| {
            let member = operation.state["member"].as_str().unwrap();
            member.contains("labelrelay-reconcile@")
        });
        of_it
            .map(|operation| {
                let role = operation.state["role"].as_str().unwrap().to_owned();
                let condition = operation.state["condition"][0]["expression"].as_str();
                (role, condition.unwrap_or_default().to_owned())
            })
            .collect()
    };
    let mut buckets = held("google_storage_bucket_iam_member");
    buckets.sort();
    let [(claims, _), (ledger, condition)] = &buckets[..] else {
        panic!("{buckets:?}")
    };
    assert_eq!(
        (claims.as_str(), ledger.as_str()),
        ("roles/storage.objectCreator", "roles/storage.objectUser")
    );
    for limit in [
        "/objects/ledger/\")",
        "startsWith(\"ledger/\")",
        "/objects/traces/\")",
        "startsWith(\"traces/\")",
    ] {
        assert!(condition.contains(limit), "{condition}");
    }
    assert_eq!(held("google_pubsub_topic_iam_member").len(), 1);
    assert_eq!(held("google_secret_manager_secret_iam_member").len(), 1);

    let again = deployment.with_variables("plan", &["-detailed-exitcode", "-input=false"], &set);
    assert_eq!(again.status.code(), Some(0), "a second plan has no changes");
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn one_account_starts_both_jobs_and_nobody_else_does() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[&RECONCILE[..], &["reconcile_minutes=60", "traces=false"]].concat());
    let operations = deployment.operations();
    let starters: Vec<_> = of(&operations, "google_cloud_run_v2_job_iam_member")
        .map(|operation| operation.state["member"].as_str().unwrap())
        .collect();
    assert_eq!(starters.len(), 2);
    assert!(
        starters
            .iter()
            .all(|member| member.contains("labelrelay-scheduler@"))
    );
    let schedules: Vec<_> = of(&operations, "google_cloud_scheduler_job")
        .map(|operation| operation.state["schedule"].as_str().unwrap())
        .collect();
    assert_eq!(schedules.len(), 2);
    assert!(schedules.contains(&"0 * * * *"), "{schedules:?}");
    // Traces are a write for each event: whoever wants none has none.
    for kind in ["google_cloud_run_v2_service", "google_cloud_run_v2_job"] {
        for made in of(&operations, kind) {
            let state = made.state.to_string();
            assert!(state.contains("LABELRELAY_QUEUE"), "{state}");
            assert!(!state.contains("LABELRELAY_TRACES"), "{state}");
        }
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn resources_that_you_bring_are_not_made() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[
        "topic=projects/other/topics/mine",
        "claims_bucket=my-claims",
        "fallback_bucket=my-fallback",
        "labelbox_secret=projects/other/secrets/lb",
        "label_studio_secret=projects/other/secrets/ls",
        "labelbox_allowed_addresses=[\"203.0.113.0/24\"]",
        "trusted_proxies=2",
        "ordering=true",
    ]);
    let operations = deployment.operations();
    for kind in [
        "google_pubsub_topic",
        "google_pubsub_subscription",
        "google_storage_bucket",
        "google_secret_manager_secret",
        "google_secret_manager_secret_version",
    ] {
        assert_eq!(of(&operations, kind).count(), 0, "{kind}");
    }
    let service = of(&operations, "google_cloud_run_v2_service")
        .next()
        .unwrap();
    let container = &service.state["template"][0]["containers"][0];
    let value = |name| variable(container, name);
    assert_eq!(
        value("LABELRELAY_QUEUE"),
        "pubsub://other/mine?ordering=partition"
    );
    assert_eq!(value("LABELRELAY_BLOB_STORE"), "gs://my-claims/claims");
    assert_eq!(value("LABELRELAY_FALLBACK"), "gs://my-fallback/fallback");
    let config = value("LABELRELAY_CONFIG_TOML");
    for line in [
        "secret = \"gcp-secretmanager:projects/other/secrets/lb\"",
        "allow = [\"203.0.113.0/24\"]",
        "trusted_proxies = 2",
    ] {
        assert!(config.lines().any(|found| found == line), "{config}");
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_rotation_adds_a_version_and_keeps_the_one_before() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[]);
    deployment.operations();
    deployment.apply(&["labelbox_secret_version=2"]);
    let operations = deployment.operations();
    let operations: Vec<_> = operations
        .iter()
        .map(|operation| {
            (
                operation.what.as_str(),
                operation.kind.as_str(),
                &operation.state,
            )
        })
        .collect();
    // The provider leaves a version enabled that is destroyed with this policy.
    let [("create", made, _), ("delete", ended, state)] = operations.as_slice() else {
        panic!("{operations:?}")
    };
    assert_eq!(
        (*made, *ended),
        (
            "google_secret_manager_secret_version",
            "google_secret_manager_secret_version"
        )
    );
    assert_eq!(state["deletion_policy"], "ABANDON");
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn without_a_fallback_nothing_of_it_is_there() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&["fallback=false", "label_studio=false", "keep_events=false"]);
    let operations = deployment.operations();
    assert_eq!(of(&operations, "google_cloud_run_v2_job").count(), 0);
    assert_eq!(of(&operations, "google_cloud_scheduler_job").count(), 0);
    assert_eq!(of(&operations, "google_storage_bucket").count(), 1);
    assert_eq!(of(&operations, "google_secret_manager_secret").count(), 1);
    let service = of(&operations, "google_cloud_run_v2_service")
        .next()
        .unwrap();
    let container = &service.state["template"][0]["containers"][0];
    assert!(environment(container).all(|(name, _)| name != "LABELRELAY_FALLBACK"));
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn mistakes_are_found() {
    let deployment = Deployment::new(&GOOGLE);
    let refused = |set: &[&str], says: &str| {
        let output = deployment.with_variables("plan", &["-input=false"], set);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(says),
            "{set:?}: {said}"
        );
    };
    refused(
        &["labelbox=false", "label_studio=false"],
        "cannot both be false",
    );
    refused(&["claim_retention_days=62"], "must be more than 62");
    refused(&["topic=mine"], "projects/PROJECT/topics/NAME");
    refused(&RECONCILE[..2], "are given together");
    refused(&RECONCILE[1..], "are given together");
    refused(
        &["archive_image=x", "topic=projects/other/topics/mine"],
        "needs the topic that is made here",
    );
    let without = |more| [&RECONCILE[..], &[more]].concat();
    refused(&without("label_studio=false"), "label_studio must be true");
    refused(&without("reconcile_minutes=7"), "15, 20, 30 or 60");

    // The stand-in has the real provider's schema, or it would find nothing here.
    std::fs::write(
        deployment.folder().join("wrong.tf"),
        "resource \"google_pubsub_topic\" \"wrong\" {\n  nmae = \"x\"\n}\n",
    )
    .unwrap();
    let output = run(&mut deployment.terraform("validate", &[]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Unsupported argument"), "{said}");
    assert!(said.contains("Missing required argument"), "{said}");
}

pub(crate) fn of<'a>(
    operations: &'a [Operation],
    kind: &str,
) -> impl Iterator<Item = &'a Operation> {
    operations
        .iter()
        .filter(move |operation| operation.kind == kind)
}

/// The value of this variable, which must be there.
fn variable<'a>(container: &'a Value, wanted: &str) -> &'a str {
    let found = environment(container).find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("no {wanted}")).1
}

/// Names and values of a container's variables, but for those that come from a secret.
fn environment(container: &Value) -> impl Iterator<Item = (&str, &str)> {
    let variables = container["env"].as_array().unwrap().iter();
    variables.filter_map(|variable| {
        let name = variable["name"].as_str().unwrap();
        Some((name, variable["value"].as_str()?))
    })
}
