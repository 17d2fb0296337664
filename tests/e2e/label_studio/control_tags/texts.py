"""Control tags on text: plain, HTML, and dialogues."""

from kinds import kind, shape

LABELS = '<Label value="Person"/><Label value="Place"/>'

# A character beyond the basic plane, a composed one and a line break come first: UTF-16, code points and bytes differ.
TEXT = "The 🐾 cafe\u0301\nAda Lovelace lived in London."
PERSON, PLACE = "Ada Lovelace", "London"


def found(text, part, label, **more):
    start = text.index(part)
    return shape("span", label, text=part, start=start, end=start + len(part), **more)


@kind('<Text name="text" value="$text"/>\n<Labels name="tag" toName="text">%s</Labels>' % LABELS, {"text": TEXT})
def text_labels(e):
    """`start` and `end` count code points of the task's text."""
    for number, (label, part) in enumerate([("Person", PERSON), ("Place", PLACE)], 1):
        e.label(label)
        e.select(".lsf-main-view", part)
        e.regions(number)
        e.rest()
    return [found(TEXT, PERSON, "Person"), found(TEXT, PLACE, "Place")]


HTML = "<p>The 🐾 <b>cafe\u0301</b>, it <i>closes</i>.</p><p>Ada <b>Love</b>lace &amp; London</p>"


def marked(e):
    """`text` is what the page shows; the first crosses a tag, the second follows an entity."""
    for number, (label, part) in enumerate([("Person", PERSON), ("Place", PLACE)], 1):
        e.label(label)
        e.select("body", part, frame=True)
        e.regions(number)
        e.rest()
    return [shape("span", "Person", text=PERSON), shape("span", "Place", text=PLACE)]


@kind('<HyperText name="text" value="$text"/>\n'
      '<HyperTextLabels name="tag" toName="text">%s</HyperTextLabels>' % LABELS, {"text": HTML})
def hyper_text_labels(e):
    return marked(e)


@kind('<HyperText name="text" value="$text"/>\n<Labels name="tag" toName="text">%s</Labels>' % LABELS, {"text": HTML})
def hyper_text(e):
    return marked(e)


DIALOGUE = [
    {"author": "Ada", "text": "Where do you live? 🐾"},
    {"author": "Mary", "text": "In London, near the river."},
]


@kind('<Paragraphs name="text" value="$text" layout="dialogue" nameKey="author" textKey="text"/>\n'
      '<ParagraphLabels name="tag" toName="text">%s</ParagraphLabels>' % LABELS, {"text": DIALOGUE})
def paragraph_labels(e):
    """`start` and `end` count within the paragraph, which counts from 0. Such text takes no `Labels`."""
    e.label("Place")
    e.select(".lsf-main-view", PLACE)
    e.regions(1)
    start = DIALOGUE[1]["text"].index(PLACE)
    return [shape("span", "Place", text=PLACE, paragraph=1, start=start, end=start + len(PLACE))]
