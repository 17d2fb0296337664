"""Control tags on images."""

from kinds import box, kind, shape

LABELS = '<Label value="Car"/><Label value="Boat"/>'
PICTURE = '<Image name="image" value="$image"/>\n'


def labelled(tag, more=""):
    return PICTURE + '<%s name="tag" toName="image"%s>%s</%s>' % (tag, more, LABELS, tag)


def bare(tag, more=""):
    return PICTURE + '<%s name="tag" toName="image"%s/>\n<Labels name="label" toName="image">%s</Labels>' % (tag, more, LABELS)


def rectangles(e):
    e.image()
    e.label("Car")
    e.drag((40, 30), (140, 90))
    e.regions(1)
    e.rest()
    e.label("Boat")
    e.drag((240, 260), (200, 200))
    e.regions(2)
    return [box("Car", 40, 30, 100, 60), box("Boat", 200, 200, 40, 60)]


@kind(labelled("RectangleLabels"))
def rectangle_labels(e):
    return rectangles(e)


@kind(bare("Rectangle"))
def rectangle(e):
    return rectangles(e)


@kind(labelled("RectangleLabels"))
def rectangle_rotated(e):
    """80 × 60 about (180, 160), turned by its handle by 30° clockwise; `x` and `y` are the turned corner."""
    e.image()
    e.label("Car")
    e.drag((140, 130), (220, 190))
    e.regions(1)
    e.rest()
    e.tap((180, 160))
    e.selected()
    e.turn((180, 160), 60, 30)
    e.until("Math.abs(Htx.annotationStore.selected.regions[0].rotation - 30) < 1")
    return [box("Car", 160.36, 114.02, 80, 60, 30)]


@kind(bare("Rectangle"))
def rectangle_of_three_points(e):
    """A side from (100, 50) to (180, 110), which is 100 long, then 50 square to it."""
    e.image()
    e.label("Car")
    e.click('[aria-label="rectangle-3-point-tool"]')
    for point in [(100, 50), (180, 110), (150, 150)]:
        e.press_at(point, 100)
    e.regions(1)
    return [box("Car", 100, 50, 100, 50, 36.87)]


@kind(labelled("RectangleLabels", ' choice="multiple"'))
def rectangle_two_labels(e):
    e.image()
    e.label("Car")
    e.label("Boat")
    e.drag((40, 30), (140, 90))
    e.regions(1)
    return [box("Car", 40, 30, 100, 60, labels=["Car", "Boat"])]


@kind(PICTURE + '<RectangleLabels name="tag" toName="image"><Label value="Car" alias="c"/></RectangleLabels>')
def rectangle_alias(e):
    """The alias stands in the label's place."""
    e.image()
    e.label("Car")
    e.drag((40, 30), (140, 90))
    e.regions(1)
    return [box("c", 40, 30, 100, 60)]


def polygons(e):
    e.image()
    e.label("Car")
    points = [(50, 40), (150, 50), (170, 130), (60, 120)]
    for point in [*points, points[0]]:
        e.tap(point)
    e.regions(1)
    return [shape("polygon", "Car", points=points)]


@kind(labelled("PolygonLabels"))
def polygon_labels(e):
    return polygons(e)


@kind(bare("Polygon"))
def polygon(e):
    return polygons(e)


def ellipses(e):
    """From the centre outwards."""
    e.image()
    e.label("Boat")
    e.drag((120, 100), (180, 140))
    e.regions(1)
    return [shape("ellipse", "Boat", cx=120, cy=100, rx=60, ry=40, rotation=0)]


@kind(labelled("EllipseLabels"))
def ellipse_labels(e):
    return ellipses(e)


@kind(bare("Ellipse"))
def ellipse(e):
    return ellipses(e)


def keypoints(e):
    e.image()
    e.label("Car")
    e.tap((80, 60))
    e.regions(1)
    e.rest()
    e.label("Boat")
    e.tap((320, 240))
    e.regions(2)
    return [shape("keypoint", "Car", x=80, y=60), shape("keypoint", "Boat", x=320, y=240)]


@kind(labelled("KeyPointLabels", ' strokeWidth="5"'))
def keypoint_labels(e):
    return keypoints(e)


@kind(bare("KeyPoint"))
def keypoint(e):
    return keypoints(e)


def strokes(e):
    """A corner: along y = 80, then down x = 160."""
    e.image()
    e.label("Car")
    e.drag((60, 80), (160, 80), (160, 140))
    e.regions(1)
    inside = [(60, 80), (110, 80), (160, 80), (160, 110), (160, 140)]
    return [shape("mask", "Car", inside=inside, outside=[(110, 120), (300, 150), (5, 5), (395, 295)])]


@kind(labelled("BrushLabels"))
def brush_labels(e):
    return strokes(e)


@kind(bare("Brush"))
def brush(e):
    return strokes(e)


@kind(labelled("BitmaskLabels"))
def bitmask_labels(e):
    return strokes(e)


@kind(bare("Bitmask"))
def bitmask(e):
    return strokes(e)


def wand(e, label):
    """In the dark square; to drag sets how far a colour may be off."""
    e.image()
    e.label("Car")
    e.press("w")
    e.drag((300, 150), (306, 150))
    e.regions(1)
    inside, outside = [(255, 105), (345, 195), (300, 150)], [(240, 150), (300, 90), (360, 205)]
    return [shape("mask", label, inside=inside, outside=outside)]


@kind(bare("MagicWand"))
def magic_wand(e):
    return wand(e, "Car")


@kind(labelled("BrushLabels") + '\n<MagicWand name="wand" toName="image"/>')
def magic_wand_beside_brush(e):
    """Car was chosen among the labels of the brush. The region has no label."""
    return wand(e, None)


def vectors(e, closed=False):
    e.image()
    e.label("Car")
    points = [(50, 40), (150, 50), (170, 130)]
    for number, point in enumerate(points, 1):
        # A short first click makes two points, of which the editor loses one later.
        e.press_at(point, 600 if number == 1 else 150)
        e.until("Htx.annotationStore.selected.regions[0]?.vertices.length == %d" % number)
    if closed:
        e.press_at(points[0], 150)
        e.until("Htx.annotationStore.selected.regions[0].closed")
    return points


@kind(labelled("VectorLabels", ' closable="true"'))
def vector_labels(e):
    """Left open."""
    points = vectors(e)
    e.rest()
    return [shape("line", "Car", points=points)]


@kind(labelled("VectorLabels", ' closable="true"'))
def vector_closed(e):
    points = vectors(e, closed=True)
    e.rest()
    return [shape("polygon", "Car", points=points)]


@kind(labelled("VectorLabels", ' curves="true"'))
def vector_curve(e):
    """The second point has handles."""
    points = vectors(e)
    e.page.keyboard.down("Shift")
    e.press_at(points[1], 150)
    e.page.keyboard.up("Shift")
    e.until("Htx.annotationStore.selected.regions[0].vertices[1].isBezier")
    e.rest()
    return [shape("line", "Car", points=points, curved=[1])]


@kind(bare("Vector"))
def vector(e):
    points = vectors(e)
    e.rest()
    return [shape("line", "Car", points=points)]
