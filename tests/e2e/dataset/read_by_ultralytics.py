"""Reads the YOLO files of a snapshot with Ultralytics' own reader, and says in JSON how much it found. Fails where it drops an
image or an object, or reads another place.

    python read_by_ultralytics.py SNAPSHOT SCRATCH

A snapshot has no images, and the reader wants them: they are made here.
"""

import json
import pathlib
import shutil
import sys

import numpy
from PIL import Image
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset

snapshot, scratch = map(pathlib.Path, sys.argv[1:])

TASKS = {"yolo": "detect", "yolo-seg": "segment", "yolo-obb": "obb"}

# Images of which a training sample is made, with all that a training run does to it.
SAMPLES = 20


def rows(path):
    """The objects of a label file: class, and numbers."""
    for line in path.read_text().splitlines():
        number, *places = line.split()
        yield int(number), [float(place) for place in places]


def read(folder, task):
    """Images and objects of a dataset, all of which is training data."""
    for split in ("train", "val", "test"):
        images = folder / "images" / split
        images.mkdir(parents=True)
        for label in (folder / "labels" / split).glob("*.txt"):
            Image.new("RGB", (400, 300)).save(images / f"{label.stem}.png")
    data = check_det_dataset(folder / "data.yaml", autodownload=False)
    dataset = YOLODataset(img_path=data["train"], data=data, task=task, augment=False)
    found = {pathlib.Path(label["im_file"]).stem: label for label in dataset.labels}
    labels = sorted((folder / "labels" / "train").glob("*.txt"))
    assert len(found) == len(labels), (task, len(found), len(labels))
    objects = 0
    for path in labels:
        label, expected = found[path.stem], list(rows(path))
        assert len(label["cls"]) == len(expected), (task, path.name, len(label["cls"]), len(expected))
        places = label["bboxes"] if task == "detect" else label["segments"]
        for number, place, (known, numbers) in zip(label["cls"], places, expected, strict=True):
            assert int(number[0]) == known, (task, path.name, number, known)
            assert numpy.allclose(place.reshape(-1), numbers, rtol=0, atol=1e-6), (task, path.name, place, numbers)
            objects += 1
    for place in range(min(len(dataset), SAMPLES)):
        dataset[place]
    return {"images": len(found), "objects": objects}


told = {}
for name, task in TASKS.items():
    shutil.copytree(snapshot / name, scratch / name)
    told[name] = read(scratch / name, task)
assert all(it["objects"] for it in told.values()), told
print(json.dumps(told))
