"""Compares the COCO file of a snapshot with the one that Label Studio's own converter makes of the same export.

    python official.py LABELING_CONFIG EXPORT INSTANCES

Boxes that are upright, and polygons, have to be equal. The converter turns a box in percent of the image's width and
height, so its turned boxes are right on square images alone; of them it is only asked whether all are there.
"""

import collections
import json
import pathlib
import sys
import tempfile

from label_studio_sdk.converter import Converter

config, export, instances = map(pathlib.Path, sys.argv[1:])


def shapes(coco, is_ours):
    """The shapes of a file: label, and left, top, width and height in hundredths of a pixel."""
    names = {it["id"]: it["name"] for it in coco["categories"]}
    for it in coco["annotations"]:
        # Its masks have a format of their own.
        if is_ours and isinstance(it["segmentation"], dict):
            continue
        yield names[it["category_id"]], tuple(round(number * 100) for number in it["bbox"])


def near(shape, others):
    """One of the others that is this one, give or take a hundredth of a pixel."""
    label, numbers = shape
    for other in others:
        if other[0] == label and all(abs(one - two) <= 1 for one, two in zip(numbers, other[1])):
            return other
    return None


turned = sum(
    1
    for task in json.loads(export.read_text())
    for annotation in task["annotations"]
    if not annotation["was_cancelled"]
    for region in annotation["result"]
    if region["type"] == "rectanglelabels" and region["value"]["rotation"]
)
with tempfile.TemporaryDirectory() as folder:
    converter = Converter(config.read_text(), folder, download_resources=False)
    converter.convert_to_coco(str(export), folder, output_image_dir=folder, is_dir=False)
    official = json.loads((pathlib.Path(folder) / "result.json").read_text())

ours = list(shapes(json.loads(instances.read_text()), True))
left = collections.Counter(shapes(official, False))
different = []
for shape in ours:
    found = near(shape, left)
    if found is None:
        different.append(shape)
        continue
    left[found] -= 1
    if not left[found]:
        del left[found]
assert len(ours) == len(official["annotations"]), (len(ours), len(official["annotations"]))
assert len(different) <= turned, (different, list(left))
print(json.dumps({"equal": len(ours) - len(different), "different": len(different), "turned": turned}))
