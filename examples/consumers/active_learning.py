"""Active learning: when an annotation is finished, asks a model for predictions of the tasks that are next, and gives them
to Label Studio. Sorted by score there, the tasks of which the model is least sure come first.

    LABEL_STUDIO_URL=http://localhost:8080 LABEL_STUDIO_API_KEY=… ML_BACKEND_URL=http://localhost:9090 \\
        python active_learning.py .

The argument is the queue, as for `labelrelay.Consumer`. The model is any ML back end of Label Studio: it is asked by
`POST /predict`, and learns by itself (docs/label-studio.md says how it gets the events, too).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import labelrelay

AHEAD = 5
"""Tasks for which the model is asked at once."""

UNFINISHED = {"filter": "filter:tasks:completed_at", "operator": "empty", "type": "Datetime", "value": True}
# The tasks with the fewest predictions come first, so each has its turn, however often the model learns.
NEXT = json.dumps({"filters": {"conjunction": "and", "items": [UNFINISHED]}, "ordering": ["tasks:total_predictions"]})


def call(url: str, body: object = None, **headers: str) -> Any:
    """The answer to a GET, or to a POST of `body`. An error of it lets the event come again."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", **headers})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def consumer(queue: str, label_studio: str, key: str, model: str, state: str | None = None) -> labelrelay.Consumer:
    relay = labelrelay.Consumer(queue, state=state)
    token = {"Authorization": f"Token {key}"}

    @relay.on("annotation")
    def learn(change: labelrelay.Change) -> None:
        if isinstance(change, labelrelay.Removed) or change.record is None or change.annotation.skipped:
            return
        project = change.annotation.project
        config = call(f"{label_studio}/api/projects/{project}/", **token)["label_config"]
        asked = urlencode({"project": project, "page_size": AHEAD, "fields": "all", "query": NEXT})
        tasks = call(f"{label_studio}/api/tasks/?{asked}", **token)["tasks"]
        answer = call(f"{model}/predict", {"tasks": tasks, "project": f"{project}", "label_config": config})
        for task, made in zip(tasks, answer["results"]):
            version = made.get("model_version") or answer.get("model_version") or "no version"
            # A version of the model would say the same again.
            if all(version != old["model_version"] for old in task["predictions"]):
                call(f"{label_studio}/api/predictions/", {**made, "task": task["id"], "model_version": version}, **token)

    return relay


if __name__ == "__main__":
    where = [os.environ[name] for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "ML_BACKEND_URL")]
    consumer(sys.argv[1], *where, "sqlite:seen.db").run(concurrency=1)
