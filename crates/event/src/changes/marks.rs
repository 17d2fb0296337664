//! The marks of an annotation, of either platform.

use super::{Box as Rectangle, Classification, Image, Keypoint, Line, Point, Polygon, Rect};
use super::{Region, Relation, Shape};

/// Regions, answers and relations of an annotation.
#[derive(Default)]
pub(super) struct Marks<'a> {
    pub(super) regions: Vec<Region<'a>>,
    pub(super) classifications: Vec<Classification<'a>>,
    pub(super) relations: Vec<Relation<'a>>,
}

/// Shapes whose coordinates the platform gives in pixels.
pub(super) fn box_of(image: Image, pixels: Rect) -> Shape<'static> {
    Shape::Box(Rectangle {
        image,
        pixels: Some(pixels),
        rotation: 0.0,
        percent: None,
    })
}

pub(super) fn polygon_of(image: Image, points: Vec<Point>) -> Shape<'static> {
    Shape::Polygon(Polygon {
        image,
        points: Some(points),
        closed: None,
        percent: None,
    })
}

pub(super) fn line_of(image: Image, points: Vec<Point>) -> Shape<'static> {
    Shape::Line(Line {
        image,
        points: Some(points),
        percent: None,
    })
}

pub(super) fn keypoint_of(image: Image, point: Point) -> Shape<'static> {
    Shape::Keypoint(Keypoint {
        image,
        pixels: Some(point),
        percent: None,
    })
}
