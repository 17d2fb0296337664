# azure_bytes.py ACCOUNT FOLDER: each event once, with the bytes that the platform sent.
import base64, hashlib, json, os, pathlib, sqlite3, sys
from urllib.parse import unquote
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

account, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if connection := os.environ.get("AZURE_STORAGE_CONNECTION_STRING"):
    blobs, queues = BlobServiceClient.from_connection_string(connection), QueueServiceClient.from_connection_string(connection)
else:
    identity = DefaultAzureCredential()
    blobs, queues = BlobServiceClient(f"https://{account}.blob.core.windows.net", identity), QueueServiceClient(f"https://{account}.queue.core.windows.net", identity)
queue, poison = queues.get_queue_client("labelrelay-events"), queues.get_queue_client("labelrelay-events-poison")
seen = sqlite3.connect(folder / "seen.db")
seen.execute("create table if not exists seen (id text primary key)")

def opened(message):
    """The event's attributes, and the sender's bytes exactly as they were verified."""
    head, embedded, data = message.partition(b',"data":')
    if embedded:  # from here to the final brace, untouched
        return json.loads(head + b"}"), data[:-1]
    event = json.loads(message)
    if "dataref" in event:  # too large for the queue
        container, name = unquote(event["dataref"].removeprefix(blobs.url.split("?")[0].rstrip("/") + "/")).split("/", 1)
        return event, blobs.get_blob_client(container, name).download_blob().readall()
    return event, base64.b64decode(event.get("data_base64", ""))

def handle(event, data):  # your work; done again if it fails
    (folder / (event["id"] + ".body")).write_bytes(data)
    print(event["type"], event.get("subject", ""), len(data), "bytes")

while messages := list(queue.receive_messages(max_messages=32, visibility_timeout=300)):
    for message in messages:
        event, data = opened(base64.b64decode(message.content))
        if hashlib.sha256(data).hexdigest() == event["datasha256"]:
            with seen:  # what fails in here is not marked as seen, and comes again
                if seen.execute("insert or ignore into seen values (?)", [event["id"] + event.get("replayedtime", "")]).rowcount:
                    handle(event, data)
        elif message.dequeue_count < 5:
            continue
        else:
            print("not what was verified:", event["id"], file=sys.stderr)
            poison.send_message(message.content, time_to_live=-1)
        queue.delete_message(message)
