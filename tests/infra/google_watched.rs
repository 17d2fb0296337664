//! What `infra/google` keeps an eye on: topics that nobody subscribes to, runs that never happen, a flood, its cost.

use crate::google::of;
use crate::terraform::{Deployment, GOOGLE, Operation};
use crate::tool::root;
use serde_json::Value;
use std::collections::BTreeSet;

/// With everything that has an alert.
const ALL: [&str; 8] = [
    "reconcile_image=labelrelay:1",
    "reconcile_url=https://label-studio.example.org",
    "reconcile_token=projects/a-project/secrets/label-studio-token",
    "archive_image=labelrelay:1",
    "consumer_image=my-consumer:1",
    "consumer_state=projects/a-project/secrets/consumer-state",
    "billing_account=012345-6789AB-CDEF01",
    "monthly_budget=20",
];

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn what_does_not_happen_rings_and_the_page_has_every_alert() {
    let mut there = BTreeSet::new();
    // The consumer has two forms, each with alerts of its own.
    let forms: [&[&str]; 2] = [&[], &["consumer_always_on=true"]];
    for more in forms {
        let deployment = Deployment::new(&GOOGLE);
        deployment.apply(&[&ALL[..], more].concat());
        let operations = deployment.operations();
        let policies: Vec<_> = of(&operations, "google_monitoring_alert_policy").collect();

        // Where absence is the fault, and nowhere else.
        let without_data = policies
            .iter()
            .copied()
            .filter(|policy| rings_without_data(policy));
        let mut absent: Vec<_> = without_data.map(name).collect();
        absent.sort_unstable();
        assert_eq!(
            absent,
            [
                "archive",
                "compact",
                "consume",
                "fallback",
                "reconcile",
                "subscription"
            ],
            "{more:?}"
        );
        there.extend(policies.into_iter().map(|policy| name(policy).to_owned()));
    }

    let page = std::fs::read_to_string(root().join("docs/google.md")).unwrap();
    let (_, section) = page.split_once("\n## Alerts\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| *"));
    let told: BTreeSet<_> = rows
        .map(|row| row.split('*').next().unwrap().to_owned())
        .collect();
    assert_eq!(told, there);
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn no_event_is_published_before_somebody_keeps_it() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&ALL);
    let operations = deployment.operations();
    let place = |wanted: fn(&Operation) -> bool| operations.iter().position(wanted).unwrap();
    let subscribed = place(|made| {
        made.kind == "google_pubsub_subscription" && made.state["name"] == "labelrelay-events"
    });
    for (at, made) in operations.iter().enumerate() {
        let publishes = ["google_cloud_run_v2_service", "google_cloud_run_v2_job"];
        if publishes.contains(&made.kind.as_str()) {
            assert!(subscribed < at, "{} {}", made.kind, made.state["name"]);
        }
    }
    let dead = place(|made| {
        made.kind == "google_pubsub_subscription" && made.state["name"] == "labelrelay-dead"
    });
    assert!(dead < subscribed, "dead letters are kept from the first on");

    // What was published to a topic that lost its subscription is still there.
    let topic = of(&operations, "google_pubsub_topic")
        .find(|made| made.state["name"] == "labelrelay-events");
    assert_eq!(
        topic.unwrap().state["message_retention_duration"],
        "604800s"
    );
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn the_url_is_open_unless_it_is_asked_otherwise_or_an_allowlist_believes_a_balancer() {
    let list = "label_studio_allowed_addresses=[\"192.0.2.7\"]";
    for (set, ingress) in [
        (vec![], "INGRESS_TRAFFIC_ALL"),
        (vec!["trusted_proxies=2"], "INGRESS_TRAFFIC_ALL"),
        (vec![list], "INGRESS_TRAFFIC_ALL"),
        (
            vec!["trusted_proxies=2", list],
            "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        ),
        (
            vec!["ingress=balancer"],
            "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        ),
        (
            vec!["ingress=internal", "labelbox=false"],
            "INGRESS_TRAFFIC_INTERNAL_ONLY",
        ),
    ] {
        let deployment = Deployment::new(&GOOGLE);
        deployment.apply(&set);
        let operations = deployment.operations();
        let service = of(&operations, "google_cloud_run_v2_service")
            .next()
            .unwrap();
        assert_eq!(service.state["ingress"], ingress, "{set:?}");
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_budget_is_made_when_one_is_asked_for() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[]);
    let none = deployment.operations();
    assert_eq!(of(&none, "google_billing_budget").count(), 0);
    deployment.apply(&ALL);
    let operations = deployment.operations();
    let budget = &of(&operations, "google_billing_budget")
        .next()
        .unwrap()
        .state;
    assert_eq!(budget["amount"][0]["specified_amount"][0]["units"], "20");
    let filter = &budget["budget_filter"][0];
    assert_eq!(filter["labels"]["application"], "labelrelay");
}

/// A line for each forged request would cost as much as the requests. What is kept of others stays whole.
#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn of_the_lines_of_refused_requests_a_hundredth_is_kept() {
    let deployment = Deployment::new(&GOOGLE);
    deployment.apply(&[]);
    let operations = deployment.operations();
    let exclusions: Vec<_> = of(&operations, "google_logging_project_exclusion").collect();
    let [exclusion] = exclusions[..] else {
        panic!("{} exclusions", exclusions.len());
    };
    let filter = exclusion.state["filter"].as_str().unwrap();
    let conditions: Vec<_> = filter.split(" AND ").collect();
    assert_eq!(
        conditions,
        [
            "resource.type = \"cloud_run_revision\"",
            "resource.labels.service_name = \"labelrelay\"",
            "logName = \"projects/a-project/logs/run.googleapis.com%2Frequests\"",
            "httpRequest.status >= 400",
            "httpRequest.status < 500",
            "httpRequest.status != 429",
            "sample(insertId, 0.99)",
        ]
    );
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn what_cannot_be_kept_or_paid_is_refused() {
    let deployment = Deployment::new(&GOOGLE);
    for (set, says) in [
        ("topic_retention_days=32", "is 0 to 31"),
        ("monthly_budget=20", "needs billing_account"),
        ("ingress=internal", "labelbox must be false"),
    ] {
        let output = deployment.with_variables("plan", &["-input=false"], &[set]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}

/// What somebody can turn on or off has its price in the table, if only none.
#[test]
fn the_page_says_what_each_switch_costs() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let page = read("docs/google.md");
    let (_, table) = page.split_once("\nWhat each optional part adds").unwrap();
    let (table, _) = table.split_once("\n**A flood**").unwrap();
    let variables = read("infra/google/variables.tf");
    let mut switches = 0;
    for variable in variables.split("\nvariable \"").skip(1) {
        let (name, rest) = variable.split_once('"').unwrap();
        let mut lines = rest.lines();
        let is_switch =
            lines.any(|line| line.trim_start().starts_with("type ") && line.ends_with("= bool"));
        if is_switch || name.ends_with("_image") {
            assert!(table.contains(&format!("`{name}`")), "{name}");
            switches += 1;
        }
    }
    assert!(switches >= 9, "{switches}");
}

/// The last word of an alert's name.
fn name(policy: &Operation) -> &str {
    let name = policy.state["display_name"].as_str().unwrap();
    name.strip_prefix("labelrelay: ").unwrap()
}

fn rings_without_data(policy: &Operation) -> bool {
    let conditions = policy.state["conditions"].as_array().unwrap();
    let is_absent = |condition: &Value| {
        let absent = condition["condition_absent"].as_array();
        absent.is_some_and(|some| !some.is_empty())
            || condition["condition_threshold"][0]["evaluation_missing_data"]
                == "EVALUATION_MISSING_DATA_ACTIVE"
    };
    conditions.iter().any(is_absent)
}
