# google_bytes.py SUBSCRIPTION FOLDER: each event once, with the bytes that the platform sent.
import base64, hashlib, json, pathlib, sqlite3, sys
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1, storage

subscription, folder = sys.argv[1], pathlib.Path(sys.argv[2])
pubsub, gcs = pubsub_v1.SubscriberClient(), storage.Client()
seen = sqlite3.connect(folder / "seen.db")
seen.execute("create table if not exists seen (id text primary key)")

def opened(message):
    """The event's attributes, and the sender's bytes exactly as they were verified."""
    head, embedded, data = message.partition(b',"data":')
    if embedded:  # from here to the final brace, untouched
        return json.loads(head + b"}"), data[:-1]
    event = json.loads(message)
    if "dataref" in event:  # too large for Pub/Sub
        bucket, name = event["dataref"].removeprefix("gs://").split("/", 1)
        return event, gcs.bucket(bucket).blob(name).download_as_bytes()
    return event, base64.b64decode(event.get("data_base64", ""))

def handle(event, data):  # your work; done again if it fails
    (folder / (event["id"] + ".body")).write_bytes(data)
    print(event["type"], event.get("subject", ""), len(data), "bytes")

def received():
    try:
        return pubsub.pull(subscription=subscription, max_messages=10, timeout=15).received_messages
    except DeadlineExceeded:  # nothing came
        return []

while messages := received():
    for message in messages:
        event, data = opened(message.message.data)
        if hashlib.sha256(data).hexdigest() != event["datasha256"]:
            print("not what was verified:", event["id"], file=sys.stderr)
            continue  # after five deliveries it is a dead letter
        with seen:  # what fails in here is not marked as seen, and comes again
            if seen.execute("insert or ignore into seen values (?)", [event["id"] + event.get("replayedtime", "")]).rowcount:
                handle(event, data)
        pubsub.acknowledge(subscription=subscription, ack_ids=[message.ack_id])
