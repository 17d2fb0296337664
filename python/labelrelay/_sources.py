"""Queues, as a consumer uses them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .errors import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence

CURE = (
    "write sqs://REGION/ACCOUNT/QUEUE, pubsub://PROJECT/SUBSCRIPTION, azure-queue://ACCOUNT/QUEUE, "
    "postgres://USER@HOST/DATABASE, nats://HOST/STREAM/SUBJECT, sqlite:FILE, or the directory in which `labelrelay serve` runs"
)


@dataclass(slots=True)
class Message:
    """A message that was received."""

    receipt: Any
    """Names it to its queue. An extension may change it."""
    body: bytes | str
    receives: int
    """How often it was received, this time included; 0 if the queue does not say."""
    envelope_bytes: int | None = None
    """Size of the envelope, where the body is a pointer to it and the queue says so."""


class SourceStopped(Exception):
    """Nothing more comes: what gives the messages was told to end."""


class Source(Protocol):
    """A queue. All methods but `open` and `close` may be called by several threads at once."""

    name: str
    """Names the queue in the log."""
    batch: int
    """Messages that one call receives at most."""
    receivers: int
    """Calls that receive at the same time at most."""
    longest: float
    """Seconds for which a message can be kept hidden at most."""
    counts: bool
    """The queue itself ends with a message that was received too often."""

    def open(self) -> None:
        """Connects, and checks the settings. Raises `ConsumerError`."""
        ...

    def receive(self, most: int, visibility: float, wait: float) -> tuple[list[Message], list[str]]:
        """Messages, and words for those that were damaged in the queue. Raises `SourceStopped`."""
        ...

    def wake(self) -> None:
        """Ends the waits of `receive`, where that can be done."""
        ...

    def ack(self, messages: Sequence[Message]) -> int:
        """Ends with messages. Returns how many of them others may have received again."""
        ...

    def retry(self, messages: Sequence[Message], delay: float) -> None:
        """Gives messages back, to be received again after so many seconds."""
        ...

    def extend(self, messages: Sequence[Message], visibility: float) -> None:
        """Hides messages for so many seconds from now on. Those that are settled meanwhile are passed over."""
        ...

    def reject(self, message: Message, reason: str) -> None:
        """Puts a message among the dead letters, and ends with it."""
        ...

    def close(self) -> None:
        """Frees what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of every queue."""

    dead_letter: str | None
    program: str | None
    client: str | None = None
    """Who reads a cloud's queue: the `program`, or the cloud's `official` client."""


CLIENTS = ("official", "program")


def open_source(url: str | os.PathLike[str], settings: Settings) -> Source:
    """The queue that a URL names. Raises `ConsumerError`."""
    text = os.fspath(url)
    if settings.client is not None and settings.client not in CLIENTS:
        raise ConsumerError(f"client: {settings.client!r}: write 'official' or 'program'")
    scheme, separator, rest = text.partition(":")
    if (scheme == "sqlite" and rest) or not separator or os.path.isdir(text):
        from ._source_embedded import EmbeddedSource

        return EmbeddedSource(text, settings)
    kind = _kind(text, scheme)
    if kind is None:
        raise ConsumerError(f"{text.partition('?')[0]!r} is not the URL of a queue; {CURE}")
    if kind == "server" and settings.client == "official":
        # Not repeated: somebody may have written a password.
        raise ConsumerError("client: a queue in Postgres or in NATS is read by the program: leave it out")
    if kind == "server" or _is_for_the_program(kind, settings):
        from ._source_program import ProgramSource

        return ProgramSource(text, settings)
    if kind == "sqs":
        from ._source_sqs import SqsSource

        return SqsSource(text, settings)
    if kind == "pubsub":
        from ._source_pubsub import PubsubSource

        return PubsubSource(text, settings)
    from ._source_azure import AzureSource

    return AzureSource(text, settings)


def _kind(url: str, scheme: str) -> str | None:
    """Whose queue it is; `server` where there is no official client that is used here."""
    if scheme in ("http", "https"):
        return "azure-queue" if _is_azure(url) else "sqs"
    if scheme in ("sqs", "pubsub", "azure-queue"):
        return scheme
    return "server" if scheme in ("postgres", "postgresql", "nats", "tls") else None


OFFICIAL = {"sqs": "boto3", "pubsub": "google.cloud.pubsub_v1", "azure-queue": "azure.storage.queue"}


def _is_for_the_program(kind: str, settings: Settings) -> bool:
    """Tells whether the program reads a cloud's queue: if nobody asked for the official client, and it is there."""
    if settings.client is not None:
        return settings.client == "program"
    return settings.program is not None or _has_program() or not _is_installed(OFFICIAL[kind])


def _has_program() -> bool:
    from ._program import find_program

    try:
        find_program()
    except FileNotFoundError:
        return False
    return True


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False  # nor is a package that it is in


def _is_azure(url: str) -> bool:
    from urllib.parse import urlsplit

    return ".queue." in (urlsplit(url).hostname or "")
