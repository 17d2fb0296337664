"""The embedded queue's process, when it misbehaves: a program that answers as it is told to."""

from __future__ import annotations

import sys
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from labelrelay._source_embedded import EmbeddedSource
from labelrelay._sources import Message, Settings

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = f"""#!{sys.executable}
import json, os, sys, time
out = sys.stdout.buffer
def ask():
    return json.loads(sys.stdin.buffer.readline() or "null")
def answer(body=None, **more):
    out.write(json.dumps({{"deliveries": 0 if body is None else 1, **more}}).encode() + b"\\n")
    if body is not None:
        out.write(b'{{"receipt": "r", "receive_count": 1}}\\n' + body)
    out.flush()
ask()
answer()
"""


def source(folder: Path, program: str) -> EmbeddedSource:
    file = folder / "program"
    file.write_text(BEGIN + program)
    file.chmod(0o755)
    return EmbeddedSource(str(folder), Settings(dead_letter=None, program=str(file)))


@pytest.mark.skipif(sys.platform == "win32", reason="a script with its interpreter in the first line")
def test_a_message_that_was_cut_off_is_no_message(tmp_path: Path) -> None:
    program = """
ask()
if not os.path.exists("second"):
    open("second", "w").close()
    answer(b'{"id": "1"}', damaged=["one was damaged"])
    sys.exit(3)
answer(b'{"id": "1"}\\n')
ask()
"""
    queue = source(tmp_path, program)
    queue.open()
    with pytest.raises(labelrelay.ConsumerError, match="ended with code"):
        queue.receive(1, 60, 0)
    messages, damaged = queue.receive(1, 60, 0)
    assert [message.body for message in messages] == [b'{"id": "1"}\n']
    assert damaged == ["one was damaged"], "they are told with the next answer"
    queue.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a script with its interpreter in the first line")
@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["{'receipt': 'a', 'receive_count': 1}", "first", "{'receipt': 'b', 'receive_count': 2}", "second"], None),
        (["{'receipt': 'a', 'receive_count': 1}", "first", "{'receipt': 'b', 'receive_count': 2}"], "3 lines of 4"),
        (["{'receipt': 'a', 'receive_count': 1}", "first", "{'receipt': 'b'", "second"], "is none"),
        (["{'receipt': 'a', 'receive_count': 1}, {}", "first", "{'receipt': 'b', 'receive_count': 2}", "second"], "3 receipts for 2"),
        (["7", "first", "8", "second"], "is none"),
    ],
)
def test_each_message_has_its_own_receipt(
    lines: list[str], fault: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = "".join(f"{line}\n" for line in lines).replace("'", '"').encode()
    program = f"""
ask()
out.write(b'{{"deliveries": 2}}\\n' + {said!r})
out.flush()
os.close(1)
ask()
"""
    queue = source(tmp_path, program)
    queue.open()
    if fault is None:
        messages, _ = queue.receive(2, 60, 0)
        assert [(one.receipt, one.receives, one.body) for one in messages] == [("a", 1, b"first\n"), ("b", 2, b"second\n")]
    else:
        with pytest.raises(labelrelay.ConsumerError, match="ended with code"):
            queue.receive(2, 60, 0)
        assert fault in caplog.text
    queue.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a script with its interpreter in the first line")
def test_large_answers_are_read_while_a_large_request_is_written(tmp_path: Path) -> None:
    program = """
ask(), ask()
while not os.path.exists("go"):
    time.sleep(0.01)
for _ in range(2):
    answer(b"x" * 1_000_000 + b"\\n")
answer(outcomes=["done"] * len(ask()["receipts"]))
ask()
"""
    queue = source(tmp_path, program)
    queue.open()
    receives = [threading.Thread(target=queue.receive, args=(1, 60, 0), daemon=True) for _ in range(2)]
    acked: list[int] = []
    more: Any = [Message("r" * 1000, b"", 1) for _ in range(1000)]
    ack = threading.Thread(target=lambda: acked.append(queue.ack(more)), daemon=True)
    for count, threads in ((2, receives), (3, [ack])):
        for thread in threads:
            thread.start()
        begun = monotonic()
        while len(queue._pending) < count:
            assert monotonic() - begun < 60
            sleep(0.005)
    (tmp_path / "go").touch()
    for thread in (*receives, ack):
        thread.join(60)
    assert acked == [0]
    queue.close()
