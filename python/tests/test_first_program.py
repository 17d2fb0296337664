"""A first program, as a reader of the documents writes it. It type-checks, and does what it says wherever it runs."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory
from labelrelay import Box, Mask, Reject, Removed, Retry
from labelrelay.testing import deliver, sample

if TYPE_CHECKING:
    from pathlib import Path


class Database:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def put(self, key: labelrelay.Key, label: str | None, at: labelrelay.Rect | None) -> None:
        self.rows.append((key.id, label, at))

    def put_mask(self, key: labelrelay.Key, pixels: Any) -> None:
        self.rows.append((key.id, pixels.shape, int(pixels.max())))

    def delete(self, key: labelrelay.Key) -> None:
        self.rows.append((key.id, "gone"))


db = Database()
relay = labelrelay.Consumer("sqs://eu-central-1/123456789012/labels", state="sqlite:seen.db")


@relay.on("annotation")
def keep(change: labelrelay.Change) -> None:
    if isinstance(change, Removed):
        return db.delete(change.key)
    if change.record is None:
        raise Retry(after=60)
    for region in change.annotation.regions:
        match region:
            case Box():
                db.put(change.key, region.label, region.xywh)
            case Mask():
                db.put_mask(change.key, region.to_numpy())
            case _:
                raise Reject(f"no use for {region.kind}")


lambda_handler = relay.lambda_handler


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    db.rows.clear()


def test_a_sample_is_delivered_to_it() -> None:
    pytest.importorskip("numpy")
    assert deliver(relay, sample("label-studio/brush")).outcome == "done"
    ((_, shape, most),) = db.rows
    assert len(shape) == 2
    assert most == 255
    delivered = deliver(relay, sample("label-studio/keypoint"))
    assert (delivered.outcome, delivered.reason) == ("rejected", "no use for keypoint")


def test_boxes_are_kept_and_removals_let_go() -> None:
    assert deliver(relay, sample("label-studio/annotation")).outcome == "done"
    assert db.rows
    assert all(isinstance(at, labelrelay.Rect) for _, _, at in db.rows)
    db.rows.clear()
    assert deliver(relay, sample("label-studio/annotation-deleted")).outcome == "done"
    assert [row[1] for row in db.rows] == ["gone"]


def test_lambda_calls_it_with_a_batch_a_pipe_or_a_push() -> None:
    body = sample("label-studio/annotation").decode()
    record = {"messageId": "m1", "eventSource": "aws:sqs", "body": body, "attributes": {}}
    other = {**record, "messageId": "m2", "body": sample("label-studio/keypoint").decode()}
    failed = {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    # Without `dead_letter`, one that is rejected counts as failed.
    assert lambda_handler({"Records": [record, other]}) == failed
    handled = len(db.rows)
    assert lambda_handler([record, other]) == failed
    push = {"message": {"messageId": "1", "data": b64encode(body.encode()).decode()}, "subscription": "s"}
    assert lambda_handler(push) == {"statusCode": 204}
    assert len(db.rows) == handled, "it is remembered"


def test_a_notebook_loops_over_changes() -> None:
    queue = InMemory([sample("label-studio/annotation"), sample("label-studio/annotation-deleted")])
    notebook = labelrelay.Consumer(queue, state="sqlite:notebook.db")
    kinds = [(change.key.kind, change.is_removal) for change in notebook.changes(wait=0.2)]
    assert kinds == [("annotation", False), ("annotation", True)]
    assert len(queue.acknowledged) == 2
