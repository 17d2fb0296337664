"""Fetches what was too large for the queue, from the blob stores that the consumer was told of and no other: bodies, and
whole envelopes that a pointer is in the place of."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from ._official import client
from .errors import ClaimDamaged, ClaimGone, ClaimRefused, ConsumerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .errors import EnvelopeClaimed
    from .event import Event

CURE = "write file:///DIRECTORY, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX"


class Store(Protocol):
    """A blob store."""

    def name_of(self, dataref: str) -> str | None:
        """The name under which the store has it; `None` if it is not in this store."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes. Raises `LookupError` if there are none."""
        ...


class Claims:
    """The stores of one consumer."""

    def __init__(self, stores: Sequence[str]) -> None:
        self._stores = [_store(url) for url in stores]

    def fetched(self, event: Event) -> Event:
        """The event with its body. Raises `ClaimRefused`, `ClaimGone` and `DigestMismatch`; and what a store raises that cannot
        be read now."""
        return event.with_body(self._object("its body", event.attributes.dataref or "", event.id))

    def envelope(self, pointer: EnvelopeClaimed, size: int | None) -> bytes:
        """The envelope that a message is a pointer to; `size` is what the message says of it. Raises `ClaimRefused`,
        `ClaimGone` and `ClaimDamaged`."""
        envelope = self._object("its envelope", pointer.dataref, None)
        if size is not None and size != len(envelope):
            raise ClaimDamaged(f"{pointer.dataref} has {len(envelope)} bytes, the message says {size}")
        return envelope

    def _object(self, what: str, dataref: str, event_id: str | None) -> bytes:
        failed: Exception | None = None
        for store in self._stores:
            name = store.name_of(dataref)
            if name is not None:
                try:
                    return store.read(name)
                except LookupError:
                    raise ClaimGone(f"{dataref} is not there any more", event_id) from None
                except Exception as error:
                    failed = error  # another store may have it
        if failed is not None:
            raise failed
        told = "none" if not self._stores else "others"
        raise ClaimRefused(
            f"{what} is at {dataref}, and this consumer may read from {told}: give Consumer the store in blob_stores",
            event_id,
        )


def _store(url: str) -> Store:
    scheme, separator, rest = url.partition("://")
    place, _, prefix = rest.partition("/")
    prefix = prefix.strip("/")
    prefix = prefix + "/" if prefix else ""
    if separator and scheme == "file" and rest.startswith("/"):
        return _Directory(os.fsdecode(unquote_to_bytes(rest)))
    if separator and place and scheme == "s3":
        return _S3(place, prefix)
    if separator and place and scheme == "gs":
        return _Gcs(place, prefix)
    if separator and place and scheme == "az" and prefix:
        container, _, below = prefix.partition("/")
        return _Azure(place, container, below)
    raise ConsumerError(f"blob_stores: {url.partition('?')[0]!r} is not the URL of a store; {CURE}")


def _below(name: str, prefix: str) -> str | None:
    """`name`, if it lies below `prefix` and none of its parts leads elsewhere."""
    parts = name.split("/")
    if not name.startswith(prefix) or name == prefix or any(part in ("", ".", "..") for part in parts):
        return None
    return name


class _Directory:
    def __init__(self, directory: str) -> None:
        self._directory = os.path.realpath(directory)
        # As the relay was told: a link on the way to it stays in its references.
        self._named = os.path.abspath(directory)

    def name_of(self, dataref: str) -> str | None:
        if not dataref.startswith("file:///"):
            return None
        path = os.fsdecode(unquote_to_bytes(dataref[len("file://") :]))
        for directory in (self._directory, self._named):
            name = _below(path[1:], directory.lstrip("/") + "/")
            if name is not None and "\0" not in name:
                found = os.path.realpath("/" + name)
                # A link in the directory may lead out of it.
                return found if found.startswith(self._directory.rstrip("/") + "/") else None
        return None

    def read(self, name: str) -> bytes:
        try:
            with open(name, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise LookupError(name) from None


class _Cloud:
    """A store with names below a prefix, and a client that is made once, when it is needed."""

    scheme = ""

    def __init__(self, place: str, prefix: str) -> None:
        self._start = f"{self.scheme}://{place}/"
        self._place = place
        self._prefix = prefix
        self._lock = threading.Lock()
        self._made: Any = None

    def name_of(self, dataref: str) -> str | None:
        if not dataref.startswith(self._start):
            return None
        return _below(dataref[len(self._start) :], self._prefix)

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Any:
        raise NotImplementedError


class _S3(_Cloud):
    scheme = "s3"

    def _make(self) -> Any:
        return client("boto3").client("s3")

    def read(self, name: str) -> bytes:
        try:
            body: bytes = self._client().get_object(Bucket=self._place, Key=name)["Body"].read()
            return body
        except client("botocore.exceptions").ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                raise LookupError(name) from None
            raise


class _Gcs(_Cloud):
    scheme = "gs"

    def _make(self) -> Any:
        return client("google.cloud.storage").Client().bucket(self._place)

    def read(self, name: str) -> bytes:
        try:
            body: bytes = self._client().blob(name).download_as_bytes()
            return body
        except client("google.api_core.exceptions").NotFound:
            raise LookupError(name) from None


class _Azure:
    def __init__(self, account: str, container: str, prefix: str) -> None:
        self._account, self._container, self._prefix = account, container, prefix
        self._lock = threading.Lock()
        self._made: Any = None

    def _client(self) -> Any:
        from ._azure import service

        with self._lock:
            if self._made is None:
                blobs = service(client("azure.storage.blob").BlobServiceClient, "blob", self._account)
                self._made = blobs.get_container_client(self._container)
            return self._made

    def name_of(self, dataref: str) -> str | None:
        if not dataref.startswith(("https://", "http://")):
            return None
        start = str(self._client().url).partition("?")[0].rstrip("/") + "/"
        if not dataref.startswith(start):
            return None
        return _below(unquote_to_bytes(dataref[len(start) :]).decode("utf-8", "replace"), self._prefix)

    def read(self, name: str) -> bytes:
        try:
            body: bytes = self._client().download_blob(name).readall()
            return body
        except client("azure.core.exceptions").ResourceNotFoundError:
            raise LookupError(name) from None
