//! `infra/google` with an archive.

use crate::google::of;
use crate::terraform::{Deployment, GOOGLE, Operation};

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn events_are_archived_by_a_subscription_of_their_own() {
    let deployment = Deployment::new(&GOOGLE);
    let set = [
        "archive_image=labelrelay:1",
        "archive_minutes=10",
        "archive_retention_days=400",
        "archive_readers=[\"group:labels@example.org\"]",
        "kms_key=projects/a-project/locations/x/keyRings/x/cryptoKeys/x",
        "fallback=false",
    ];
    deployment.apply(&set);
    let operations = deployment.operations();
    let bucket = "labelrelay-123456789012-archive";
    let url = format!("gs://{bucket}/archive");
    let jobs: Vec<_> = of(&operations, "google_cloud_run_v2_job").collect();
    let args = |name: &str| {
        let job = jobs.iter().find(|job| job.state["name"] == name).unwrap();
        job.state["template"][0]["template"][0]["containers"][0]["args"].clone()
    };
    let queue = "pubsub://a-project/labelrelay-archive";
    let dead = "pubsub://a-project/labelrelay-dead";
    assert_eq!(
        args("labelrelay-archive"),
        serde_json::json!([
            "archive",
            "write",
            url,
            "--queue",
            queue,
            "--dead-letter",
            dead
        ])
    );
    assert_eq!(
        args("labelrelay-compact"),
        serde_json::json!(["archive", "compact", url])
    );
    may_do_no_more_than_it_has_to(&operations, bucket);

    let kept = of(&operations, "google_storage_bucket")
        .find(|made| made.state["name"] == bucket)
        .unwrap();
    let rules = kept.state["lifecycle_rule"].as_array().unwrap();
    let deletes = rules
        .iter()
        .find(|rule| rule["action"][0]["type"] == "Delete");
    let condition = &deletes.unwrap()["condition"][0];
    assert_eq!(condition["age"], 400);
    assert_eq!(
        condition["matches_prefix"],
        serde_json::json!(["archive/source="])
    );
    assert!(kept.state["encryption"][0]["default_kms_key_name"].is_string());
    // An archive out of reach makes no dead letters.
    let subscription = of(&operations, "google_pubsub_subscription")
        .find(|made| made.state["name"] == "labelrelay-archive")
        .unwrap();
    assert_eq!(
        subscription.state["dead_letter_policy"],
        serde_json::json!([])
    );

    // Somebody is told of a run that fails, and of a day without one.
    let alert = of(&operations, "google_monitoring_alert_policy")
        .find(|made| made.state["display_name"] == "labelrelay: compact");
    let conditions = alert.unwrap().state["conditions"].as_array().unwrap();
    let conditions: Vec<_> = conditions
        .iter()
        .map(|condition| &condition["condition_threshold"][0])
        .collect();
    let [failed, none] = conditions[..] else {
        panic!("{conditions:?}");
    };
    for condition in [failed, none] {
        let filter = condition["filter"].as_str().unwrap();
        assert!(filter.contains("\"labelrelay-compact\""), "{filter}");
        let fails = filter.contains("result = \"failed\"");
        assert_eq!(fails, condition["comparison"] == "COMPARISON_GT");
    }
    // A day, and as long as a run may take. Cloud Monitoring refuses a condition that looks back for more than 25 hours.
    let seconds = |value: &serde_json::Value| -> u32 {
        let text = value.as_str().and_then(|text| text.strip_suffix('s'));
        text.unwrap().parse().unwrap()
    };
    let period = seconds(&none["aggregations"][0]["alignment_period"]);
    let duration = seconds(&none["duration"]);
    assert!(period >= 24 * 3600 && duration >= 3600);
    assert!(period + duration <= 25 * 3600, "{period} and {duration}");
    assert_eq!(
        none["evaluation_missing_data"],
        "EVALUATION_MISSING_DATA_ACTIVE"
    );

    let again = deployment.with_variables("plan", &["-detailed-exitcode", "-input=false"], &set);
    assert_eq!(again.status.code(), Some(0), "a second plan has no changes");
}

/// It reads neither the consumers' subscription nor a secret, and writes into its own bucket alone.
fn may_do_no_more_than_it_has_to(operations: &[Operation], bucket: &str) {
    let held = |kind: &str, place: &str| -> Vec<(String, String)> {
        let of_it = of(operations, kind).filter(|made| {
            let member = made.state["member"].as_str().unwrap();
            member.contains("labelrelay-archive@") || member.starts_with("group:labels@")
        });
        let mut of_it: Vec<_> = of_it
            .map(|made| {
                let text = |name: &str| made.state[name].as_str().unwrap().to_owned();
                (text(place), text("role"))
            })
            .collect();
        of_it.sort();
        of_it
    };
    let roles = |held: &[(String, String)], place: &str| {
        assert!(
            held.iter().all(|(found, _)| found.ends_with(place)),
            "{held:?}"
        );
        held.iter()
            .map(|(_, role)| role.clone())
            .collect::<Vec<_>>()
    };
    let subscriptions = held("google_pubsub_subscription_iam_member", "subscription");
    assert_eq!(
        roles(&subscriptions, "/labelrelay-archive"),
        ["roles/pubsub.subscriber", "roles/pubsub.viewer"]
    );
    assert_eq!(
        roles(
            &held("google_pubsub_topic_iam_member", "topic"),
            "/labelrelay-dead"
        ),
        ["roles/pubsub.publisher"]
    );
    assert_eq!(
        roles(&held("google_storage_bucket_iam_member", "bucket"), bucket),
        ["roles/storage.objectUser", "roles/storage.objectViewer"]
    );
    assert!(held("google_secret_manager_secret_iam_member", "secret_id").is_empty());
}
