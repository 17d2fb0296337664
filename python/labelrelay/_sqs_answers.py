"""Answers of SQS, read in one step of `json`: botocore goes through each member of each attribute, in a time in which an event
could be read."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any, cast

OPERATIONS = ("ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
"""Those that are asked for many times a second."""

OF_BOTOCORE = frozenset(("Error", "ResponseMetadata"))
"""Members that botocore itself adds, and goes by."""


def read_at_once(sqs: Any) -> None:
    """Lets a client take these answers as they are. A botocore that does not ask goes on as before."""
    for operation in OPERATIONS:
        sqs.meta.events.register(f"before-parse.sqs.{operation}", take)


def take(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Answers botocore's event `before-parse`. Whatever it does not know it leaves to botocore: an error, another protocol,
    another shape."""
    if response_dict["status_code"] != 200:
        return
    try:
        answer = cast("dict[str, Any]", json.loads(response_dict["body"].decode()))
        parts = [answer, *answer.get("Messages", ())]
        for message in parts[1:]:
            for attribute in message.get("MessageAttributes", {}).values():
                parts.append(attribute)
                if "BinaryValue" in attribute:
                    attribute["BinaryValue"] = b64decode(attribute["BinaryValue"])
        # To botocore, a member without a value is none.
        if any(None in part.values() for part in parts) or not OF_BOTOCORE.isdisjoint(answer):
            return
    except (AttributeError, TypeError, ValueError, RecursionError):
        return
    customized_response_dict.update(answer)
    response_dict["body"] = b"{}"
