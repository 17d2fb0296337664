"""A dataset beside a real Label Studio: `python dataset_suite.py PROGRAM LABEL_STUDIO TEMPLATE [EDITS [SEED]]`.

The edits are those of `label_studio_suite.py`: imports and deletions of projects are among them. Their deliveries come
shuffled by eight and 20 % of them twice. `serve`, which pulls besides, and `dataset sync --follow` are each killed at random.
In the end `dataset verify` says that the dataset is equal, and it has nothing of the projects that are gone.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from embedded_suite import SECRET, Serving, end, stats
from label_studio_suite import KILLED, PATIENCE, PULL, Edits, server
from shuffled import Shuffled

SYNC = ("sync", "cars", "--format", "jsonl,parquet", "--which", "all", "--split", "100/0/0", "--visibility", "5s")


class Dataset:
    """The dataset `cars`, and the process that keeps it."""

    def __init__(self, program: str, folder: Path, base: str) -> None:
        self.program, self.folder, self.base = program, folder, base
        self.log = (folder / "sync.log").open("wb")
        self.kills = 0
        self.process = self.follow()

    def words(self, *words: str) -> list[str]:
        return [self.program, "dataset", *words]

    def environment(self) -> dict[str, str]:
        return {"SECRET": SECRET, "LABEL_STUDIO_API_KEY": server.TOKEN}

    def follow(self) -> subprocess.Popen[bytes]:
        words = self.words(*SYNC, "--follow", "--every", "100ms")
        return subprocess.Popen(words, cwd=self.folder, env=self.environment(), stdout=self.log, stderr=self.log)

    def kill(self) -> None:
        assert self.process.poll() is None, (self.folder / "sync.log").read_text()
        end([self.process])
        self.process = self.follow()
        self.kills += 1

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), cwd=self.folder, env=self.environment(), capture_output=True, text=True)

    def take_in(self) -> None:
        """Takes in what is on the queue now. Nobody else may keep the dataset meanwhile."""
        done = self.run(*SYNC)
        assert done.returncode == 0, done

    def annotations(self) -> dict[str, Any]:
        """The annotations in the newest snapshot, by their ids."""
        dataset = self.folder / "cars"
        newest = dataset / json.loads((dataset / "latest.json").read_text())["path"]
        with (newest / "jsonl/samples.jsonl").open() as samples:
            return {annotation["id"]: annotation for line in samples for annotation in json.loads(line)["annotations"]}

    def ground_truths(self) -> set[str]:
        """Annotations that are a ground truth here, also those whose task was skipped: no snapshot has these."""
        with closing(sqlite3.connect(self.folder / "cars/state.db", timeout=60)) as store:
            found = store.execute("select annotation_id from annotations where ground_truth = 1")
            return {str(id) for (id,) in found}

    def differences(self, platform: dict[str, dict[str, Any]]) -> str:
        """Words for what is not as the platform has it; none if it is."""
        there = {id: annotation for id, annotation in platform["annotation"].items() if not annotation["was_cancelled"]}
        here = self.annotations()
        if here.keys() != there.keys():
            lacks, besides = there.keys() - here.keys(), here.keys() - there.keys()
            return f"the snapshot lacks {sorted(lacks)}, and has {sorted(besides)} besides"
        verified = self.run("verify", "cars", "--url", self.base, "--json")
        if verified.returncode == 0:
            return ""
        assert verified.stdout.startswith("{"), verified
        told = json.loads(verified.stdout)
        # Whoever sets a ground truth takes it from the task's others, and no event says so of these. If something newer about
        # that one overtook it, nobody knows of it.
        untold = {id for id in self.ground_truths() & platform["annotation"].keys() if not platform["annotation"][id]["ground_truth"]}
        if not told["missing"] and not told["extra"] and all(name.rpartition("/")[2] in untold for name in told["different"]):
            return ""
        return f"verify says {verified.stdout}"


def run(program: str, label_studio_program: str, template: str, edits: int, seed: int) -> None:
    dice = random.Random(seed)
    begun = time.monotonic()
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="label-studio-"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        deadline = time.time() + 900 + 5 * edits
        label_studio = stack.enter_context(server.LabelStudio(label_studio_program, home, template, deadline))
        (folder / "token").write_text(server.TOKEN)
        pull = PULL.format(base=label_studio.base)
        serving = Serving(program, folder, 100, pull)
        stack.callback(lambda: end([serving.process]))
        dataset = Dataset(program, folder, label_studio.base)
        stack.callback(lambda: end([dataset.process]))
        shuffled = stack.enter_context(Shuffled(serving, dice))
        stack.callback(shuffled.shutdown)
        hook = f"http://127.0.0.1:{shuffled.server_port}/label-studio"
        label_studio.organization_webhook(hook, {"Authorization": f"Bearer {SECRET}"})
        somebody = Edits(label_studio, dice)
        relays = 0
        for edit in range(edits):
            somebody.act()
            # Once in any case, however few edits there are.
            if dice.random() < KILLED or edit == edits // 2:
                dataset.kill()
            if dice.random() < KILLED or edit == edits // 3:
                # Not in the middle of a delivery: nobody sends that again.
                with shuffled.lock:
                    serving.kill()
                    serving = shuffled.serving = Serving(program, folder, 100, pull)
                relays += 1
        shuffled.empty()
        end([dataset.process])
        edited = time.monotonic()
        platform = somebody.exported()
        dataset.take_in()
        while words := dataset.differences(platform):
            assert time.monotonic() - edited < PATIENCE, words
            time.sleep(0.2)
            dataset.take_in()
        # Events that still come change nothing.
        while (now := stats(program, folder))["ready"] + now["in_flight"] > 0:
            assert time.monotonic() - edited < PATIENCE, now
            time.sleep(0.2)
            dataset.take_in()
        assert dataset.differences(platform) == ""
        assert somebody.exported() == platform
        assert stats(program, folder)["dead"] == 0
        serving.stop()
    assert shuffled.sent > shuffled.taken, "some came twice"
    print(
        f"seed {seed}: {edits} edits {json.dumps(somebody.done)} in {edited - begun:.0f} s, {shuffled.taken} deliveries sent"
        f" {shuffled.sent} times, serve killed {relays} times and sync {dataset.kills} times; the dataset is equal to"
        f" {len(platform['annotation'])} annotations, {time.monotonic() - edited:.1f} s after the last edit"
    )


if __name__ == "__main__":
    program, label_studio, template, *numbers = sys.argv[1:]
    edits, seed = [*map(int, numbers), *(200, 1)[len(numbers) :]]
    run(program, label_studio, template, edits, seed)
