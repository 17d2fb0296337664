"""Puts envelopes on a queue in the three forms that they have: data embedded, as base64, by reference.

    publish.py google|azure WHERE FOLDER

FOLDER holds 0.bin (embedded, published twice), 1.bin (base64) and 2.bin (by reference).
"""

import base64
import hashlib
import json
import os
import pathlib
import sys

cloud, where, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
bodies = [(folder / f"{index}.bin").read_bytes() for index in range(3)]


def envelope(index, **more):
    event = {
        "specversion": "1.0",
        "id": f"event-{index}",
        "source": "/labelbox",
        "type": "com.labelbox.label.created",
        "datasha256": hashlib.sha256(bodies[index]).hexdigest(),
        **more,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def messages(reference):
    embedded = envelope(0)[:-1] + b',"data":' + bodies[0] + b"}"
    as_text = envelope(1, data_base64=base64.b64encode(bodies[1]).decode())
    return [embedded, embedded, as_text, envelope(2, dataref=reference)]


# A name that has to be escaped in a URL.
name = "labelbox/2026 11/2.bin"
if cloud == "google":
    from google.cloud import pubsub_v1, storage

    storage.Client().bucket("claims").blob(name).upload_from_string(bodies[2])
    publisher = pubsub_v1.PublisherClient()
    for message in messages(f"gs://claims/{name}"):
        publisher.publish(where.replace("/subscriptions/", "/topics/"), message).result()
else:
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueClient

    connection = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    blob = BlobServiceClient.from_connection_string(connection).get_blob_client("claims", name)
    blob.upload_blob(bodies[2])
    queue = QueueClient.from_connection_string(connection, "labelrelay-events")
    for message in messages(blob.url.split("?")[0]):
        queue.send_message(base64.b64encode(message).decode(), time_to_live=-1)
