"""Makes a queue and a store in a cloud, puts there what a platform sends, and prints the names of both, as a consumer takes them:

    publish_changes.py aws|google|azure

Two annotations are left of it, 5 and 6. 5 comes in two versions, the older one last, and the newer one twice. 6 is too large
for the queue. 7 goes with its task, of which Label Studio says nothing, and news of 8 come after its task is gone.
"""

import base64
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "python/tests"))
from in_memory import annotation, task_deleted

NAME = "label-studio/2026 11/6"  # to be escaped in a URL
large = annotation(6, 1.5, task=1)
head, _, body = large[:-1].partition(b',"data":')


def events(dataref):
    claimed = json.dumps({**json.loads(head + b"}"), "dataref": dataref}).encode()
    newer = annotation(5, 2.5, task=1, action="updated")
    gone = [annotation(7, 1.5, task=9), task_deleted(9, 4.5), annotation(8, 3.5, task=9)]
    return [newer, newer, claimed, *gone, annotation(5, 1.5, task=1)]


def aws():
    import boto3

    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    where = {"CreateBucketConfiguration": {"LocationConstraint": s3.meta.region_name}}
    s3.create_bucket(Bucket="labelrelay-printed", **where)
    s3.put_object(Bucket="labelrelay-printed", Key=f"claims/{NAME}", Body=body)
    dead = sqs.create_queue(QueueName="printed-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
    url = sqs.create_queue(QueueName="printed", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for event in events(f"s3://labelrelay-printed/claims/{NAME}"):
        sqs.send_message(QueueUrl=url, MessageBody=event.decode())
    return url, "s3://labelrelay-printed/claims"


def google():
    from google.cloud import pubsub_v1, storage

    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    storage.Client().create_bucket("printed-claims").blob(NAME).upload_from_string(body)
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    topic, dead = (f"projects/{project}/topics/{name}" for name in ("printed", "printed-dead"))
    for name in (topic, dead):
        publisher.create_topic(request={"name": name})
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    subscription = f"projects/{project}/subscriptions/printed"
    subscriber.create_subscription(
        request={"name": subscription, "topic": topic, "ack_deadline_seconds": 60, "dead_letter_policy": policy}
    )
    for event in events(f"gs://printed-claims/{NAME}"):
        publisher.publish(topic, event).result()
    return f"pubsub://{project}/printed", "gs://printed-claims"


def azure():
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    account, connection = os.environ["ACCOUNT"], os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    container = BlobServiceClient.from_connection_string(connection).create_container("claims")
    blob = container.upload_blob(NAME, body)
    queues = QueueServiceClient.from_connection_string(connection)
    queues.create_queue("printed-poison")
    queue = queues.create_queue("printed")
    for event in events(blob.url.split("?")[0]):
        queue.send_message(base64.b64encode(event).decode(), time_to_live=-1)
    return f"azure-queue://{account}/printed", f"az://{account}/claims"


print(*{"aws": aws, "google": google, "azure": azure}[sys.argv[1]]())
