"""What AWS Lambda calls the function with."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, annotation

if TYPE_CHECKING:
    from pathlib import Path

    from labelrelay import Change


def record(number: int, body: bytes) -> dict[str, Any]:
    """As `aws_lambda_events` and the documents of AWS have it."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "x",
        "body": body.decode(),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
        "messageAttributes": {"id": {"stringValue": "5", "dataType": "String", "stringListValues": []}},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:labels",
        "awsRegion": "eu-central-1",
    }


class Context:
    def __init__(self, seconds: float = 30) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def consumer(**settings: Any) -> tuple[labelrelay.Consumer, list[str]]:
    relay = labelrelay.Consumer("sqs://eu-central-1/123456789012/labels", **settings)
    handled: list[str] = []

    @relay.on("annotation")
    def keep(change: Change) -> None:
        if change.key.id == "2":
            raise OSError("no room")
        if change.key.id == "3":
            raise labelrelay.Reject("no use")
        handled.append(change.key.id)

    return relay, handled


BODIES = [annotation(1, task=1), annotation(2, task=2), annotation(3, task=3), b"no envelope", annotation(5, task=5)]


@pytest.mark.parametrize("is_pipe", [False, True])
def test_those_that_failed_are_named_and_no_other(is_pipe: bool) -> None:
    relay, handled = consumer()
    records = [record(number, body) for number, body in enumerate(BODIES, 1)]
    answer = relay.lambda_handler(records if is_pipe else {"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"message-{number}"} for number in (2, 3, 4)]}
    assert handled == ["1", "5"]
    # The function is called with the failed ones again, and perhaps with others too.
    answer = relay.lambda_handler({"Records": records[:2]})
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-2"]
    assert handled == ["1", "5"]
    assert relay.stats.repeats == 1
    json.dumps(answer)


def test_a_push_of_pubsub_is_answered_by_its_status() -> None:
    relay, handled = consumer()
    for body, status in zip(BODIES, [204, 503, 503, 503, 204]):
        push = {"message": {"data": b64encode(body).decode(), "messageId": "1"}, "subscription": "projects/p/subscriptions/s"}
        assert relay.lambda_handler(push, Context()) == {"statusCode": status}
    assert handled == ["1", "5"]


def test_what_another_process_has_is_waited_for_and_then_comes_again(tmp_path: Path) -> None:
    from labelrelay.state import open_state

    state = f"sqlite:{tmp_path / 'seen.db'}"
    other = open_state(state)
    key = labelrelay.Key("/label-studio", "annotation", "1")
    other.enter(key, (), 60, True)
    relay, handled = consumer(state=state)
    answer = relay.lambda_handler({"Records": [record(1, BODIES[0])]}, Context(1))
    assert len(answer["batchItemFailures"]) == 1
    other.leave(key, None)
    assert relay.lambda_handler({"Records": [record(1, BODIES[0])]}, Context(1)) == {"batchItemFailures": []}
    assert handled == ["1"]


def test_what_is_none_of_these_is_refused() -> None:
    relay, _ = consumer()
    with pytest.raises(labelrelay.ConsumerError, match="who sent it"):
        relay.lambda_handler({"requestContext": {"http": {}}, "body": "{}"})
    with pytest.raises(labelrelay.ConsumerError, match="no event of SQS"):
        relay.lambda_handler({"detail": {}})
    with pytest.raises(labelrelay.ConsumerError, match="'aws:kinesis'"):
        relay.lambda_handler({"Records": [{"eventSource": "aws:kinesis", "body": ""}]})
    assert isinstance(labelrelay.Consumer(InMemory()).stats.unreadable, dict)
