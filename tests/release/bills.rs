//! Bills of materials: one for each program that is released. Only a release's build makes them.

use crate::files;
use std::collections::BTreeSet;

#[test]
#[ignore = "needs files of a release: cargo xtask release --dry-run"]
fn every_program_has_one() {
    let version = files::VERSION;
    let programs: [(String, &str, &[&str]); 4] = [
        (
            format!("labelrelay-{version}"),
            "labelrelay",
            &[
                "aws-sdk-sqs",
                "azure_storage_queue",
                "google-cloud-pubsub",
                "async-nats",
                "opentelemetry-proto",
                "tokio-postgres",
            ],
        ),
        (
            format!("labelrelay-{version}-lambda-x86_64"),
            "labelrelay-lambda",
            &["aws-sdk-sqs", "lambda_http"],
        ),
        (
            format!("labelrelay-{version}-azure-x86_64"),
            "labelrelay-azure-function",
            &["azure_storage_queue"],
        ),
        (
            format!("labelrelay-cloud-function-{version}"),
            "labelrelay-cloud-function",
            &["google-cloud-pubsub"],
        ),
    ];
    for (released_in, program, crates) in &programs {
        let bill = files::folder().join(format!("{released_in}.cyclonedx.json"));
        let bill: serde_json::Value =
            serde_json::from_slice(&std::fs::read(bill).unwrap()).unwrap();
        assert_eq!(bill["bomFormat"], "CycloneDX", "{released_in}");
        let subject = &bill["metadata"]["component"];
        assert_eq!(subject["name"], *program);
        assert_eq!(subject["version"], version);
        let components: BTreeSet<&str> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|component| component["name"].as_str())
            .collect();
        for name in crates.iter().copied().chain(["labelrelay-core", "ring"]) {
            assert!(components.contains(name), "{program} is made of {name}");
        }
        assert!(!components.contains("criterion"), "what tests need is none");
    }
    // No other: a program that is added to a release is added here.
    let bills = files::names();
    let bills = bills
        .iter()
        .filter(|name| name.ends_with(".cyclonedx.json"));
    assert_eq!(bills.count(), programs.len());
}
