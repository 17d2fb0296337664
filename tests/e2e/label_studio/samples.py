"""What the driver puts into Label Studio: label configurations, tasks, regions of every kind."""

import random

R = random.Random(20260925)

IMAGE = """<View>
  <Image name="image" value="$image" zoom="true"/>
  <RectangleLabels name="label" toName="image"><Label value="Airplane" background="green"/><Label value="Car" background="blue"/></RectangleLabels>
  <PolygonLabels name="poly" toName="image"><Label value="Roof"/></PolygonLabels>
  <KeyPointLabels name="kp" toName="image"><Label value="Nose"/></KeyPointLabels>
  <BrushLabels name="brush" toName="image"><Label value="Sky"/></BrushLabels>
  <Choices name="quality" toName="image" choice="multiple"><Choice value="Sharp"/><Choice value="Blurred"/></Choices>
  <Rating name="stars" toName="image"/>
  <TextArea name="notes" toName="image"/>
</View>"""

TEXT = """<View>
  <Labels name="ner" toName="text"><Label value="Person"/><Label value="Организация"/><Label value="場所"/><Label value="😀 Emoji"/></Labels>
  <Text name="text" value="$text"/>
  <Choices name="sentiment" toName="text"><Choice value="Positive"/><Choice value="Négatif"/></Choices>
  <Taxonomy name="tax" toName="text"><Choice value="Eukarya"><Choice value="Opossum"/></Choice></Taxonomy>
</View>"""

AUDIO = """<View>
  <Labels name="labels" toName="audio"><Label value="Speech"/><Label value="Noise"/></Labels>
  <Audio name="audio" value="$audio"/>
  <TextArea name="transcription" toName="audio" perRegion="true"/>
</View>"""

UNICODE = (
    "Zażółć gęślą jaźń — Мария Кюри · 東京タワー · السلام عليكم · 👩‍👩‍👧‍👦🏳️‍🌈 · e\u0301 · \u2028\u2029"
    " · <b>&amp;\"'\\/</b> \t\u0007\x7f"
)


def image_region(region, kind, name, value):
    return {
        "id": region, "from_name": name, "to_name": "image", "type": kind, "original_width": 1920,
        "original_height": 1080, "image_rotation": 0, "value": value,
    }


def rectangle(number=0):
    value = {
        "x": R.random() * 90, "y": R.random() * 90, "width": R.random() * 10, "height": R.random() * 10, "rotation": 0,
        "rectanglelabels": [R.choice(["Airplane", "Car"])],
    }
    return image_region("r%05d" % number, "rectanglelabels", "label", value)


def polygon():
    points = [[R.random() * 100, R.random() * 100] for _ in range(37)]
    return image_region("p1", "polygonlabels", "poly", {"points": points, "closed": True, "polygonlabels": ["Roof"]})


def brush():
    rle = [R.randrange(256) for _ in range(4000)]
    return image_region("b1", "brushlabels", "brush", {"format": "rle", "rle": rle, "brushlabels": ["Sky"]})


def keypoint():
    return image_region("k1", "keypointlabels", "kp", {"x": 33.3, "y": 66.6, "width": 0.5, "keypointlabels": ["Nose"]})


def choices():
    return {"id": "c1", "from_name": "quality", "to_name": "image", "type": "choices", "value": {"choices": ["Sharp", "Blurred"]}}


def text_area(text):
    return {"id": "t1", "from_name": "notes", "to_name": "image", "type": "textarea", "value": {"text": [text]}}


def rating():
    return {"id": "s1", "from_name": "stars", "to_name": "image", "type": "rating", "value": {"rating": 4}}


def entities():
    def label(region, start, end, text, *labels):
        value = {"start": start, "end": end, "text": text, "labels": list(labels)}
        return {"id": region, "from_name": "ner", "to_name": "text", "type": "labels", "value": value}

    return [
        label("n1", 20, 30, "Мария Кюри", "Person"),
        label("n2", 33, 38, "東京タワー", "場所", "😀 Emoji"),
        {"from_id": "n1", "to_id": "n2", "type": "relation", "direction": "right", "labels": []},
        {"id": "x1", "from_name": "tax", "to_name": "text", "type": "taxonomy", "value": {"taxonomy": [["Eukarya", "Opossum"]]}},
        {"id": "c2", "from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": ["Négatif"]}},
    ]


def speech():
    def region(name, kind, **value):
        value = dict({"start": 1.0000000000000002, "end": 3.25, "channel": 0}, **value)
        return {"id": "a1", "from_name": name, "to_name": "audio", "type": kind, "original_length": 60.123456789012345, "value": value}

    return [region("labels", "labels", labels=["Speech"]), region("transcription", "textarea", text=["olá — 你好 🎧"])]


def image_task(number):
    url = "https://example.com/images/%06d.jpg?sig=%032x" % (number, R.getrandbits(128))
    return {"data": {"image": url}, "meta": {"row": number}}


def edge_tasks(project):
    """Bodies by hand: a serializer would not write these. Each with the statuses that Label Studio may answer."""
    def task(name, more, ok):
        return name, ('{"project": %d, "data": {"image": "https://example.com/e.jpg", %s}}' % (project, more)).encode(), ok

    created, either = (201,), (201, 400, 500)
    return [
        task("numbers", '"big": 123456789012345678901234567890, "neg": -9223372036854775809, "u64": 18446744073709551615, '
                        '"f": 0.1, "e": 1e-320, "h": 1E+25, "neg0": -0.0, "i2f": 10000000000000000.0', created),
        task("lone_surrogate", '"s": "cut emoji \\ud83d here", "nul": "a\\u0000b"', either),
        task("nested_200", '"deep": %s1%s' % ("[" * 200, "]" * 200), either),
        task("infinity", '"inf": 1e999', either),
        task("odd_keys", '"": "empty key", "ключ \\"q\\" \\\\": 1, "a.b/c~d": null, "action": "NOT_THE_ACTION", '
                         '"__proto__": {"x": 1}', created),
    ]
