//! The consumer of the Python package over the clouds' queues, by their official clients: `python/tests/queue_suite.py`. And
//! the example for Lambda: `lambda_example_suite.py`.

use crate::tool::{output, root};
use labelrelay_tests::azure::sas::ACCOUNT;
use labelrelay_tests::servers::{Azurite, Ministack, PubSub, boto3, installed};
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
fn the_python_consumer_over_sqs_with_its_state_in_dynamodb() {
    const MAKE: &str = "\
        sqs = client('sqs')\n\
        dead = sqs.create_queue(QueueName='events-dead')['QueueUrl']\n\
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
        policy = json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': '3'})\n\
        queue = sqs.create_queue(QueueName='events', Attributes={'RedrivePolicy': policy})['QueueUrl']\n\
        keys = {'pk': 'HASH', 'sk': 'RANGE'}\n\
        client('dynamodb').create_table(TableName='seen', BillingMode='PAY_PER_REQUEST',\n\
        \x20   AttributeDefinitions=[{'AttributeName': name, 'AttributeType': 'S'} for name in keys],\n\
        \x20   KeySchema=[{'AttributeName': name, 'KeyType': keys[name]} for name in keys])\n\
        print(queue, dead)";
    let ministack = Ministack::start();
    let made = ministack.boto3(MAKE, &[]);
    let mut arguments = vec!["sqs"];
    arguments.extend(made.split_whitespace());
    let mut environment = ministack.environment();
    environment.push((
        "LABELRELAY_TEST_STATE".to_owned(),
        format!("dynamodb://{}/seen", labelrelay_tests::servers::REGION),
    ));
    consumes(&boto3::python(), &arguments, &environment);
}

#[test]
#[ignore = "needs Google's emulator and clients: cargo xtask test"]
fn the_python_consumer_over_pubsub() {
    let pubsub = PubSub::start();
    let python = installed("LABELRELAY_TEST_GOOGLE_PYTHON");
    consumes(
        &python,
        &["pubsub", "labelrelay-python"],
        &pubsub.environment(),
    );
}

#[test]
#[ignore = "needs Azurite and Azure's clients: cargo xtask test"]
fn the_python_consumer_over_a_storage_queue() {
    let azurite = Azurite::start();
    for queue in ["events", "events-poison"] {
        azurite.make_queue(queue);
    }
    let environment = [(
        "AZURE_STORAGE_CONNECTION_STRING".to_owned(),
        azurite.connection_string(),
    )];
    let python = installed("LABELRELAY_TEST_AZURE_PYTHON");
    consumes(&python, &["azure", ACCOUNT, "events"], &environment);
}

/// Large envelopes in S3, whole, as AWS's own client puts them there.
#[test]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
fn the_python_consumer_over_what_extended_clients_send() {
    let ministack = Ministack::start();
    ministack.bucket("large");
    let (queue, dead) = (ministack.queue("events"), ministack.queue("events-dead"));
    runs(
        &boto3::python(),
        "extended_suite.py",
        &[&queue, &dead, "large"],
        &ministack.environment(),
    );
}

#[test]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
fn the_example_that_trains_from_lambda() {
    let ministack = Ministack::start();
    runs(
        &boto3::python(),
        "lambda_example_suite.py",
        &[],
        &ministack.environment(),
    );
}

/// Runs the suite. It sends, consumes, and looks at what is left.
fn consumes(python: &Path, arguments: &[&str], environment: &[(String, String)]) {
    runs(python, "queue_suite.py", arguments, environment);
}

fn runs(python: &Path, suite: &str, arguments: &[&str], environment: &[(String, String)]) {
    let said = output(
        Command::new(python)
            .arg(root().join("python/tests").join(suite))
            .args(arguments)
            .env("PYTHONPATH", root().join("python"))
            .envs(environment.iter().map(|(name, value)| (name, value))),
    );
    print!("{said}");
}
