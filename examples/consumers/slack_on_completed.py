"""Tells a Slack channel of each task that is completed.

    SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… python slack_on_completed.py .

The argument is the queue, as for `labelrelay.Consumer`. Label Studio sends no such event itself: `serve` derives it
where the queue is its own file (docs/envelope.md, "Derived events").
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

import labelrelay


def consumer(queue: str, webhook: str, state: str | None = None) -> labelrelay.Consumer:
    relay = labelrelay.Consumer(queue, state=state)

    @relay.on("completion")
    def tell(change: labelrelay.Change) -> None:
        if isinstance(change, labelrelay.Removed):
            return
        text = f"Task {change.key.id} of {change.key.source.lstrip('/')} is completed."
        request = urllib.request.Request(
            webhook, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            if error.code == 429:  # Slack takes about one message a second, and says when to come again
                raise labelrelay.Retry(after=int(error.headers.get("Retry-After", "30"))) from error
            raise

    return relay


if __name__ == "__main__":
    consumer(sys.argv[1], os.environ["SLACK_WEBHOOK_URL"], "sqlite:seen.db").run()
