"""Consumers keep a copy of a real Label Studio: `python label_studio_suite.py PROGRAM LABEL_STUDIO TEMPLATE [EDITS [SEED
[WORKER]]]`. The workers are those of the Python package, or `WORKER`: a program that is called with the folder.

Random edits, of every form that tells of itself in its own way. Their deliveries come shuffled by eight and 20 % of them
twice, to a `serve` that pulls besides: an import says nothing of the annotations in it. Workers that share a state are
killed at random. In the end their copy is the platform's own JSON export, record by record.

On SQLite, Label Studio gives ids again, and what has an id again cannot be told from what is late (`docs/consuming.md`).
So nothing is imported here while the newest id is free: the platform is as one on PostgreSQL.
"""

from __future__ import annotations

import json
import os
import random
import runpy
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from embedded_suite import SECRET, Serving, Workers, end, stats
from shuffled import Shuffled

ROOT = Path(__file__).parents[2]


def of_the_driver(name: str) -> Any:
    """A module of the driver of Label Studio. By its path: other modules here have the same names."""
    spec = spec_from_file_location(f"label_studio_{name}", ROOT / f"tests/e2e/label_studio/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


samples, server = of_the_driver("samples"), of_the_driver("server")

KILLED = 0.05
"""Share of the edits after which a worker is killed."""

PATIENCE = 300.0
"""Seconds within which the copy is to be what the platform has."""

PULL = """
[source.pull]
every = "1s"
url = "{base}"
token = "file:token"
"""

FIELDS = (
    ("id", "task", "project", "completed_by", "result", "was_cancelled", "ground_truth", "lead_time")
    + ("created_at", "updated_at", "parent_prediction", "parent_annotation")
)
"""Members of an annotation that are compared: those that the export, the deliveries and the pulled ones have. (A pulled one has
no `unique_id`.)"""


class Edits:
    """Somebody who works with Label Studio's API."""

    def __init__(self, label_studio: Any, dice: random.Random) -> None:
        self.label_studio, self.dice = label_studio, dice
        self.done: dict[str, int] = {}
        self.projects = [self.new_project()]

    def api(self, method: str, path: str, value: Any = None) -> Any:
        status, answer = self.label_studio.api(method, path, value)
        assert 200 <= status < 300, (method, path, status, answer)
        return answer

    def ids(self, statement: str, *values: Any) -> list[int]:
        return [row[0] for row in self.label_studio.sql(statement, values)]

    def some(self, ids: list[int], most: int) -> list[int]:
        return self.dice.sample(ids, min(len(ids), self.dice.randint(1, most)))

    def act(self) -> None:
        """One edit of some form; if there is nothing for it to be done to, an import."""
        edit: str
        (edit,) = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
        if not getattr(self, edit)():
            edit = "import_tasks"
            self.import_tasks()
        self.done[edit] = self.done.get(edit, 0) + 1

    def new_project(self) -> int:
        made: int = self.api("POST", "/api/projects/", {"title": "Copied", "label_config": samples.IMAGE})["id"]
        return made

    def create_project(self) -> bool:
        if len(self.projects) > 3:
            return False
        self.projects.append(self.new_project())
        self.import_tasks(self.projects[-1])
        return True

    def delete_project(self) -> bool:
        if len(self.projects) < 2:
            return False
        self.api("DELETE", f"/api/projects/{self.projects.pop(self.dice.randrange(len(self.projects)))}/")
        return True

    def import_tasks(self, project: int | None = None) -> bool:
        project = project or self.dice.choice(self.projects)
        self.use_newest_ids(project)
        tasks: list[dict[str, Any]] = []
        for number in range(self.dice.randint(1, 5)):
            task: dict[str, Any] = {"data": samples.image_task(number)["data"]}
            if self.dice.random() < 0.3:
                task["annotations"] = [{"result": self.result()} for _ in range(self.dice.randint(1, 2))]
            if self.dice.random() < 0.2:
                task["predictions"] = [{"model_version": "m1", "result": self.result()}]
            tasks.append(task)
        self.api("POST", f"/api/projects/{project}/import", tasks)
        return True

    def use_newest_ids(self, project: int) -> None:
        """Takes the newest ids that are free, with the calls that never give one again."""
        for table in ("task", "task_completion"):
            given = self.ids("select seq from sqlite_sequence where name = ?", table)
            there = self.ids(f"select max(id) from {table}")
            if given and given[0] != there[0]:
                task = self.api("POST", "/api/tasks/", {"project": project, "data": samples.image_task(0)["data"]})["id"]
                self.api("POST", f"/api/tasks/{task}/annotations/", {"result": self.result()})
                return

    def result(self) -> list[dict[str, Any]]:
        made = [samples.rectangle(number) for number in range(self.dice.randint(0, 3))]
        more = (samples.polygon, samples.keypoint, samples.choices, samples.rating, lambda: samples.text_area("noted 📝"))
        return [*made, *(one() for one in self.dice.sample(more, self.dice.randint(0, 2)))]

    def annotate(self) -> bool:
        for task in self.some(self.ids("select id from task"), 1):
            more = {"was_cancelled": True} if self.dice.random() < 0.1 else {"ground_truth": self.dice.random() < 0.1}
            made = {"result": self.result(), "lead_time": self.dice.random() * 100, **more}
            self.api("POST", f"/api/tasks/{task}/annotations/", made)
            return True
        return False

    def update(self) -> bool:
        for annotation in self.some(self.ids("select id from task_completion"), 1):
            changed = self.dice.choice(
                [{"result": self.result()}, {"ground_truth": True}, {"ground_truth": False}, {"was_cancelled": True}]
                + [{"result": self.result(), "was_cancelled": False}] * 3
            )
            self.api("PATCH", f"/api/annotations/{annotation}/", changed)
            return True
        return False

    def delete_annotation(self) -> bool:
        for annotation in self.some(self.ids("select id from task_completion"), 1):
            self.api("DELETE", f"/api/annotations/{annotation}/")
            return True
        return False

    def delete_task(self) -> bool:
        for task in self.some(self.ids("select id from task"), 1):
            self.api("DELETE", f"/api/tasks/{task}/")
            return True
        return False

    def act_on_several(self, action: str) -> bool:
        project = self.dice.choice(self.projects)
        tasks = self.some(self.ids("select id from task where project_id = ?", project), 3)
        if not tasks:
            return False
        if action == "predictions_to_annotations":
            for task in tasks:
                made = {"task": task, "model_version": "m1", "result": self.result()}
                self.api("POST", "/api/predictions/", made)
        chosen = {"selectedItems": {"all": False, "included": tasks}}
        self.api("POST", f"/api/dm/actions?id={action}&project={project}", chosen)
        return True

    def delete_tasks(self) -> bool:
        return self.act_on_several("delete_tasks")

    def delete_annotations_of_tasks(self) -> bool:
        return self.act_on_several("delete_tasks_annotations")

    def take_predictions(self) -> bool:
        return self.act_on_several("predictions_to_annotations")

    def exported(self) -> dict[str, dict[str, Any]]:
        """What the platform says that it has."""
        tasks: dict[str, Any] = {}
        annotations: dict[str, Any] = {}
        for project in self.projects:
            query = "exportType=JSON&download_all_tasks=true"
            for task in self.api("GET", f"/api/projects/{project}/export?{query}"):
                tasks[str(task["id"])] = {"data": task["data"], "project": task["project"]}
                for annotation in task["annotations"]:
                    # In the export it stands in its task.
                    annotation.setdefault("task", task["id"])
                    annotations[str(annotation["id"])] = fields_of(annotation)
        return {"task": tasks, "annotation": annotations}


WEIGHTS = {
    "annotate": 30,
    "update": 25,
    "delete_annotation": 8,
    "import_tasks": 10,
    "take_predictions": 7,
    "delete_annotations_of_tasks": 5,
    "delete_task": 5,
    "delete_tasks": 4,
    "create_project": 4,
    "delete_project": 2,
}


def fields_of(annotation: dict[str, Any]) -> dict[str, Any]:
    return {name: annotation.get(name) for name in FIELDS}


def copied(workers: Workers) -> dict[str, dict[str, Any]]:
    found = workers.things()
    tasks = {id: {"data": task["data"], "project": task["project"]} for id, task in found["task"].items()}
    return {"task": tasks, "annotation": {id: fields_of(one) for id, one in found["annotation"].items()}}


def differences(copy: dict[str, dict[str, Any]], platform: dict[str, dict[str, Any]]) -> list[str]:
    """Words for each thing that is not the same in both."""
    words: list[str] = []
    for kind, there in platform.items():
        for id in sorted(there.keys() | copy[kind].keys(), key=int):
            if id not in there:
                words.append(f"{kind} {id}: the platform has it no more; the copy has {copy[kind][id]}")
            elif id not in copy[kind]:
                words.append(f"{kind} {id}: the copy lacks {there[id]}")
            elif copy[kind][id] != there[id]:
                mine, theirs = copy[kind][id], there[id]
                names = [name for name in theirs if mine[name] != theirs[name] and not is_untold(name, mine, theirs)]
                if not names:
                    continue
                words.append(f"{kind} {id}: " + "; ".join(f"{name} is {mine[name]!r}, and is {theirs[name]!r}" for name in names))
    return words


def is_untold(name: str, mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whoever sets a ground truth takes it from the task's others, and neither an event nor `updated_at` says so."""
    return name == "ground_truth" and bool(mine[name]) and not theirs[name]


class Model(BaseHTTPRequestHandler):
    """An ML back end that is sure of nothing."""

    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(asked)
        made = {"result": [samples.choices()], "score": 0.5, "model_version": f"v{len(self.asked)}"}
        answer = json.dumps({"results": [made for _ in asked["tasks"]]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def learns_actively(program: str, folder: Path, somebody: Edits, shuffled: Shuffled) -> None:
    """`examples/consumers/active_learning.py`: when a task is finished, the others get predictions."""
    example = runpy.run_path(str(ROOT / "examples/consumers/active_learning.py"), run_name="active_learning")
    # It takes the program of the wheel, or else that of the PATH.
    os.environ.update(SECRET=SECRET, PATH=f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}")
    project = somebody.new_project()
    somebody.api("POST", f"/api/projects/{project}/import", [{"data": samples.image_task(at)["data"]} for at in range(4)])
    finished, *others = somebody.ids("select id from task where project_id = ? order by id", project)
    somebody.api("POST", f"/api/tasks/{finished}/annotations/", {"result": [samples.choices()]})
    shuffled.empty()
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as model:
        threading.Thread(target=model.serve_forever, daemon=True).start()
        base = somebody.label_studio.base
        relay = example["consumer"](str(folder), base, server.TOKEN, f"http://127.0.0.1:{model.server_port}")
        relay.run(concurrency=1, until_idle=5)
        model.shutdown()
    asked = [sorted(task["id"] for task in one["tasks"]) for one in Model.asked]
    assert asked[0] == others, (asked, others)
    assert all("<View>" in one["label_config"] for one in Model.asked)
    for task in (finished, *others):
        told = [(one["model_version"], one["score"]) for one in somebody.api("GET", f"/api/predictions/?task={task}")]
        assert told == ([("v1", 0.5)] if task in others else []), (task, told)


def run(program: str, label_studio_program: str, template: str, edits: int, seed: int, worker: str | None) -> None:
    dice = random.Random(seed)
    begun = time.monotonic()
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="label-studio-"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        deadline = time.time() + 900 + 5 * edits
        label_studio = stack.enter_context(server.LabelStudio(label_studio_program, home, template, deadline))
        (folder / "token").write_text(server.TOKEN)
        serving = Serving(program, folder, 100, PULL.format(base=label_studio.base))
        stack.callback(lambda: end([serving.process]))
        workers = Workers(program, folder, dice, worker)
        stack.callback(lambda: end(workers.processes))
        shuffled = stack.enter_context(Shuffled(serving, dice))
        stack.callback(shuffled.shutdown)
        hook = f"http://127.0.0.1:{shuffled.server_port}/label-studio"
        label_studio.organization_webhook(hook, {"Authorization": f"Bearer {SECRET}"})
        somebody = Edits(label_studio, dice)
        for _ in range(edits):
            somebody.act()
            if dice.random() < KILLED:
                workers.kill_one()
        # Chance alone leaves it at fewer once in some thousand runs.
        while workers.kills <= edits * KILLED / 10:
            somebody.act()
            workers.kill_one()
        shuffled.empty()
        edited = time.monotonic()
        platform = somebody.exported()
        while words := differences(copied(workers), platform):
            assert time.monotonic() - edited < PATIENCE, "\n".join([f"{len(words)} differ:", *words[:20]])
            time.sleep(0.2)
        # Events that still come change nothing.
        workers.wait_until_all_is_acknowledged()
        assert differences(copied(workers), platform) == []
        assert somebody.exported() == platform
        workers.stop()
        assert stats(program, folder)["dead"] == 0
        if worker is None:
            learns_actively(program, folder, somebody, shuffled)
        serving.stop()
    assert shuffled.sent > shuffled.taken, "some came twice"
    print(
        f"seed {seed}: {edits} edits {json.dumps(somebody.done)} in {edited - begun:.0f} s, {shuffled.taken} deliveries sent"
        f" {shuffled.sent} times, {workers.kills} workers killed; {len(platform['task'])} tasks and"
        f" {len(platform['annotation'])} annotations are as exported, {time.monotonic() - edited:.1f} s after the last edit"
    )


if __name__ == "__main__":
    program, label_studio, template, *more = sys.argv[1:]
    numbers, worker = more[:2], more[2] if len(more) > 2 else None
    edits, seed = [*map(int, numbers), *(200, 1)[len(numbers) :]]
    run(program, label_studio, template, edits, seed, worker)
