"""Answers of SQS that botocore need not take apart, and those that are left to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from labelrelay._sqs_answers import take

MESSAGE: dict[str, Any] = {
    "MessageId": "1",
    "ReceiptHandle": "r",
    "Body": 'half of a pair: \ud83d, "é"',
    "Attributes": {"ApproximateReceiveCount": "2"},
    "MessageAttributes": {
        "id": {"DataType": "String", "StringValue": "é"},
        "bytes": {"DataType": "Binary", "BinaryValue": "AP8="},
    },
}


def taken(answer: object, status: int = 200) -> tuple[dict[str, Any], bytes]:
    """What was taken, and what is left for botocore."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response: dict[str, Any] = {"status_code": status, "headers": {}, "body": body}
    found: dict[str, Any] = {}
    take(response_dict=response, customized_response_dict=found, operation_model=None, event_name="before-parse")
    return found, response["body"]


def test_messages_are_taken_as_botocore_gives_them() -> None:
    found, left = taken({"Messages": [MESSAGE, {"ReceiptHandle": "s", "Body": ""}]})
    assert left == b"{}"
    attributes = {**MESSAGE["MessageAttributes"], "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    assert found == {"Messages": [{**MESSAGE, "MessageAttributes": attributes}, {"ReceiptHandle": "s", "Body": ""}]}
    assert taken({}) == ({}, b"{}")
    deleted = {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}]}
    assert taken(deleted) == (deleted, b"{}")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}, 400),
        (b"<ReceiveMessageResponse/>", 200),
        (b"", 200),
        (b"\xff", 200),
        ([], 200),
        ({"Error": {"Code": "Throttling"}}, 200),
        ({"ResponseMetadata": "text", "Messages": []}, 200),
        ({"Messages": None}, 200),
        ({"Messages": ["text"]}, 200),
        ({"Messages": [{"Body": "b", "Attributes": None}]}, 200),
        ({"Messages": [{"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "A"}}}]}, 200),
        ({"Messages": [{"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": 1}}}]}, 200),
        ({"Messages": [{"MessageAttributes": {"a": {"StringValue": None}}}]}, 200),
        ({"Messages": [{"MessageAttributes": []}]}, 200),
    ],
)
def test_anything_else_is_left_to_botocore(answer: object, status: int) -> None:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    assert taken(answer, status) == ({}, body)
