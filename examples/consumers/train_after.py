"""Starts a training run whenever enough annotations are new.

    python train_after.py . -- python train.py

The first argument is the queue: the directory of `labelrelay serve`, or a URL such as
`sqs://eu-central-1/123456789012/labels`. What follows `--` is run after each 100 annotations (TRAIN_AFTER) that were
made or changed. One that is changed twice counts once, and one that is removed does not count.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import labelrelay


class Training:
    """Counts what is new, and trains. The count is in a file, so a restart forgets nothing."""

    def __init__(self, folder: Path, command: list[str], after: int) -> None:
        self.command, self.after = command, after
        self.new = sqlite3.connect(folder / "training.db", check_same_thread=False)
        self.new.execute("create table if not exists new (source, kind, id, primary key (source, kind, id))")

    def note(self, change: labelrelay.Change) -> None:
        with self.new:
            if isinstance(change, labelrelay.Removed):
                self.new.execute("delete from new where (source, kind, id) = (?, ?, ?)", change.key)
            else:
                self.new.execute("insert or ignore into new values (?, ?, ?)", change.key)
        (count,) = self.new.execute("select count(*) from new").fetchone()
        if count >= self.after:
            # If it fails, the event comes again later, and so does this.
            subprocess.run(self.command, check=True)
            with self.new:
                self.new.execute("delete from new")


def consumer(queue: str, training: Training, state: str | None = None) -> labelrelay.Consumer:
    relay = labelrelay.Consumer(queue, state=state)
    relay.on("annotation", "label")(training.note)
    return relay


if __name__ == "__main__":
    queue, _, *command = sys.argv[1:]
    after = int(os.environ.get("TRAIN_AFTER", "100"))
    # One at a time: while it trains, nothing else is counted.
    consumer(queue, Training(Path(), command, after), "sqlite:seen.db").run(concurrency=1)
