//! A queue that takes nothing for a while.

use crate::delivery::{Accepted, deliver};
use crate::stack::{Outputs, Stack};
use labelrelay_tests::sender;

/// An event that is accepted meanwhile goes to the fallback, and is moved into the queue by the second function.
pub(crate) fn queue_refuses(
    stack: &Stack,
    outputs: &Outputs,
    secret: &str,
    accepted: &mut Accepted,
) {
    let before = stack.waiting(outputs);
    refuse(stack, outputs, true);
    for tag in ["outage1", "outage2", "outage3"] {
        deliver(stack, outputs, secret, &sender::label(tag), accepted);
    }
    assert_eq!(stack.waiting(outputs), before, "the queue takes nothing");
    assert_eq!(stack.objects(outputs, "fallback/").len(), 3);
    redrive(stack, outputs);
    assert_eq!(
        stack.objects(outputs, "fallback/").len(),
        3,
        "they stay until the queue has them"
    );
    refuse(stack, outputs, false);
    redrive(stack, outputs);
    assert_eq!(stack.waiting(outputs), before + 3);
    assert_eq!(stack.objects(outputs, "fallback/").len(), 0);
}

/// Denies sending to everybody, or no longer.
fn refuse(stack: &Stack, outputs: &Outputs, on: bool) {
    let script = "url = args[0]; sqs = client('sqs')\n\
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
        deny = {'Effect': 'Deny', 'Principal': '*', 'Action': 'sqs:SendMessage', 'Resource': arn}\n\
        policy = json.dumps({'Version': '2012-10-17', 'Statement': [deny]}) if args[1] == 'true' else ''\n\
        sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': policy})";
    stack
        .aws
        .boto3(script, &[outputs.get("QueueUrl"), &on.to_string()]);
}

/// Does what the schedule does every five minutes.
fn redrive(stack: &Stack, outputs: &Outputs) {
    let script = "event = json.dumps({'source': 'aws.events', 'detail-type': 'Scheduled Event', 'detail': {}})\n\
        client('lambda').invoke(FunctionName=args[0], Payload=event)";
    stack.aws.boto3(script, &[outputs.get("RedriveFunction")]);
}
