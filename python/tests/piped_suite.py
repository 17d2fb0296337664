"""A consumer that reaches its queue through the program: `python piped_suite.py URL PROGRAM DEAD_LETTER [killed]`, where an
empty dead letter is none. Prints the id of each label that it handled, until nothing comes for a while. With `killed`, the program is
killed once: what it has handed out is settled through the next one, and what it has not comes again."""

from __future__ import annotations

import logging
import sys

import labelrelay
from labelrelay._source_program import ProgramSource
from labelrelay._sources import Settings, open_source


def main(url: str, program: str, dead_letter: str, killed: str = "") -> None:
    logging.basicConfig(level=logging.INFO)
    settings = Settings(dead_letter=dead_letter or None, program=program, client="program")
    queue = open_source(url, settings)
    assert isinstance(queue, ProgramSource)
    relay = labelrelay.Consumer(queue, visibility=4)
    handled: list[str] = []

    @relay.on("label")
    def keep(change: labelrelay.Change) -> None:
        if change.key.id == "cklaunused":
            raise labelrelay.Reject("no use for this one")
        handled.append(change.key.id)
        if killed and len(handled) == 1:
            queue._running().kill()
        print(change.key.id)

    relay.run(concurrency=4, wait=1, until_idle=8)
    stats = relay.stats
    assert stats.rejected == 1, stats
    assert stats.acknowledged >= len(handled), stats


if __name__ == "__main__":
    main(*sys.argv[1:])
