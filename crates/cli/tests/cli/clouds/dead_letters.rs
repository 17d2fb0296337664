//! `status` counts the dead letters of queues that tell how many they have.

use crate::support::configured;
use labelrelay_tests::servers::{Fauxqs, PubSub, boto3};
use serde_json::{Value, json};

/// Makes a queue whose redrive policy names another one; prints the URLs of both.
const MAKE: &str = "\
sqs = client('sqs')
dead = sqs.create_queue(QueueName='dead')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
policy = json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': '5'})
print(sqs.create_queue(QueueName='events', Attributes={'RedrivePolicy': policy})['QueueUrl'])
print(dead)
print(sqs.create_queue(QueueName='plain')['QueueUrl'])";

#[test]
#[ignore = "needs fauxqs: cargo xtask test"]
fn aws_counts_those_of_a_queue_that_a_policy_names() {
    let sqs = Fauxqs::start();
    let made = boto3::run(&sqs.endpoint(), MAKE, &[]);
    let urls: Vec<_> = made.lines().collect();
    let [events, dead, plain] = urls[..] else {
        panic!("{made}");
    };
    let place_of = |queue: &str| {
        let place = configured().with("LABELRELAY_QUEUE", queue);
        let variables = sqs.environment().into_iter();
        variables.fold(place, |place, (name, value)| place.with(&name, &value))
    };
    let none = place_of(events).run(&["status"]);
    assert!(none.good().contains(": about 0 dead\n"), "{none:?}");
    assert!(!none.stderr.contains("dead letter"), "{none:?}");

    let send = "client('sqs').send_message(QueueUrl=args[0], MessageBody='{}')";
    boto3::run(&sqs.endpoint(), send, &[dead]);
    let one = place_of(events).run(&["status"]);
    assert!(one.good().contains(": about 1 dead\n"), "{one:?}");
    let said = "about 1 dead letter beside the queue";
    assert!(one.stderr.contains(said), "{one:?}");
    let told = place_of(events).run(&["status", "--json"]);
    assert_eq!(told.json()[0]["dead_letters"], 1);

    let unknown = place_of(plain).run(&["status", "--json"]);
    assert_eq!(unknown.json()[0]["dead_letters"], Value::Null);
}

/// Pub/Sub counts them for nobody who asks here, so `status` looks at some of them, and gives them back.
#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn google_shows_some_where_a_subscription_has_a_policy() {
    let pubsub = PubSub::start();
    pubsub.topic("dead");
    let dead = "projects/labelrelay-test/topics/dead";
    let policy = json!({ "deadLetterTopic": dead, "maxDeliveryAttempts": 5 });
    let events = pubsub.topic_with("events", &json!({ "deadLetterPolicy": policy }));
    let plain = pubsub.topic("plain");
    let place_of = |queue: &str| {
        let place = configured().with("LABELRELAY_QUEUE", queue);
        let variables = pubsub.environment().into_iter();
        variables.fold(place, |place, (name, value)| place.with(&name, &value))
    };
    let none = place_of(&events).run(&["status"]);
    let said = ": no dead letter was seen\n";
    assert!(none.good().contains(said), "{none:?}");
    assert!(!none.stderr.contains("dead letter"), "{none:?}");
    let said = "  not tried   an event in this queue: nobody could take exactly that one back. `labelrelay send --source labelbox` delivers";
    assert!(none.stdout.contains(said), "no {said:?} in {none:?}");
    assert!(pubsub.drain("events").is_empty(), "nothing was sent");

    pubsub.publish("dead", b"{}");
    let one = place_of(&events).run(&["status"]);
    assert!(one.good().contains(": at least 1 dead\n"), "{one:?}");
    let said = "at least 1 dead letter beside the queue";
    assert!(one.stderr.contains(said), "{one:?}");
    let told = place_of(&events).run(&["status", "--json"]);
    assert_eq!(told.json()[0]["dead_letters"], 1);
    assert_eq!(told.json()[0]["dead_letters_at_least"], true);
    assert_eq!(pubsub.drain("dead").len(), 1, "it was given back");

    let unknown = place_of(&plain).run(&["status", "--json"]);
    assert_eq!(unknown.json()[0]["dead_letters"], Value::Null);
    let how = unknown.json()[0]["dead_letters_unknown"].to_string();
    assert!(how.contains("num_undelivered_messages"), "{how}");
}
