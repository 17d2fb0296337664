//! One object of a label to the region that it draws.

use super::fields::text;
use crate::changes::label_studio::characters;
use crate::changes::marks::{box_of, keypoint_of, line_of, polygon_of};
use crate::changes::{Image, Mask, Other, Point, Rect, Region, Shape, Size, Span};
use crate::json::Value;
use std::borrow::Cow;

/// Id of an object, as v2 or v1 writes it.
pub(super) fn feature_id<'a>(written: Value<'_, 'a>) -> Option<Cow<'a, str>> {
    let id = |name| written.member(name).and_then(Value::identifier);
    id("feature_id").or_else(|| id("featureId"))
}

/// The name that people see of a tool, a question or an answer.
pub(super) fn name_of<'a>(written: Value<'_, 'a>) -> Option<Cow<'a, str>> {
    let mut names = ["name", "title", "value"].into_iter();
    names.find_map(|name| text(Some(written), name))
}

pub(super) fn region_of<'a>(written: Value<'_, 'a>, shape: Shape<'a>) -> Region<'a> {
    Region {
        id: feature_id(written),
        name: text(Some(written), "value"),
        labels: name_of(written).into_iter().collect(),
        shape,
        raw: written.raw(),
    }
}

/// The object, unread; its type is what `kind` says, or else its `annotation_kind`.
pub(super) fn other<'a>(written: Value<'_, 'a>, kind: Option<Cow<'a, str>>) -> Region<'a> {
    let kind = kind.or_else(|| text(Some(written), "annotation_kind"));
    region_of(written, Shape::Other(Other { kind }))
}

/// A member that is no object of a tool, unread.
pub(super) fn other_of<'a>(held: Value<'_, 'a>, kind: Option<Cow<'a, str>>) -> Region<'a> {
    Region {
        id: None,
        name: None,
        labels: Vec::new(),
        shape: Shape::Other(Other { kind }),
        raw: held.raw(),
    }
}

/// The region; `Other` if it is not in the pixels of an image or the characters of a text.
pub(super) fn region<'a>(written: Value<'_, 'a>, size: Option<Size>) -> Region<'a> {
    match shape(written, size) {
        Some(shape) => region_of(written, shape),
        None => other(written, None),
    }
}

fn shape<'a>(written: Value<'_, 'a>, size: Option<Size>) -> Option<Shape<'a>> {
    let has = |name| written.member(name).is_some();
    if ["page", "page_number", "unit", "geometry"]
        .into_iter()
        .any(has)
    {
        return None;
    }
    let image = Image {
        size,
        ..Image::default()
    };
    let bounds = |name| rect(written.member(name)?);
    let drawn = |name| points(written.member(name)?);
    let point = || point(written.member("point")?);
    span(written)
        .or_else(|| {
            Some(box_of(
                image,
                bounds("bbox").or_else(|| bounds("bounding_box"))?,
            ))
        })
        .or_else(|| Some(polygon_of(image, drawn("polygon")?)))
        .or_else(|| Some(line_of(image, drawn("line")?)))
        .or_else(|| Some(keypoint_of(image, point()?)))
        .or_else(|| mask(written, image))
}

const MAX_PLACE: u64 = (1 << 53) - 1;

/// An entity. Labelbox's end is the last character, not the place behind it.
fn span<'a>(written: Value<'_, 'a>) -> Option<Shape<'a>> {
    let inner = || written.member("data")?.member("location");
    let location = written.member("location").or_else(inner)?;
    if location.member("messageId").is_some() {
        return None; // within a message of a conversation: which text that is, is not in the region
    }
    let place = |name| u64::try_from(location.member(name)?.whole()?).ok();
    let (start, last) = (place("start")?, place("end")?);
    // The place behind the last character is to be one that a double holds, too.
    if start > last || last >= MAX_PLACE {
        return None;
    }
    let token = location.member("token").filter(|token| token.is_text());
    let is_other = token.is_some_and(|token| characters(&token.exact()) != last + 1 - start);
    Some(Shape::Span(Span {
        start: Some(start),
        end: Some(last + 1),
        text: token.and_then(Value::text),
        verified: is_other.then_some(false),
        paragraph: None,
    }))
}

fn point(written: Value<'_, '_>) -> Option<Point> {
    let number = |name| written.member(name).and_then(Value::number);
    Some(Point {
        x: number("x")?,
        y: number("y")?,
    })
}

/// Points; `None` if there are none, or one of them is no point.
fn points(written: Value<'_, '_>) -> Option<Vec<Point>> {
    let points: Vec<Point> = written.items().map(point).collect::<Option<_>>()?;
    (!points.is_empty()).then_some(points)
}

fn rect(bounds: Value<'_, '_>) -> Option<Rect> {
    let number = |name| bounds.member(name).and_then(Value::number);
    Some(Rect {
        x: number("left")?,
        y: number("top")?,
        width: number("width")?,
        height: number("height")?,
    })
}

/// Members of other shapes, beside which an address is not a mask's.
const SHAPES: [&str; 7] = [
    "bbox",
    "bounding_box",
    "polygon",
    "line",
    "point",
    "location",
    "data",
];

/// The address is in `mask`; or it stands alone.
fn mask<'a>(written: Value<'_, 'a>, image: Image) -> Option<Shape<'a>> {
    let own = text(written.member("mask"), "url");
    let is_alone = || {
        !SHAPES
            .into_iter()
            .any(|name| written.member(name).is_some())
    };
    let alone = || {
        let uri = |name| text(Some(written), name).filter(|uri| !uri.is_empty());
        is_alone().then(|| uri("instance_uri").or_else(|| uri("instanceURI")))?
    };
    let url = own.or_else(alone).filter(|url| !url.is_empty())?;
    Some(Shape::Mask(Mask {
        image,
        rle: None,
        url: Some(url),
    }))
}
