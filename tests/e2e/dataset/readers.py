"""Reads a snapshot as training runs do, and says in JSON what is in it. Fails where two readers do not agree."""

import contextlib
import io
import json
import pathlib
import sys

import duckdb
import numpy
import pandas
from pycocotools import mask as masks
from pycocotools.coco import COCO

snapshot = pathlib.Path(sys.argv[1])


def coco():
    """Every annotation becomes a mask by pycocotools, and its area is the one in the file."""
    regions = 0
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
    return regions


def yolo():
    """Every line has a class that is named, and eight numbers from 0 to 1. What is no line was rejected with a reason."""
    folder = snapshot / "yolo-obb"
    text = (folder / "data.yaml").read_text()
    names = [json.loads(line.split(": ", 1)[1]) for line in text.split("names:\n")[1].splitlines()]
    boxes = 0
    for path in folder.glob("labels/*/*.txt"):
        for line in path.read_text().splitlines():
            number, *points = line.split()
            assert names[int(number)] in ("car", "bus", "tram"), line
            assert len(points) == 8 and all(0 <= float(point) <= 1 for point in points), line
            boxes += 1
    rejects = [json.loads(line) for line in (snapshot / "rejects.jsonl").read_text().splitlines()]
    rejected = [it for it in rejects if it["format"] == "yolo-obb" and it["kind"] == "box"]
    assert all(it["reason"] == "it reaches beyond its image" for it in rejected), rejected
    return boxes + len(rejected)


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
