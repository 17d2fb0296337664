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


def test_a_pointer_of_an_extended_client_is_followed() -> None:
    class S3:
        def name_of(self, dataref: str) -> str | None:
            return dataref if dataref == "s3://bucket/1" else None

        def read(self, name: str) -> bytes:
            return BODIES[0]

    relay, handled = consumer()
    relay._claims._stores = [S3()]
    pointer = b'["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"bucket","s3Key":"1"}]'
    records = [record(number, pointer) for number in range(3)]
    for one, size in zip(records, [len(BODIES[0]), 7, None]):
        if size is not None:
            one["messageAttributes"]["ExtendedPayloadSize"] = {"stringValue": str(size), "dataType": "Number"}
    records[2]["body"] = pointer.replace(b'"1"', b'"2"').decode()
    answer = relay.lambda_handler({"Records": records}, Context())
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-1", "message-2"]
    assert handled == ["1"]
    assert relay.stats.unreadable == {"ClaimDamaged": 1, "ClaimRefused": 1}


def test_a_push_of_pubsub_is_answered_by_its_status() -> None:
    relay, handled = consumer()
    for body, status in zip(BODIES, [204, 503, 503, 503, 204]):
        push = {"message": {"data": b64encode(body).decode(), "messageId": "1"}, "subscription": "projects/p/subscriptions/s"}
        assert relay.lambda_handler(push, Context()) == {"statusCode": status}
    assert handled == ["1", "5"]


def test_a_thing_of_another_process_is_waited_for_and_then_comes_again(tmp_path: Path) -> None:
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


def test_other_words_are_refused() -> None:
    relay, _ = consumer()
    with pytest.raises(labelrelay.ConsumerError, match="who sent it"):
        relay.lambda_handler({"requestContext": {"http": {}}, "body": "{}"})
    with pytest.raises(labelrelay.ConsumerError, match="no event of SQS"):
        relay.lambda_handler({"detail": {}})
    with pytest.raises(labelrelay.ConsumerError, match="'aws:kinesis'"):
        relay.lambda_handler({"Records": [{"eventSource": "aws:kinesis", "body": ""}]})
    assert isinstance(labelrelay.Consumer(InMemory()).stats.unreadable, dict)


class Waning(Context):
    """Has less time left each time it is asked."""

    def get_remaining_time_in_millis(self) -> int:
        self.seconds -= 1
        return super().get_remaining_time_in_millis()


def test_an_event_without_time_left_comes_again() -> None:
    relay, handled = consumer()
    records = [record(number, annotation(10 + number, task=number)) for number in range(5)]
    answer = relay.lambda_handler({"Records": records}, Waning(5))
    assert handled == ["10", "11", "12"]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-3", "message-4"]


def test_a_thing_of_another_process_holds_up_no_other(tmp_path: Path) -> None:
    from labelrelay.state import open_state

    state = f"sqlite:{tmp_path / 'seen.db'}"
    open_state(state).enter(labelrelay.Key("/label-studio", "annotation", "1"), (), 60, True)
    relay, handled = consumer(state=state)
    answer = relay.lambda_handler({"Records": [record(1, BODIES[0]), record(5, BODIES[4])]}, Waning(6))
    assert handled == ["5"]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-1"]


def test_in_a_group_of_a_fifo_queue_nothing_overtakes_what_failed() -> None:
    def fifo(number: int, group: str, id: int) -> dict[str, Any]:
        one = record(number, annotation(id, task=id))
        one["eventSourceARN"] += ".fifo"
        one["attributes"]["MessageGroupId"] = group
        return one

    relay, handled = consumer()
    records = [fifo(1, "a", 1), fifo(2, "a", 2), fifo(3, "b", 13), fifo(4, "a", 14), fifo(5, "b", 15)]
    answer = relay.lambda_handler({"Records": records}, Context())
    assert handled == ["1", "13", "15"]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-2", "message-4"]


def test_a_dead_letter_that_cannot_be_sent_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from labelrelay import _source_sqs

    def connect(_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(_source_sqs, "connect", connect)
    relay, handled = consumer(dead_letter="sqs://eu-central-1/123456789012/dead")
    answer = relay.lambda_handler({"Records": [record(3, BODIES[2]), record(5, BODIES[4])]}, Context())
    assert handled == ["5"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-3"}]}


def test_an_event_that_is_not_durable_comes_again() -> None:
    from labelrelay.state import MemoryState

    class Failing(MemoryState):
        def sync(self) -> None:
            raise OSError("no room")

    relay, _ = consumer(state=Failing())
    answer = relay.lambda_handler({"Records": [record(1, BODIES[0])]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
