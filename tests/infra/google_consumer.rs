//! A program that consumes, in `infra/google`, when that is asked for.

use crate::google::of;
use crate::terraform::{Deployment, GOOGLE, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CONSUMER: [&str; 2] = [
    "consumer_image=my-consumer:1",
    "consumer_state=projects/a-project/secrets/consumer-state",
];

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_consumer_runs_on_a_schedule_when_that_is_asked_for() {
    let deployment = Deployment::new(&GOOGLE);
    let more = [
        "fallback=false",
        "consumer_minutes=10",
        "consumer_environment={MODEL=\"one\"}",
    ];
    deployment.apply(&[&CONSUMER[..], &more].concat());
    let operations = deployment.operations();

    let jobs: Vec<_> = of(&operations, "google_cloud_run_v2_job").collect();
    let [job] = jobs[..] else {
        panic!("{} jobs", jobs.len());
    };
    let task = &job.state["template"][0]["template"][0];
    gets_its_places_and_its_state(&task["containers"][0]);
    may_consume_and_nothing_else(&operations);

    let schedule = of(&operations, "google_cloud_scheduler_job")
        .next()
        .unwrap();
    assert_eq!(schedule.state["schedule"], "*/10 * * * *");
    let starter = of(&operations, "google_cloud_run_v2_job_iam_member")
        .next()
        .unwrap();
    let starter = starter.state["member"].as_str().unwrap();
    assert!(starter.contains("labelrelay-scheduler@"), "{starter}");

    // Somebody is told of a run that fails, and of none at all.
    let alert = of(&operations, "google_monitoring_alert_policy")
        .find(|made| made.state["display_name"] == "labelrelay: consume");
    let conditions = alert.unwrap().state["conditions"].as_array().unwrap();
    for kind in ["condition_threshold", "condition_absent"] {
        let filters = conditions
            .iter()
            .filter_map(|condition| condition[kind][0]["filter"].as_str());
        let filters: Vec<_> = filters.collect();
        let [filter] = filters[..] else {
            panic!("{kind}: {filters:?}");
        };
        assert!(filter.contains("\"labelrelay-consume\""), "{filter}");
        assert_eq!(
            filter.contains("result = \"failed\""),
            kind == "condition_threshold"
        );
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_consumer_runs_all_the_time_when_that_is_asked_for() {
    let deployment = Deployment::new(&GOOGLE);
    let more = [
        "consumer_always_on=true",
        "fallback=false",
        "consumer_environment={MODEL=\"one\"}",
    ];
    let set = [&CONSUMER[..], &more].concat();
    deployment.apply(&set);
    let operations = deployment.operations();

    let pools: Vec<_> = of(&operations, "google_cloud_run_v2_worker_pool").collect();
    let [pool] = pools[..] else {
        panic!("{} pools", pools.len());
    };
    assert_eq!(pool.state["scaling"][0]["manual_instance_count"], 1);
    let template = &pool.state["template"][0];
    let account = template["service_account"].as_str().unwrap();
    assert!(account.starts_with("labelrelay-consume@"), "{account}");
    gets_its_places_and_its_state(&template["containers"][0]);
    may_consume_and_nothing_else(&operations);
    // The budget counts by this label.
    assert_eq!(template["labels"]["application"], "labelrelay");

    // Nothing starts it, and nothing ends it.
    for kind in [
        "google_cloud_run_v2_job",
        "google_cloud_run_v2_job_iam_member",
        "google_cloud_scheduler_job",
    ] {
        assert_eq!(of(&operations, kind).count(), 0, "{kind}");
    }

    // Somebody is told when it is gone, when it takes nothing, and when it ends with an error.
    let conditions = |alert: &str| -> Vec<Value> {
        let name = format!("labelrelay: {alert}");
        let policy = of(&operations, "google_monitoring_alert_policy")
            .find(|made| made.state["display_name"] == name);
        policy.unwrap().state["conditions"]
            .as_array()
            .unwrap()
            .clone()
    };
    let consume = conditions("consume");
    let [waits, gone] = &consume[..] else {
        panic!("{consume:?}");
    };
    let waits = waits["condition_threshold"][0]["filter"].as_str().unwrap();
    assert!(
        waits.contains("\"labelrelay-events\"") && waits.contains("/oldest_unacked_message_age\""),
        "{waits}"
    );
    let gone = &gone["condition_threshold"][0];
    let filter = gone["filter"].as_str().unwrap();
    assert!(filter.contains("worker_pool_name = \"labelrelay-consume\""));
    assert!(filter.contains("/container/instance_count\""), "{filter}");
    assert_eq!(gone["comparison"], "COMPARISON_LT");
    assert_eq!(
        gone["evaluation_missing_data"],
        "EVALUATION_MISSING_DATA_ACTIVE"
    );
    let crashed = conditions("consume-crashed");
    let [crashed] = &crashed[..] else {
        panic!("a condition of the log stands alone: {crashed:?}");
    };
    let filter = crashed["condition_matched_log"][0]["filter"].as_str();
    let filter = filter.unwrap();
    assert!(filter.contains("worker_pool_name = \"labelrelay-consume\""));
    assert!(filter.contains("Container called exit"), "{filter}");

    let again = deployment.with_variables("plan", &["-detailed-exitcode", "-input=false"], &set);
    assert_eq!(again.status.code(), Some(0), "a second plan has no changes");
}

/// What both forms give the program, with `MODEL=one` among `consumer_environment`.
fn gets_its_places_and_its_state(container: &Value) {
    assert_eq!(container["image"], "my-consumer:1");
    let variables = container["env"].as_array().unwrap().iter();
    let variables: BTreeMap<_, _> = variables
        .map(|variable| (variable["name"].as_str().unwrap(), variable))
        .collect();
    for (name, value) in [
        ("QUEUE", "pubsub://a-project/labelrelay-events"),
        ("BLOB_STORE", "gs://labelrelay-123456789012-claims/claims"),
        ("MODEL", "one"),
    ] {
        assert_eq!(variables[name]["value"], value, "{name}");
    }
    // The state's URL has a password: it comes from its secret, and appears nowhere else.
    let state = variables["STATE"];
    let reference = &state["value_source"][0]["secret_key_ref"][0];
    assert_eq!(
        (&state["value"], &reference["secret"]),
        (&Value::Null, &json!("consumer-state"))
    );
}

/// The account of the program, in both forms.
fn may_consume_and_nothing_else(operations: &[Operation]) {
    let held = |kind: &str| -> Vec<Value> {
        let of_the_account = of(operations, kind).filter(|made| {
            let member = made.state["member"].as_str();
            member.is_some_and(|member| member.contains("labelrelay-consume@"))
        });
        let mut roles: Vec<_> = of_the_account
            .map(|made| made.state["role"].clone())
            .collect();
        roles.sort_by_key(ToString::to_string);
        roles
    };
    for (kind, roles) in [
        (
            "google_pubsub_subscription_iam_member",
            json!(["roles/pubsub.subscriber", "roles/pubsub.viewer"]),
        ),
        (
            "google_pubsub_topic_iam_member",
            json!(["roles/pubsub.publisher"]),
        ),
        (
            "google_storage_bucket_iam_member",
            json!(["roles/storage.objectViewer"]),
        ),
        (
            "google_secret_manager_secret_iam_member",
            json!(["roles/secretmanager.secretAccessor"]),
        ),
    ] {
        assert_eq!(Value::from(held(kind)), roles, "{kind}");
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_consumer_without_a_state_a_subscription_or_an_image_is_refused() {
    let deployment = Deployment::new(&GOOGLE);
    let topic = ["topic=projects/other/topics/mine"];
    for (set, says) in [
        (CONSUMER[..1].to_vec(), "are given together"),
        (CONSUMER[1..].to_vec(), "are given together"),
        ([&CONSUMER[..], &topic].concat(), "consumer_image consumes"),
        (vec!["consumer_always_on=true"], "keeps the program of"),
    ] {
        let output = deployment.with_variables("plan", &["-input=false"], &set);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
