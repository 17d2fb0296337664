"""Reads a snapshot as training runs do, and says in JSON what is in it: `python readers.py SNAPSHOT EXPORTED`.

`EXPORTED` has the boxes and polygons of Label Studio's own export: by annotation and region a label, and points in pixels.
Fails where a reader finds another label or place than that, or where two readers do not agree.
"""

import contextlib
import io
import json
import math
import pathlib
import sys

import duckdb
import numpy
import pandas
from pycocotools import mask as masks
from pycocotools.coco import COCO

snapshot = pathlib.Path(sys.argv[1])
exported = {name: (label, points) for name, (label, points) in json.loads(pathlib.Path(sys.argv[2]).read_text()).items()}

NEAR = 0.01
"""Pixels by which a place may differ: readers and writers round."""

SIZE = (400, 300)
"""Of all images."""


def is_near(one, other):
    """Tells whether two shapes have the same label, and their points are in the same places."""
    (label, points), (other_label, others) = one, other
    same = label == other_label and len(points) == len(others)
    return same and all(abs(point - there) <= NEAR for point, there in zip(points, others))


def assert_exported(found, reader):
    """What a reader found is what Label Studio exports."""
    assert found.keys() == exported.keys(), (reader, found.keys() ^ exported.keys())
    for name, shape in found.items():
        assert is_near(shape, exported[name]), (reader, name, shape, exported[name])


def coco():
    """Every annotation becomes a mask by pycocotools, and its area is the one in the file."""
    regions, found = 0, {}
    for part in ("train", "val", "test"):
        with contextlib.redirect_stdout(io.StringIO()):
            read = COCO(snapshot / "coco" / f"instances_{part}.json")
        for annotation in read.loadAnns(read.getAnnIds()):
            regions += 1
            image = read.imgs[annotation["image_id"]]
            assert image["file_name"].startswith("s3://bucket/"), image
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, dict):
                assert segmentation["size"] == [image["height"], image["width"]], (segmentation["size"], image)
                pixels = read.annToMask(annotation)
                assert int(pixels.sum()) == annotation["area"], annotation["id"]
                left, top, width, height = masks.toBbox(read.annToRLE(annotation))
                assert [left, top, width, height] == annotation["bbox"], annotation
                rows, columns = numpy.nonzero(pixels)
                assert [columns.min(), rows.min()] == [left, top]
            else:
                read.annToRLE(annotation)
                label = read.loadCats(annotation["category_id"])[0]["name"]
                found[f"{annotation['annotation']}/{annotation['region']}"] = (label, segmentation[0])
    assert_exported(found, "pycocotools")
    return regions


def yolo():
    """Every line has a class that is named, and eight numbers from 0 to 1, and is a box of the export. What is no line was
    rejected with a reason."""
    folder = snapshot / "yolo-obb"
    text = (folder / "data.yaml").read_text()
    names = [json.loads(line.split(": ", 1)[1]) for line in text.split("names:\n")[1].splitlines()]
    boxes = []
    for path in folder.glob("labels/*/*.txt"):
        for line in path.read_text().splitlines():
            number, *parts = line.split()
            assert names[int(number)] in ("car", "bus", "tram"), line
            assert len(parts) == 8 and all(0 <= float(part) <= 1 for part in parts), line
            boxes.append((names[int(number)], [float(part) * SIZE[place % 2] for place, part in enumerate(parts)]))
    rejects = [json.loads(line) for line in (snapshot / "rejects.jsonl").read_text().splitlines()]
    rejected = [it for it in rejects if it["format"] == "yolo-obb" and it["kind"] == "box"]
    assert all(it["reason"] == "it reaches beyond its image" for it in rejected), rejected
    without = {f"{it['annotation']}/{it['region']}" for it in rejected}
    left = [shape for name, shape in exported.items() if shape[0] != "road" and name not in without]
    for box in boxes:
        same = [place for place, shape in enumerate(left) if is_near(box, shape)]
        assert same, (box, "is no box of the export")
        del left[same[0]]
    assert not left, left
    return len(boxes) + len(rejected)


def outlines(rows):
    """Boxes and polygons of the table of regions, as the export is given here."""
    found = {}
    for annotation, region, label, kind, unit, x, y, width, height, rotation, points in rows:
        assert unit == "px", (annotation, region, unit)
        if kind == "polygon":
            found[f"{annotation}/{region}"] = (label, [number for point in json.loads(points) for number in point])
            continue
        sin, cos = math.sin(math.radians(rotation)), math.cos(math.radians(rotation))
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        places = [(x + right * cos - down * sin, y + right * sin + down * cos) for right, down in corners]
        found[f"{annotation}/{region}"] = (label, [number for place in places for number in place])
    return found


def tables():
    """DuckDB and pandas read the same."""
    folder = snapshot / "parquet"
    counts = {}
    for name in ("annotations", "regions", "classifications", "tasks", "classes", "projects"):
        path = str(folder / name / "**" / "*.parquet")
        (count,) = duckdb.sql(f"select count(*) from '{path}'").fetchall()[0]
        frame = pandas.read_parquet(folder / name)
        assert len(frame) == count, name
        assert list(frame.columns) == duckdb.sql(f"select * from '{path}' limit 0").columns, name
        counts[name] = count
    regions = str(folder / "regions" / "**" / "*.parquet")
    (area,) = duckdb.sql(f"select sum(width * height) from '{regions}' where kind = 'box'").fetchall()[0]
    frame = pandas.read_parquet(folder / "regions")
    boxes = frame[frame["kind"] == "box"]
    assert len(boxes) == 0 or abs((boxes["width"] * boxes["height"]).sum() - area) < 1e-6 * area
    annotations = str(folder / "annotations" / "**" / "*.parquet")
    present = f"select count(*) from '{annotations}' where state = 'present' and skipped = 0"
    (count,) = duckdb.sql(present).fetchall()[0]
    shown = f"""select count(*) from '{regions}' r join '{annotations}' a
        using (source, annotation_id) where a.state = 'present' and a.skipped = 0 and r.kind = 'box'"""
    (boxes,) = duckdb.sql(shown).fetchall()[0]
    columns = ["annotation_id", "region_id", "label", "kind", "unit", "x", "y", "width", "height", "rotation", "points"]
    outlined = f"""select {", ".join(f"r.{column}" for column in columns)} from '{regions}' r
        semi join (select source, annotation_id from '{annotations}' where state = 'present' and skipped = 0) a
        using (source, annotation_id) where r.kind in ('box', 'polygon')"""
    assert_exported(outlines(duckdb.sql(outlined).fetchall()), "DuckDB")
    whole = pandas.read_parquet(folder / "annotations")
    whole = whole[(whole["state"] == "present") & (whole["skipped"] == 0)]
    drawn = frame.merge(whole[["source", "annotation_id"]], on=["source", "annotation_id"])
    drawn = drawn[drawn["kind"].isin(["box", "polygon"])]
    assert_exported(outlines(drawn[columns].itertuples(index=False)), "pandas")
    dataset = snapshot.parent.parent
    latest = json.loads((dataset / "latest.json").read_text())
    last = f"select digest, missing, verified_at from '{dataset / 'snapshots.parquet'}' order by number desc limit 1"
    (digest, missing, verified_at) = duckdb.sql(last).fetchall()[0]
    assert (digest, missing, verified_at) == (latest["digest"], 0, latest["verified"]["at"]), latest
    return count, boxes, counts


annotations, boxes, counts = tables()
print(json.dumps({
    "annotations": annotations, "boxes": boxes, "boxes_of_yolo": yolo(), "regions_of_coco": coco(), "tables": counts,
}))
