//! The stack with a function that consumes, deployed to the stand-in beside what the first one makes. The stand-in hands
//! the function nothing: its calls fail on the template's numbers, which it takes for text.

use crate::tool::root;
use labelrelay_tests::servers::{Ministack, REGION};
use serde_json::{Value, json};

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn it_makes_a_function_that_the_queue_calls_and_a_table_for_its_state() {
    let template = std::fs::read_to_string(root().join("infra/aws/consumer.yaml")).unwrap();
    let printed = Ministack::start().boto3(include_str!("consumer_stack.py"), &[&template, REGION]);
    let found: Value = serde_json::from_str(&printed).unwrap();

    assert_eq!(found["status"], "CREATE_COMPLETE");
    assert_eq!(found["handler"], "consumer.lambda_handler");
    let table = found["table"].as_str().unwrap();
    let queues = format!("https://sqs.{REGION}.amazonaws.com/000000000000/labelrelay");
    assert_eq!(
        found["variables"],
        json!({
            "QUEUE": format!("{queues}-queue"),
            "DEAD_LETTER": format!("{queues}-dead"),
            "BLOB_STORE": "s3://labelrelay-bucket/claims",
            "STATE": format!("dynamodb://{REGION}/{table}"),
        })
    );
    // One message that fails does not let the others come again, and no more calls are begun than are reserved.
    assert_eq!(found["answers"], json!(["ReportBatchItemFailures"]));
    assert_eq!(found["scaling"], json!({"MaximumConcurrency": 3}));
    let queue = format!("arn:aws:sqs:{REGION}:000000000000:labelrelay-queue");
    assert_eq!(found["source"], queue);
    assert_eq!(found["keys"], json!([["pk", "HASH"], ["sk", "RANGE"]]));
    // It may consume, and remember in this table.
    assert_eq!(
        (&found["policies"], &found["tables"]),
        (&json!(true), &json!(true))
    );
}
