# Runs the function that copies, as the template whose text is the first argument has it, on what a queue of the stand-in
# hands out. Prints what came of it. boto3.rs puts the beginning before it.
import os, textwrap

code = textwrap.dedent(args[0].split("ZipFile: |\n")[1].split("\n  Calls:\n")[0])
bodies = json.loads(args[1])
sqs = client("sqs")


def queue(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def messages(url):
    found = []
    while True:
        some = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not some:
            return found
        found += some
        for one in some:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])


def record(message):
    """A message as Lambda hands it to a function."""
    attributes = message.get("MessageAttributes", {}).items()
    return {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: {"stringValue": one["StringValue"], "dataType": one["DataType"]} for name, one in attributes
        },
    }


def copied(message):
    return [message["Body"], message["MessageAttributes"]["type"]["StringValue"], message["Attributes"].get("MessageGroupId")]


found = {}
for kind, suffix, more in [("plain", "", {}), ("fifo", ".fifo", {"FifoQueue": "true"})]:
    relay, events = queue(f"relay-{kind}{suffix}", **more), queue(f"events-{kind}{suffix}", **more)
    archive = queue(f"archive-{kind}")
    for number, body in enumerate(bodies):
        of_group = {"MessageGroupId": "group", "MessageDeduplicationId": str(number)} if suffix else {}
        attributes = {"type": {"DataType": "String", "StringValue": "com.labelbox.label.created"}}
        sqs.send_message(QueueUrl=relay, MessageBody=body, MessageAttributes=attributes, **of_group)
    records = [record(message) for message in messages(relay)]
    os.environ.update(EVENTS=events, ARCHIVE=archive)
    function = {}
    exec(code, function)
    answer = function["copy_all"]({"Records": records}, None)
    found[kind] = {
        "answer": answer,
        "events": [copied(message) for message in messages(events)],
        "archive": [copied(message) for message in messages(archive)],
    }
    sqs.delete_queue(QueueUrl=archive)
    # What it says of a failure goes to the log.
    stdout, sys.stdout = sys.stdout, sys.stderr
    answer = function["copy_all"]({"Records": records}, None)
    sys.stdout = stdout
    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    found[kind]["all_fail"] = failed == [one["messageId"] for one in records]
print(json.dumps(found))
