# bytes.py QUEUE_URL FOLDER: each event once, with the bytes that the platform sent.
import base64, hashlib, json, pathlib, sqlite3, sys
import boto3

queue, folder = sys.argv[1], pathlib.Path(sys.argv[2])
sqs, s3 = boto3.client("sqs"), boto3.client("s3")
seen = sqlite3.connect(folder / "seen.db")
seen.execute("create table if not exists seen (id text primary key)")

def opened(message):
    """The event's attributes, and the sender's bytes exactly as they were verified."""
    head, embedded, data = message.partition(',"data":')
    if embedded:  # from here to the final brace, untouched
        return json.loads(head + "}"), data[:-1].encode()
    event = json.loads(message)
    if "dataref" in event:  # too large for the queue
        bucket, key = event["dataref"].removeprefix("s3://").split("/", 1)
        return event, s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return event, base64.b64decode(event.get("data_base64", ""))

def handle(event, data):  # your work; done again if it fails
    (folder / (event["id"] + ".body")).write_bytes(data)
    print(event["type"], event.get("subject", ""), len(data), "bytes")

while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages"):
    for message in messages:
        event, data = opened(message["Body"])
        if hashlib.sha256(data).hexdigest() != event["datasha256"]:
            print("not what was verified:", event["id"], file=sys.stderr)
            continue  # after five receives it is a dead letter
        with seen:  # what fails in here is not marked as seen, and comes again
            if seen.execute("insert or ignore into seen values (?)", [event["id"] + event.get("replayedtime", "")]).rowcount:
                handle(event, data)
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
