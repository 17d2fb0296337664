"""Pointers to whole envelopes in S3, as AWS's extended clients of SQS write them in place of a large message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIZES = ("ExtendedPayloadSize", "SQSLargePayloadSize")
"""Attributes that say the size of the envelope in bytes: the name of today, and the one before."""

_CLASSES = ("software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer")

_LONGEST = 16 * 1024
"""A bucket's name has 63 characters at most, a key 1,024 bytes, each of which JSON may write as six."""


def place_of(text: str) -> str | None:
    """The place that a message is a pointer to, `s3://BUCKET/KEY`; `None` if it is no pointer."""
    if len(text) > _LONGEST or not text.lstrip().startswith("["):
        return None
    from json import loads

    try:
        read: Any = loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, list):
        return None
    parts = cast("Sequence[Any]", read)
    if len(parts) != 2 or parts[0] not in _CLASSES or not isinstance(parts[1], dict):
        return None
    place = cast("dict[str, Any]", parts[1])
    bucket, key = place.get("s3BucketName"), place.get("s3Key")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return None
    return f"s3://{bucket}/{key}"


def size_in(attributes: Mapping[str, Any], value: str) -> int | None:
    """The size that a message's attributes say; `value` is the name under which an attribute has its text."""
    for name in SIZES:
        if name in attributes:
            text: Any = attributes[name].get(value)
            is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20
            return int(text) if is_number else None
    return None
