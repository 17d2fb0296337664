"""Bodies in a blob store: fetched from the stores that were named, whatever an envelope says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory
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
