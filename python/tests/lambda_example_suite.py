"""`examples/consumers/train_after_lambda.py` as AWS calls it: `python lambda_example_suite.py`, in the environment that has
boto3, with the variables that say where AWS is. The end-to-end tests run it."""

from __future__ import annotations

import json
import os
import runpy
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from in_memory import annotation, task_deleted

EXAMPLE = Path(__file__).parents[2] / "examples/consumers/train_after_lambda.py"

boto3: Any = import_module("boto3")
REGION = os.environ["AWS_REGION"] if "AWS_REGION" in os.environ else os.environ["AWS_DEFAULT_REGION"]


def table(name: str, *keys: str) -> None:
    types = dict(zip(keys, ("HASH", "RANGE")))
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in types],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in types.items()],
    )


def called_with(*bodies: bytes) -> dict[str, Any]:
    """What SQS calls a function with."""
    records = [
        {"messageId": str(at), "body": body.decode(), "eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": "1"}}
        for at, body in enumerate(bodies)
    ]
    return {"Records": records}


def failed(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def main() -> None:
    table("seen", "pk", "sk")
    table("training", "pk", "sk")
    items = boto3.resource("dynamodb").Table("training")
    machines = boto3.client("stepfunctions")
    definition = '{"StartAt": "Train", "States": {"Train": {"Type": "Pass", "End": true}}}'
    role = "arn:aws:iam::000000000000:role/training"
    machine = machines.create_state_machine(name="training", definition=definition, roleArn=role)["stateMachineArn"]
    os.environ.update(QUEUE=f"sqs://{REGION}/000000000000/events", STATE=f"dynamodb://{REGION}/seen")
    os.environ.update(TRAINING_TABLE="training", STATE_MACHINE=machine, TRAIN_AFTER="3")

    def of(run: str) -> set[str]:
        """The annotations of a run."""
        return {json.loads(item["sk"])[2] for item in items.scan()["Items"] if item["pk"] == run}

    def runs() -> list[set[str]]:
        """The annotations of each run that was started."""
        started = machines.list_executions(stateMachineArn=machine)["executions"]
        inputs = [machines.describe_execution(executionArn=run["executionArn"])["input"] for run in started]
        return sorted((of(json.loads(input)["run"]) for input in inputs), key=sorted)

    def gathered() -> set[str]:
        """The annotations of the next run."""
        return of(items.get_item(Key={"pk": "runs", "sk": "runs"})["Item"]["gathers"])

    # Two functions share nothing in their memory.
    handler, other = (runpy.run_path(str(EXAMPLE), run_name="train_after_lambda")["lambda_handler"] for _ in range(2))
    again = annotation(1, 2.0, action="updated")
    assert failed(handler(called_with(annotation(1), again, annotation(2)))) == []
    assert (runs(), gathered()) == ([], {"1", "2"}), "one that was changed twice counts once"
    assert failed(handler(called_with(task_deleted(7, 9.0), annotation(3, 10.0, task=8)))) == []
    assert (runs(), gathered()) == ([], {"3"}), "those that are gone do not count"
    assert failed(handler(called_with(annotation(4, task=8), annotation(5, task=8)))) == []
    first = {"3", "4", "5"}
    assert (runs(), gathered()) == ([first], set())

    # The machine is gone for a while: what is enough waits, and counts once.
    os.environ["STATE_MACHINE"] = machine + "-gone"
    assert failed(handler(called_with(*(annotation(number, task=8) for number in (6, 7, 8))))) == ["2"]
    assert failed(handler(called_with(annotation(9, task=8)))) == ["0"]
    assert (runs(), gathered()) == ([first], {"9"})
    os.environ["STATE_MACHINE"] = machine
    assert failed(handler(called_with(annotation(8, task=8)))) == []
    second = {"6", "7", "8"}
    assert (runs(), gathered()) == ([first, second], {"9"})

    # Two functions at once have enough for one run.
    answers: list[dict[str, Any]] = []

    def call(function: Any, number: int) -> None:
        answers.append(function(called_with(annotation(number, task=8))))

    threads = [threading.Thread(target=call, args=one) for one in ((handler, 10), (other, 11))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [failed(answer) for answer in answers] == [[], []]
    assert (runs(), gathered()) == (sorted([first, second, {"9", "10", "11"}], key=sorted), set())
    print("trained:", *runs())


if __name__ == "__main__":
    main()
