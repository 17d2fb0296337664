//! One item of a `result` to the shape that it draws.

use super::item::Item;
use super::span::{paragraph_span, span};
use super::task_texts::TaskTexts;
use crate::changes::{
    Box as Rectangle, Ellipse, Frame, Image, Keypoint, Line, Mask, Other, Point, Polygon, Radii,
    Rect, Shape, TimeSpan, TimeUnit, Track,
};
use crate::json::Value;

/// The shape; `Other` if it cannot be said without guessing.
pub(super) fn shape<'a>(item: &Item<'_, 'a>, beside: Option<&TaskTexts<'_, 'a>>) -> Shape<'a> {
    let stem = item.kind().strip_suffix("labels").unwrap_or(item.kind());
    let found = if matches!(stem, "timeline" | "cuboid") {
        None // neither is one of ours, whatever members it shares with them
    } else if stem == "timeseries" {
        time_span(item, None)
    } else if item.has("startOffset") {
        Some(paragraph_span(item, beside))
    } else if item.has("vertices") {
        vector(item)
    } else if item.has("sequence") {
        track(item)
    } else if item.has("rle") || item.has("imageDataURL") {
        mask(item)
    } else if item.has("radiusX") {
        ellipse(item)
    } else if item.has("points") {
        polygon(item)
    } else if item.has("width") && item.has("height") {
        rectangle(item)
    } else if item.has("x") && item.has("y") && (stem == "keypoint" || item.has("width")) {
        keypoint(item)
    } else if item.has("start") && item.has("end") {
        if item.has("channel") || item.json.has("original_length") {
            time_span(item, Some(TimeUnit::Seconds))
        } else {
            span(item, beside)
        }
    } else {
        None
    };
    found.unwrap_or_else(|| {
        let kind = item.kind.clone();
        Shape::Other(Other { kind })
    })
}

/// Pixels of percent, in this order of operations; `None` without a size, and for what is no finite double.
struct Scale(Option<(f64, f64)>);

impl Scale {
    fn of(image: &Image) -> Self {
        let size = image.size;
        Self(size.map(|size| (f64::from(size.width), f64::from(size.height))))
    }

    fn point(&self, Point { x, y }: Point) -> Option<Point> {
        let (width, height) = self.0?;
        let (x, y) = (x * width / 100.0, y * height / 100.0);
        (x.is_finite() && y.is_finite()).then_some(Point { x, y })
    }

    fn points(&self, percent: &[Point]) -> Option<Vec<Point>> {
        percent.iter().map(|point| self.point(*point)).collect()
    }
}

/// Degrees; 0 if nothing is said, `None` if what is said is no number.
fn rotation(item: &Item<'_, '_>) -> Option<f64> {
    match item.member("rotation") {
        Some(said) => said.number(),
        None => Some(0.0),
    }
}

fn rectangle<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let percent = Rect {
        x: item.number("x")?,
        y: item.number("y")?,
        width: item.number("width")?,
        height: item.number("height")?,
    };
    let rotation = rotation(item)?;
    let image = item.image();
    let scale = Scale::of(&image);
    let point = |x, y| scale.point(Point { x, y });
    let corner = point(percent.x, percent.y);
    let extent = point(percent.width, percent.height);
    let pixels = corner.zip(extent).map(|(corner, extent)| Rect {
        x: corner.x,
        y: corner.y,
        width: extent.x,
        height: extent.y,
    });
    Some(Shape::Box(Rectangle {
        image,
        pixels,
        rotation,
        percent: Some(percent),
    }))
}

fn ellipse<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let percent = Radii {
        cx: item.number("x")?,
        cy: item.number("y")?,
        rx: item.number("radiusX")?,
        ry: item.number("radiusY")?,
    };
    let rotation = rotation(item)?;
    let image = item.image();
    let scale = Scale::of(&image);
    let point = |x, y| scale.point(Point { x, y });
    let centre = point(percent.cx, percent.cy);
    let radii = point(percent.rx, percent.ry);
    let pixels = centre.zip(radii).map(|(centre, radii)| Radii {
        cx: centre.x,
        cy: centre.y,
        rx: radii.x,
        ry: radii.y,
    });
    Some(Shape::Ellipse(Ellipse {
        image,
        pixels,
        rotation,
        percent: Some(percent),
    }))
}

fn polygon<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let written = item.member("points")?;
    let pair = |written: Value<'_, '_>| {
        let mut pair = written.items();
        let (x, y) = (pair.next()?.number()?, pair.next()?.number()?);
        pair.next().is_none().then_some(Point { x, y })
    };
    let percent: Vec<Point> = written.items().map(pair).collect::<Option<_>>()?;
    if percent.is_empty() {
        return None;
    }
    let closed = item.member("closed").and_then(Value::flag);
    Some(make_polygon(item, percent, closed))
}

fn make_polygon<'a>(item: &Item<'_, 'a>, percent: Vec<Point>, closed: Option<bool>) -> Shape<'a> {
    let image = item.image();
    Shape::Polygon(Polygon {
        image,
        points: Scale::of(&image).points(&percent),
        closed,
        percent: Some(percent),
    })
}

/// A line, if its points follow each other and none of its pieces is a curve.
fn vector<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let mut percent: Vec<Point> = Vec::new();
    let mut before = None;
    for vertex in item.member("vertices")?.items() {
        let number = |name| vertex.member(name).and_then(Value::number);
        let text = |name| vertex.member(name).and_then(Value::text);
        let follows = percent.is_empty() || before.is_some() && text("prevPointId") == before;
        let is_straight = vertex
            .member("isBezier")
            .is_none_or(|curve| curve.flag() == Some(false));
        if !follows || !is_straight {
            return None;
        }
        percent.push(Point {
            x: number("x")?,
            y: number("y")?,
        });
        before = text("id");
    }
    if percent.is_empty() {
        return None;
    }
    if item.member("closed").and_then(Value::flag) == Some(true) {
        return Some(make_polygon(item, percent, Some(true)));
    }
    let image = item.image();
    Some(Shape::Line(Line {
        image,
        points: Scale::of(&image).points(&percent),
        percent: Some(percent),
    }))
}

fn keypoint<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let percent = Point {
        x: item.number("x")?,
        y: item.number("y")?,
    };
    let image = item.image();
    Some(Shape::Keypoint(Keypoint {
        image,
        pixels: Scale::of(&image).point(percent),
        percent: Some(percent),
    }))
}

fn mask<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let byte = |value: Value<'_, '_>| u8::try_from(value.whole()?).ok();
    let lengths = item
        .member("rle")
        .map(|rle| rle.items().map(byte).collect());
    let rle: Vec<u8> = lengths.unwrap_or_else(|| Some(Vec::new()))?;
    let url = item.member("imageDataURL").and_then(Value::text);
    if rle.is_empty() && url.is_none() {
        return None;
    }
    Some(Shape::Mask(Mask {
        image: item.image(),
        rle: (!rle.is_empty()).then_some(rle),
        url,
    }))
}

fn time_span<'a>(item: &Item<'_, 'a>, unit: Option<TimeUnit>) -> Option<Shape<'a>> {
    Some(Shape::TimeSpan(TimeSpan {
        start: item.number("start")?,
        end: item.number("end")?,
        unit,
        channel: item.member("channel").and_then(Value::whole),
    }))
}

fn track<'a>(item: &Item<'_, 'a>) -> Option<Shape<'a>> {
    let frames = item
        .member("sequence")?
        .items()
        .filter(|frame| frame.is_object());
    let frames: Vec<_> = frames
        .map(|frame| Frame {
            number: frame.member("frame").and_then(Value::whole),
            raw: frame.raw(),
        })
        .collect();
    (!frames.is_empty()).then_some(Shape::Track(Track { frames }))
}
