//! The second stack, which fetches what was missed, deployed to the stand-in beside what the first one makes.
//! No task runs there, because there is no container engine; everything around it does.

use crate::aws::Aws;
use crate::tool::root;
use labelrelay_tests::servers::REGION;
use serde_json::{Value, json};

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn it_runs_one_task_at_a_time_that_may_do_no_more_than_it_has_to() {
    let template = std::fs::read_to_string(root().join("infra/aws/reconcile.yaml")).unwrap();
    let printed = Aws::start().boto3(include_str!("reconcile.py"), &[&template, REGION]);
    let found: Value = serde_json::from_str(&printed).unwrap();

    assert_eq!(found["status"], "CREATE_COMPLETE");
    assert_eq!(found["every"], "rate(15 minutes)");
    assert_eq!(
        found["entered"],
        json!([
            ["Look for the last run", "Is it over", "Run"],
            ["Look for the last run", "Is it over", "It goes on"]
        ])
    );
    // Otherwise it would keep all others from running, and its alarm would ring once.
    assert_eq!(
        found["hung"],
        json!({"status": "FAILED", "error": "TookTooLong", "stopped": true, "running": []})
    );
    let ledger = "s3://labelrelay-bucket/ledger";
    assert_eq!(
        found["command"],
        json!(["pull", "label-studio", "--ledger", ledger])
    );
    let variables = &found["variables"];
    assert_eq!(
        variables["LABELRELAY_BLOB_STORE"],
        "s3://labelrelay-bucket/claims"
    );
    assert_eq!(
        variables["LABELRELAY_TRACES"],
        "s3://labelrelay-bucket/traces"
    );
    assert!(variables.get("LABEL_STUDIO_API_KEY").is_none());
    for (which, refused, count) in [("may", false, 10), ("may_not", true, 11)] {
        assert_eq!(found[which], json!(vec![refused; count]), "{which}");
    }
}
