"""Starts a training run whenever enough annotations are new, as a function of AWS Lambda that the queue calls.

The handler is `train_after_lambda.lambda_handler`; turn `ReportBatchItemFailures` on. Variables of the function:

    QUEUE           URL of the queue
    STATE           dynamodb://REGION/TABLE, what the consumer remembers
    TRAINING_TABLE  another table of DynamoDB, with the key `name`, a string
    STATE_MACHINE   ARN of the state machine that trains; its input are the keys of the annotations
    TRAIN_AFTER     how many are enough (100)

One that is changed twice counts once, and one that is removed does not count. Functions run beside one another, and end at
any moment: a run is started once all the same, because it gets its name with what it is for.
"""

from __future__ import annotations

import json
import os
import uuid

import boto3
import labelrelay

training = boto3.resource("dynamodb").Table(os.environ["TRAINING_TABLE"])
machines = boto3.client("stepfunctions")
relay = labelrelay.Consumer(os.environ["QUEUE"], state=os.environ["STATE"])
lambda_handler = relay.lambda_handler

ITEM = {"name": "training"}


@relay.on("annotation", "label")
def note(change: labelrelay.Change) -> None:
    verb = "DELETE" if isinstance(change, labelrelay.Removed) else "ADD"
    one = {":one": {json.dumps(change.key)}}
    training.update_item(Key=ITEM, UpdateExpression=f"{verb} fresh :one", ExpressionAttributeValues=one)
    values = {":run": uuid.uuid4().hex, ":enough": int(os.environ.get("TRAIN_AFTER", "100"))}
    try:
        training.update_item(
            Key=ITEM,
            UpdateExpression="SET taken = fresh, run = :run REMOVE fresh",
            ConditionExpression="attribute_not_exists(taken) AND size(fresh) >= :enough",
            ExpressionAttributeValues=values,
        )
    except training.meta.client.exceptions.ConditionalCheckFailedException:
        pass  # not enough, or somebody else is starting a run
    item = training.get_item(Key=ITEM, ConsistentRead=True).get("Item", {})
    if "taken" not in item:
        return
    try:
        work = json.dumps(sorted(item["taken"]))
        machines.start_execution(stateMachineArn=os.environ["STATE_MACHINE"], name=item["run"], input=work)
    except machines.exceptions.ExecutionAlreadyExists:
        pass  # by somebody who ended before the next line
    # If anything above fails, the event comes again, and finds what was taken.
    end = {"UpdateExpression": "REMOVE taken, run", "ConditionExpression": "run = :run"}
    try:
        training.update_item(Key=ITEM, ExpressionAttributeValues={":run": item["run"]}, **end)
    except training.meta.client.exceptions.ConditionalCheckFailedException:
        pass
