"""Bodies in a blob store: fetched from the stores that were named, whatever an envelope says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, annotation
from labelrelay.testing import Delivered, deliver
from plain import CHANGES

if TYPE_CHECKING:
    from labelrelay import Change

BODY = (CHANGES / "ls_claimed.body").read_bytes()


def claimed(dataref: str) -> bytes:
    envelope: dict[str, Any] = json.loads((CHANGES / "ls_claimed.json").read_bytes())
    return json.dumps({**envelope, "dataref": dataref}).encode()


def delivered(dataref: str, *stores: str) -> tuple[Delivered, list[Change]]:
    relay = labelrelay.Consumer(InMemory(), blob_stores=stores)
    told: list[Change] = []
    relay.on("*")(told.append)
    return deliver(relay, claimed(dataref)), told


def test_a_body_is_fetched_and_checked(tmp_path: Path) -> None:
    store = tmp_path / "the claims ü"
    store.mkdir()
    (store / "1").write_bytes(BODY)
    (store / "damaged").write_bytes(BODY + b" ")
    (tmp_path / "elsewhere").write_bytes(BODY)
    (store / "link").symlink_to(tmp_path / "elsewhere")
    url = store.as_uri()
    outcome, told = delivered(f"{url}/1", "s3://another/place", url)
    assert outcome.outcome == "done"
    assert len(told) == 1
    for dataref, error in [
        (f"{url}/2", "ClaimGone"),
        (f"{url}/damaged", "DigestMismatch"),
        (f"{url}/../elsewhere", "ClaimRefused"),
        (f"{url}/%2e%2e/elsewhere", "ClaimRefused"),
        (f"{url}/link", "ClaimRefused"),
        ((tmp_path / "elsewhere").as_uri(), "ClaimRefused"),
        ("file:///etc/passwd", "ClaimRefused"),
        ("s3://bucket/claims/1", "ClaimRefused"),
        ("https://example.org/claims/1", "ClaimRefused"),
        (url, "ClaimRefused"),
    ]:
        outcome, told = delivered(dataref, url)
        assert outcome.outcome == "unreadable"
        assert outcome.reason.startswith(error), (dataref, outcome)
        assert told == []


def pointer(bucket: str, key: str, kind: str = "software.amazon.payloadoffloading.PayloadS3Pointer") -> str:
    return json.dumps([kind, {"s3BucketName": bucket, "s3Key": key}])


class OneObject:
    """S3, as far as a pointer leads into it."""

    def __init__(self, envelope: bytes) -> None:
        self.envelope = envelope

    def name_of(self, dataref: str) -> str | None:
        return dataref.rpartition("/")[2] if dataref.startswith("s3://bucket/claims/") else None

    def read(self, name: str) -> bytes:
        if name != "1":
            raise LookupError(name)
        return self.envelope


def over_one_object(envelope: bytes) -> labelrelay.Consumer:
    relay = labelrelay.Consumer(InMemory(), blob_stores=["s3://bucket/claims"])
    relay._claims._stores = [OneObject(envelope)]
    return relay


@pytest.mark.parametrize(
    "kind", ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"]
)
def test_a_pointer_leads_to_the_whole_envelope(kind: str) -> None:
    relay = over_one_object(annotation(5))
    told: list[Change] = []
    relay.on("*")(told.append)
    assert deliver(relay, pointer("bucket", "claims/1", kind)).outcome == "done"
    assert [change.key.id for change in told] == ["5"]


@pytest.mark.parametrize(
    ("envelope", "at", "error"),
    [
        (annotation(5), ("bucket", "claims/2"), "ClaimGone"),
        (annotation(5), ("other", "claims/1"), "ClaimRefused"),
        (annotation(5).replace(b'"datasha256":"', b'"datasha256":"0'), ("bucket", "claims/1"), "DigestMismatch"),
        # Nobody goes round in circles.
        (pointer("bucket", "claims/1").encode(), ("bucket", "claims/1"), "EnvelopeClaimed"),
    ],
)
def test_a_pointer_leads_nowhere_else(envelope: bytes, at: tuple[str, str], error: str) -> None:
    outcome = deliver(over_one_object(envelope), pointer(*at))
    assert outcome.outcome == "unreadable"
    assert outcome.reason.startswith(error), outcome


def test_an_envelope_is_as_large_as_the_message_says() -> None:
    claims = over_one_object(b"{}")._claims
    with pytest.raises(labelrelay.EnvelopeClaimed) as told:
        labelrelay.parse(pointer("bucket", "claims/1"))
    for size in (None, 2):
        assert claims.envelope(told.value, size) == b"{}"
    with pytest.raises(labelrelay.ClaimDamaged, match="has 2 bytes, the message says 3"):
        claims.envelope(told.value, 3)


class Away(OneObject):
    """A store that cannot be read now."""

    def __init__(self) -> None:
        super().__init__(b"")

    def name_of(self, dataref: str) -> str | None:
        return dataref

    def read(self, name: str) -> bytes:
        raise OSError("no network")


@pytest.mark.parametrize("message", [claimed("s3://bucket/claims/1"), pointer("bucket", "claims/1").encode()])
def test_a_store_that_is_away_makes_no_dead_letters(message: bytes, caplog: pytest.LogCaptureFixture) -> None:
    # A queue that does not count: what is an event's own fault is a dead letter the first time.
    queue = InMemory([message], counts=False)
    relay = labelrelay.Consumer(queue, blob_stores=["s3://bucket/claims"], max_receives=1, backoff=(3600.0, 3600.0))
    relay._claims._stores = [Away()]
    relay.on("*")(lambda change: None)
    relay.run(concurrency=1, wait=0.0, until_idle=0.1)
    assert (queue.dead, len(queue)) == ([], 1)
    assert relay.stats.retried == 1
    assert "no network" in caplog.text
    assert "event :" not in caplog.text, "it is named somehow"


def test_a_store_that_cannot_be_read_hides_no_other() -> None:
    relay = over_one_object(annotation(5))
    relay._claims._stores.insert(0, Away())
    relay.on("*")(lambda change: None)
    assert deliver(relay, pointer("bucket", "claims/1")).outcome == "done"
    relay._claims._stores.pop()
    delivered = deliver(relay, pointer("bucket", "claims/1"))
    assert (delivered.outcome, delivered.reason) == ("again", "OSError: no network")


def test_a_dead_letter_keeps_what_marks_a_pointer() -> None:
    from labelrelay._source_sqs import send_dead_letter

    class Sqs:
        def send_message(self, **sent: Any) -> None:
            self.sent = sent

    sqs = Sqs()
    text = {"DataType": "String", "StringValue": "x"}
    attributes = {**{f"n{number}": text for number in range(9)}, "ExtendedPayloadSize": {**text, "DataType": "Number"}}
    send_dead_letter(sqs, "https://sqs/1/dead", pointer("b", "k"), attributes, "no use", "group")
    kept = sqs.sent["MessageAttributes"]
    assert len(kept) == 10
    assert kept["ExtendedPayloadSize"]["DataType"] == "Number"
    assert kept["labelrelay-reason"]["StringValue"] == "no use"
    assert sqs.sent["MessageBody"] == pointer("b", "k")


def test_without_a_store_the_cure_is_named() -> None:
    outcome, _ = delivered("s3://bucket/claims/1")
    assert "blob_stores" in outcome.reason
    for url in ["bucket", "s3://", "file://relative", "az://account"]:
        with pytest.raises(labelrelay.ConsumerError, match="blob_stores"):
            labelrelay.Consumer(InMemory(), blob_stores=[url])
    with pytest.raises(labelrelay.ConsumerError, match="list"):
        labelrelay.Consumer(InMemory(), blob_stores="s3://bucket")


def test_names_lie_below_the_prefix() -> None:
    from labelrelay._claims import _store

    store = _store("s3://bucket/claims")
    assert store.name_of("s3://bucket/claims/a/b") == "claims/a/b"
    for other in ["s3://bucket/claims", "s3://bucket/claims/", "s3://bucket/claims-2/a", "s3://bucket/claims/../a"]:
        assert store.name_of(other) is None
    assert store.name_of("s3://bucket.evil/claims/a") is None
    assert _store("gs://bucket").name_of("gs://bucket/a") == "a"
