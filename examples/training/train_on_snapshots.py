"""Trains a small model whenever enough annotations are new, and notes the snapshot that it was trained on.

    labelrelay dataset sync ./digits --format jsonl --media https://example.org/digits=./images --follow --json \\
        | python train_on_snapshots.py ./digits

`sync` prints a line for each snapshot. After each 100 new annotations (TRAIN_AFTER) this reads the snapshot, trains a
classifier of pictures of 8 x 8 pixels, and writes `models/NUMBER.joblib` with `models/NUMBER.json` beside it. It needs
Pillow and scikit-learn.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import joblib
import numpy
from PIL import Image
from sklearn.linear_model import LogisticRegression


def read(snapshot: Path) -> dict[str, tuple[list[numpy.ndarray], list[str]]]:
    """Pictures and their answers, by the part of the dataset that they belong to."""
    parts: dict[str, tuple[list[numpy.ndarray], list[str]]] = {"train": ([], []), "val": ([], []), "test": ([], [])}
    with (snapshot / "jsonl" / "samples.jsonl").open(encoding="utf-8") as samples:
        for sample in map(json.loads, samples):
            answers = [value for it in sample["annotations"][-1]["classifications"] for value in it["values"]]
            if len(answers) != 1:
                continue
            pictures, labels = parts[sample["split"]]
            pictures.append(numpy.asarray(Image.open(sample["media"]).convert("L"), dtype=float).ravel())
            labels.append(answers[0])
    return parts


def train(dataset: Path, snapshot: dict) -> dict:
    """Trains on the snapshot. The digest in the result names the very labels that the model has seen."""
    parts = read(dataset / snapshot["path"])
    pictures, labels = parts["train"]
    model = LogisticRegression(max_iter=1000).fit(numpy.array(pictures) / 255, labels)
    held_out = [parts["val"][place] + parts["test"][place] for place in (0, 1)]
    result = {
        "snapshot": snapshot["number"],
        "digest": snapshot["digest"],
        "trained_on": len(labels),
        "tested_on": len(held_out[1]),
        "accuracy": model.score(numpy.array(held_out[0]) / 255, held_out[1]) if held_out[1] else None,
    }
    models = dataset / "models"
    models.mkdir(exist_ok=True)
    joblib.dump(model, models / f"{snapshot['number']:06}.joblib")
    (models / f"{snapshot['number']:06}.json").write_text(json.dumps(result), encoding="utf-8")
    return result


def main(dataset: Path, after: int) -> None:
    trained_with = 0
    for line in sys.stdin:
        snapshot = json.loads(line)
        count = snapshot["counts"]["annotations"]
        if count - trained_with < after:
            continue
        try:
            result = train(dataset, snapshot)
        except FileNotFoundError as error:
            # It took so long that the snapshot was removed: a newer one follows.
            print(f"snapshot {snapshot['number']}: {error}", file=sys.stderr)
            continue
        trained_with = count
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(os.environ.get("TRAIN_AFTER", "100")))
