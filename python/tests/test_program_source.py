"""Queues that the program reads: which ones those are, and a program that answers as it is told to."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from labelrelay._source_embedded import EmbeddedSource
from labelrelay._source_program import ProgramSource
from labelrelay._source_sqs import SqsSource
from labelrelay import _sources
from labelrelay._sources import OFFICIAL, Message, Settings, SourceStopped, open_source

if TYPE_CHECKING:
    from pathlib import Path

SQS = "sqs://eu-central-1/123456789012/labels"


def opened(url: str, client: str | None) -> Any:
    return open_source(url, Settings(dead_letter=None, program=None, client=client))


def test_who_reads_a_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for url in ("postgres://relay@db/labels", "postgresql://relay@db/labels", "nats://n/LABELS/labels", "tls://n/LABELS/labels"):
        assert isinstance(opened(url, None), ProgramSource)
        assert isinstance(opened(url, "program"), ProgramSource)
        with pytest.raises(labelrelay.ConsumerError, match="leave it out"):
            opened(url, "official")
    assert isinstance(opened(SQS, "official"), SqsSource)
    assert isinstance(opened(SQS, "program"), ProgramSource)
    assert isinstance(opened(str(tmp_path), "program"), EmbeddedSource)
    monkeypatch.setattr(_sources, "_has_program", lambda: True)
    assert isinstance(opened(SQS, None), ProgramSource)
    monkeypatch.setattr(_sources, "_has_program", lambda: False)
    for missing in ("no_such_client", "no_such_package.client"):
        monkeypatch.setitem(OFFICIAL, "sqs", missing)
        assert isinstance(opened(SQS, None), ProgramSource)
    monkeypatch.setitem(OFFICIAL, "sqs", "json")
    assert isinstance(opened(SQS, None), SqsSource), "without a program, what is installed is used"
    named = Settings(dead_letter=None, program="/a/program")
    assert isinstance(open_source(SQS, named), ProgramSource), "a program that is named is wanted"
    with pytest.raises(labelrelay.ConsumerError, match="'official' or 'program'"):
        opened(SQS, "boto3")
    for url in ("servicebus://space/labels", "kafka:labels"):
        with pytest.raises(labelrelay.ConsumerError, match="is not the URL of a queue"):
            opened(url, None)


def test_a_url_is_shown_to_nobody() -> None:
    signed = "azure-queue://account/labels?sig=hunter2"
    source = opened(signed, "program")
    assert "hunter2" not in source.name
    assert not any("hunter2" in word for word in source._arguments())
    assert source._environment()["LABELRELAY_QUEUE"] == signed


BEGIN = f"""#!{sys.executable}
import base64, json, os, sys
out = sys.stdout.buffer
def ask():
    return json.loads(sys.stdin.buffer.readline() or "null")
def answer(request, *bodies, **more):
    out.write(json.dumps({{"id": request["id"], **more}}).encode() + b"\\n")
    for head, body in bodies:
        out.write(json.dumps(head).encode() + b"\\n" + body + b"\\n")
    out.flush()
assert os.environ["LABELRELAY_QUEUE"] == "nats://n/LABELS/labels"
assert sys.argv[1:] == ["queue", "pipe", "--dead-letter", "dead"], sys.argv
answer(ask(), limits_receives=False)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script with its interpreter in the first line")


def source(folder: Path, program: str) -> ProgramSource:
    file = folder / "program"
    file.write_text(BEGIN + program)
    file.chmod(0o755)
    found = ProgramSource("nats://n/LABELS/labels", Settings(dead_letter="dead", program=str(file)))
    found.open()
    return found


def test_answers_come_in_any_order(tmp_path: Path) -> None:
    queue = source(
        tmp_path,
        """
first, second = ask(), ask()
receive, ack = (first, second) if first["op"] == "receive" else (second, first)
answer(ack, outcomes=["acknowledged", "stale"])
answer(receive, ({"receipt": "b", "receive_count": 2, "offloaded_bytes": 7}, b"[]"),
       ({"receipt": "c", "base64": True}, base64.b64encode(b"no\\nenvelope")), deliveries=2)
ask()
""",
    )
    assert not queue.counts, "whoever consumes counts"
    received: list[Message] = []
    waiting = threading.Thread(target=lambda: received.extend(queue.receive(10, 60, 20)[0]))
    waiting.start()
    assert queue.ack([Message("a", b"", 1), Message("z", b"", 1)]) == 1
    waiting.join()
    assert received == [Message("b", b"[]\n", 2, 7), Message("c", b"no\nenvelope", 0)]
    queue.close()


def test_an_extension_may_give_another_receipt_or_fail(tmp_path: Path) -> None:
    queue = source(
        tmp_path,
        """
answer(ask(), outcomes=["extended", "stale"], receipts=["a2", "b"])
answer(ask(), outcomes=["extended", "failed"], receipts=["a3", "b"], problem="the queue is away")
assert ask()["receipts"] == ["a3"]
""",
    )
    a, b = Message("a", b"", 1), Message("b", b"", 1)
    queue.extend([a, b], 60)
    assert (a.receipt, b.receipt) == ("a2", "b")
    with pytest.raises(labelrelay.ConsumerError, match="the queue is away"):
        queue.extend([a, b], 60)
    assert a.receipt == "a3", "what was extended has its new receipt all the same"
    with pytest.raises(SourceStopped, match="ended with code 0"):
        queue.ack([a])
    queue.close()
