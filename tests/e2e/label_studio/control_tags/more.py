"""Tags and states that go beside others: relations, notes, answers for a region, other images and ends."""

from images import LABELS, PICTURE, labelled
from kinds import answer, box, kind, relation, shape

BOXES = '<RectangleLabels name="tag" toName="image">%s</RectangleLabels>' % LABELS


def car(e):
    e.image()
    e.label("Car")
    e.drag((40, 30), (140, 90))
    e.regions(1)
    e.rest()
    return box("Car", 40, 30, 100, 60)


def selected_car(e):
    made = car(e)
    e.tap((90, 60))
    e.selected()
    return made


@kind(PICTURE.replace("/>", ' rotateControl="true"/>') + BOXES)
def image_rotation(e):
    """The picture is turned by 90° clockwise first, and drawn on as it is seen then, 300 × 400. What comes counts in
    the pixels of the file all the same."""
    e.image()
    e.click('[aria-label="rotate-right"]')
    e.until("document.querySelector('img[alt=image][src^=\"blob:\"]').style.transform.includes('rotate(90deg)')")
    e.image(300, 400)
    e.label("Car")
    e.drag((100, 250), (200, 350))
    e.regions(1)
    return [box("Car", 250, 100, 100, 100)]


@kind(PICTURE + BOXES, {"image": "turned.jpg"})
def image_exif(e):
    """The file has 400 × 300, and EXIF's orientation 6. Pixels count in what is seen, which is 300 × 400."""
    e.image(300, 400)
    e.label("Car")
    e.drag((100, 250), (200, 350))
    e.regions(1)
    return [box("Car", 100, 250, 100, 100)]


@kind('<Image name="image" valueList="$images"/>\n' + BOXES + '\n<Choices name="each" toName="image" perItem="true">'
      '<Choice value="Sharp"/><Choice value="Blurred"/></Choices>', {"images": ["a.png", "b.png"]})
def images_of_a_task(e):
    """A box and an answer on the second of two images."""
    e.image()
    e.click(".lsf-pagination__btn_arrow-right:not(.lsf-pagination__btn_arrow-right-double)")
    e.until("document.querySelector('.lsf-pagination')?.textContent.includes('2 of 2')")
    e.image()
    e.label("Boat")
    e.drag((60, 50), (160, 130))
    e.regions(1)
    e.rest()
    e.choose("Blurred")
    return [box("Boat", 60, 50, 100, 80, item=1), answer("each", ["Blurred"], item=1)]


@kind(PICTURE + BOXES)
def region_note(e):
    """A note of the region, `meta`."""
    made = selected_car(e)
    e.note("seen twice 🐾")
    return [dict(made, note="seen twice 🐾")]


@kind(PICTURE + BOXES + '\n<Choices name="state" toName="image" perRegion="true">'
      '<Choice value="New"/><Choice value="Old"/></Choices>\n'
      '<Rating name="stars" toName="image" perRegion="true"/>\n<Number name="count" toName="image" perRegion="true"/>\n'
      '<TextArea name="words" toName="image" perRegion="true"/>')
def answers_for_a_region(e):
    made = selected_car(e)
    e.choose("Old")
    e.page.locator(".ant-rate-star").nth(2).click()
    e.fill('input[type="number"][name="count"]', "7")
    e.write("words", "of a region")
    names = [("state", ["Old"]), ("stars", [3]), ("count", [7]), ("words", ["of a region"])]
    return [made, *(answer(name, values, region=0) for name, values in names)]


def related(e):
    made = car(e)
    e.label("Boat")
    e.drag((200, 200), (280, 270))
    e.regions(2)
    e.rest()
    e.tap((90, 60))
    e.selected()
    e.press("Alt+r")
    e.tap((240, 235))
    e.until("Htx.annotationStore.selected.relationStore.relations.length == 1")
    return [made, box("Boat", 200, 200, 80, 70)]


@kind(PICTURE + BOXES + '\n<Relations><Relation value="tows"/><Relation value="follows"/></Relations>')
def relations(e):
    """From the first to the second, then labelled."""
    made = related(e)
    e.name_relation("tows")
    return [*made, relation(0, 1, labels=["tows"])]


@kind(PICTURE + BOXES)
def relation_both_ways(e):
    made = related(e)
    e.turn_relation()
    return [*made, relation(0, 1, "bi")]


@kind(PICTURE + BOXES)
def relation_turned_round(e):
    made = related(e)
    e.turn_relation()
    e.turn_relation()
    return [*made, relation(0, 1, "left")]


@kind(PICTURE + BOXES, ends=True)
def skipped(e):
    """A box was drawn before the task was skipped; it is kept."""
    e.stream(e.project, e.task)
    made = car(e)
    e.button("skip")
    return [made]


@kind(PICTURE + BOXES, ends=True, action="ANNOTATION_UPDATED")
def updated(e):
    """Submitted with one box, then updated with a second one."""
    made = car(e)
    e.button("submit")
    e.until("Htx.annotationStore.selected?.pk")
    e.open(e.project, e.task)
    e.image()
    e.label("Boat")
    e.drag((200, 200), (280, 270))
    e.regions(2)
    e.button("update")
    return [made, box("Boat", 200, 200, 80, 70)]


def predicted(e):
    """A prediction of the API; the editor opens a copy of it."""
    region = dict(id="p1", from_name="tag", to_name="image", type="rectanglelabels", original_width=400, original_height=300,
                  image_rotation=0, value=dict(x=10, y=10, width=25, height=20, rotation=0, rectanglelabels=["Car"]))
    e.studio.call("POST", "/api/predictions/", dict(task=e.task, model_version="m1", score=0.9, result=[region]))
    e.open(e.project, e.task)
    e.image()
    e.regions(1)


@kind(PICTURE + BOXES)
def prediction_kept(e):
    predicted(e)
    return [box("Car", 40, 30, 100, 60)]


@kind(PICTURE + BOXES)
def prediction_changed(e):
    """Moved by (20, 10)."""
    predicted(e)
    e.tap((90, 60))
    e.selected()
    e.drag((90, 60), (110, 70))
    return [box("Car", 60, 40, 100, 60)]


@kind(PICTURE + BOXES, ends=True)
def empty(e):
    """Submitted with nothing on it."""
    e.image()
    e.button("submit")
    return []


@kind(PICTURE + BOXES, how="api", action="ANNOTATION_UPDATED")
def ground_truth(e):
    """The free version's editor has no button for it."""
    path = "/api/tasks/%d/annotations/" % e.task
    made = e.studio.call("POST", path, {"result": [], "lead_time": 1.5})
    e.studio.call("PATCH", "/api/annotations/%d/" % made["id"], {"ground_truth": True})
    return []
