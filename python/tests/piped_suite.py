"""A consumer that reaches its queue through the program: `python piped_suite.py URL PROGRAM DEAD_LETTER`, where an empty
dead letter is none. Prints the id of each label that it handled, until nothing comes for a while."""

from __future__ import annotations

import logging
import sys

import labelrelay


def main(url: str, program: str, dead_letter: str) -> None:
    logging.basicConfig(level=logging.INFO)
    relay = labelrelay.Consumer(url, program=program, client="program", dead_letter=dead_letter or None)

    @relay.on("label")
    def keep(change: labelrelay.Change) -> None:
        if change.key.id == "cklaunused":
            raise labelrelay.Reject("no use for this one")
        print(change.key.id)

    relay.run(concurrency=4, wait=1, until_idle=5)
    stats = relay.stats
    assert stats.rejected == 1, stats
    assert stats.acknowledged == stats.received, stats


if __name__ == "__main__":
    main(*sys.argv[1:])
