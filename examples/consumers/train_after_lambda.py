"""Starts a training run whenever enough annotations are new, as a function of AWS Lambda that the queue calls.

The handler is `train_after_lambda.lambda_handler`; turn `ReportBatchItemFailures` on. Variables of the function:

    QUEUE           URL of the queue
    STATE           dynamodb://REGION/TABLE, what the consumer remembers
    TRAINING_TABLE  another table of DynamoDB, with the keys `pk` and `sk`, both strings
    STATE_MACHINE   ARN of the state machine that trains, a standard one
    TRAIN_AFTER     how many are enough (100; 5,000 at most)

The input of the state machine is `{"run": NAME}`. Its annotations are the items of TRAINING_TABLE whose `pk` is that name:
`sk` is the key of an annotation. They stay until the training deletes them.

One that is changed twice counts once for each run, and one that is removed before the run begins does not count. One whose
event has to come again may count for the next run, too.

Functions run beside one another, and end at any moment. A run is started once all the same, because it has its name before:
a standard state machine takes a name once. An express one would take it again.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from typing import Any

import boto3
import labelrelay
from boto3.dynamodb.conditions import Key

training = boto3.resource("dynamodb").Table(os.environ["TRAINING_TABLE"])
machines = boto3.client("stepfunctions")
relay = labelrelay.Consumer(os.environ["QUEUE"], state=os.environ["STATE"])
lambda_handler = relay.lambda_handler

Overtaken = training.meta.client.exceptions.ConditionalCheckFailedException
RUNS = {"pk": "runs", "sk": "runs"}
"""Key of the item that names two runs: `gathers`, to which annotations come, and `begins`, once that has enough of them."""


@relay.on("annotation", "label")
def note(change: labelrelay.Change) -> None:
    name, runs = None, named()
    # A run that began meanwhile may have been read before this annotation came to it.
    while name != runs["gathers"]:
        name = runs["gathers"]
        gathered = {"pk": name, "sk": json.dumps(change.key)}
        begins = {**gathered, "pk": runs.get("begins", name)}
        if isinstance(change, labelrelay.Removed):
            training.delete_item(Key=gathered)
            training.delete_item(Key=begins)
        elif "Item" not in training.get_item(Key=begins, ConsistentRead=True):
            training.put_item(Item=gathered)
        runs = named()
    enough = int(os.environ.get("TRAIN_AFTER", "100"))
    found = training.query(KeyConditionExpression=Key("pk").eq(name), Select="COUNT", Limit=enough, ConsistentRead=True)
    if found["Count"] >= enough:
        with suppress(Overtaken):  # another one begins, or somebody else did this
            only = "gathers = :run AND attribute_not_exists(begins)"
            update("SET begins = :run, gathers = :next", only, {":run": name, ":next": uuid.uuid4().hex})
    # If anything fails, the event comes again, and finds what begins.
    begin(named().get("begins"))


def begin(name: str | None) -> None:
    if name is None:
        return
    with suppress(machines.exceptions.ExecutionAlreadyExists):  # by somebody who ended before the last line
        machines.start_execution(stateMachineArn=os.environ["STATE_MACHINE"], name=name, input=json.dumps({"run": name}))
    with suppress(Overtaken):
        update("REMOVE begins", "begins = :run", {":run": name})


def named() -> dict[str, Any]:
    """The names of the runs."""
    answer = update("SET gathers = if_not_exists(gathers, :next)", None, {":next": uuid.uuid4().hex})
    runs: dict[str, Any] = answer["Attributes"]
    return runs


def update(change: str, only_if: str | None, values: dict[str, str]) -> dict[str, Any]:
    more = {} if only_if is None else {"ConditionExpression": only_if}
    answer: dict[str, Any] = training.update_item(
        Key=RUNS, UpdateExpression=change, ExpressionAttributeValues=values, ReturnValues="ALL_NEW", **more
    )
    return answer
