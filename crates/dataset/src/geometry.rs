//! Form and place of a region as the state keeps it, and the way back.

use labelrelay_event::changes::{Image, Point, Shape, TimeUnit};
use rusqlite::Row;

/// The columns of a region that say where it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) kind: String,
    /// `px`, or `%` where no size was known.
    pub(crate) unit: Option<String>,
    /// Top left; the centre of an ellipse.
    pub(crate) x: Option<f64>,
    pub(crate) y: Option<f64>,
    /// Size; the radii of an ellipse.
    pub(crate) width: Option<f64>,
    pub(crate) height: Option<f64>,
    /// Degrees, clockwise: about the top left of a box, about the centre of an ellipse.
    pub(crate) rotation: Option<f64>,
    pub(crate) points: Option<Vec<[f64; 2]>>,
    pub(crate) rle: Option<Vec<u8>>,
    pub(crate) mask_url: Option<String>,
    pub(crate) begins: Option<f64>,
    pub(crate) ends: Option<f64>,
    pub(crate) channel: Option<i64>,
    pub(crate) text: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) item: Option<i64>,
    /// Of a region that moves: the first of its key frames. It is written, and not read back.
    pub(crate) frame: Option<i64>,
}

impl Geometry {
    pub(crate) fn of(shape: &Shape<'_>) -> Self {
        let mut geometry = Self::default();
        let kind = match shape {
            Shape::Box(it) => {
                geometry.on(it.image);
                if let Some(rect) = geometry.one_of(it.pixels, it.percent) {
                    geometry.put([rect.x, rect.y, rect.width, rect.height]);
                }
                geometry.rotation = Some(it.rotation);
                "box"
            }
            Shape::Ellipse(it) => {
                geometry.on(it.image);
                if let Some(radii) = geometry.one_of(it.pixels, it.percent) {
                    geometry.put([radii.cx, radii.cy, radii.rx, radii.ry]);
                }
                geometry.rotation = Some(it.rotation);
                "ellipse"
            }
            Shape::Polygon(it) => {
                geometry.on(it.image);
                let points = geometry.one_of(it.points.as_deref(), it.percent.as_deref());
                geometry.points = points.map(pairs);
                "polygon"
            }
            Shape::Line(it) => {
                geometry.on(it.image);
                let points = geometry.one_of(it.points.as_deref(), it.percent.as_deref());
                geometry.points = points.map(pairs);
                "line"
            }
            Shape::Keypoint(it) => {
                geometry.on(it.image);
                if let Some(point) = geometry.one_of(it.pixels, it.percent) {
                    (geometry.x, geometry.y) = (Some(point.x), Some(point.y));
                }
                "keypoint"
            }
            Shape::Mask(it) => {
                geometry.on(it.image);
                geometry.rle.clone_from(&it.rle);
                geometry.mask_url = it.url.as_ref().map(ToString::to_string);
                "mask"
            }
            Shape::Span(it) => {
                #[expect(clippy::cast_precision_loss, reason = "offsets are below 2^53")]
                let offset = |offset: u64| offset as f64;
                geometry.begins = it.start.map(offset);
                geometry.ends = it.end.map(offset);
                geometry.text = it.text.as_ref().map(ToString::to_string);
                "span"
            }
            Shape::TimeSpan(it) => {
                geometry.unit = (it.unit == Some(TimeUnit::Seconds)).then(|| "s".to_owned());
                (geometry.begins, geometry.ends) = (Some(it.start), Some(it.end));
                geometry.channel = it.channel;
                "timespan"
            }
            Shape::Track(it) => {
                geometry.frame = it.frames.iter().filter_map(|it| it.number).min();
                "track"
            }
            Shape::Other(it) => it.kind.as_deref().unwrap_or("other"),
            _ => "other",
        };
        kind.clone_into(&mut geometry.kind);
        geometry
    }

    fn on(&mut self, image: Image) {
        self.size = image.size.map(|size| (size.width, size.height));
        self.item = image.item;
    }

    fn one_of<T>(&mut self, pixels: Option<T>, percent: Option<T>) -> Option<T> {
        let unit = if pixels.is_some() { "px" } else { "%" };
        let there = pixels.or(percent)?;
        self.unit = Some(unit.to_owned());
        Some(there)
    }

    fn put(&mut self, [x, y, width, height]: [f64; 4]) {
        (self.x, self.y) = (Some(x), Some(y));
        (self.width, self.height) = (Some(width), Some(height));
    }

    /// Columns that [`read`](Self::read) takes, in its order.
    pub(crate) const COLUMNS: &str = "kind, unit, x, y, width, height, rotation, points, rle, mask_url, begins, ends, \
         channel, text, image_width, image_height, item";

    /// Reads the columns from number `first` on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let points: Option<String> = row.get(first + 7)?;
        let size = (row.get(first + 14)?, row.get(first + 15)?);
        Ok(Self {
            kind: row.get(first)?,
            unit: row.get(first + 1)?,
            x: row.get(first + 2)?,
            y: row.get(first + 3)?,
            width: row.get(first + 4)?,
            height: row.get(first + 5)?,
            rotation: row.get(first + 6)?,
            points: points.and_then(|points| serde_json::from_str(&points).ok()),
            rle: row.get(first + 8)?,
            mask_url: row.get(first + 9)?,
            begins: row.get(first + 10)?,
            ends: row.get(first + 11)?,
            channel: row.get(first + 12)?,
            text: row.get(first + 13)?,
            size: match size {
                (Some(width), Some(height)) => Some((width, height)),
                _ => None,
            },
            item: row.get(first + 16)?,
            frame: None,
        })
    }

    /// The same in pixels of an image of this size, or `None` where that cannot be said.
    pub(crate) fn in_pixels(&self, size: Option<(u32, u32)>) -> Option<Self> {
        match self.unit.as_deref() {
            Some("px") => Some(self.clone()),
            Some("%") => {
                let (width, height) = size?;
                let across = |percent: f64| percent * f64::from(width) / 100.0;
                let down = |percent: f64| percent * f64::from(height) / 100.0;
                let points = self.points.as_ref().map(|points| {
                    let pixels = points.iter().map(|[x, y]| [across(*x), down(*y)]);
                    pixels.collect()
                });
                Some(Self {
                    unit: Some("px".to_owned()),
                    x: self.x.map(across),
                    y: self.y.map(down),
                    width: self.width.map(across),
                    height: self.height.map(down),
                    points,
                    ..self.clone()
                })
            }
            _ => None,
        }
    }

    /// Says so if the region was drawn on an image of another size than the one that it is written beside.
    pub(crate) fn must_fit(&self, size: Option<(u32, u32)>) -> Result<(), &'static str> {
        if self.size.is_none() || self.size == size {
            Ok(())
        } else {
            Err("its image has another size: another region says so, or the file")
        }
    }

    /// The four corners of a box, after its rotation: top left, top right, bottom right, bottom left.
    pub(crate) fn corners(&self) -> Option<[[f64; 2]; 4]> {
        let ((x, y), (width, height)) = (self.x.zip(self.y)?, self.width.zip(self.height)?);
        let (sin, cos) = self.rotation.unwrap_or(0.0).to_radians().sin_cos();
        let (right, down) = ([width * cos, width * sin], [-height * sin, height * cos]);
        let corner = |dx: f64, dy: f64| [x + dx, y + dy];
        Some([
            corner(0.0, 0.0),
            corner(right[0], right[1]),
            corner(right[0] + down[0], right[1] + down[1]),
            corner(down[0], down[1]),
        ])
    }

    /// The points that a box or a polygon in pixels goes round; or why there is nothing in it. Detectors stop at an object
    /// without an area.
    pub(crate) fn outline(&self) -> Result<Vec<[f64; 2]>, &'static str> {
        let points = if self.kind == "box" {
            self.corners().ok_or("it has no place")?.to_vec()
        } else {
            self.points.clone().unwrap_or_default()
        };
        if points.len() < 3 {
            return Err("a polygon has three points or more");
        }
        // The area of a polygon is a sum that rounding keeps from 0, and that is 0 where a polygon crosses itself. Bounds
        // are exact, but those of a box without a width that is turned.
        let is_flat =
            bounds(&points).is_some_and(|[_, _, width, height]| width == 0.0 || height == 0.0);
        if is_flat || (self.kind == "box" && area(&points) == 0.0) {
            return Err("it has no area");
        }
        Ok(points)
    }

    /// Tells whether a box stands upright.
    pub(crate) fn is_upright(&self) -> bool {
        self.rotation.unwrap_or(0.0) == 0.0
    }
}

/// Left, top, width and height of what holds all points; `None` if there are none, or one that is not finite.
pub(crate) fn bounds(points: &[[f64; 2]]) -> Option<[f64; 4]> {
    let first = points.first()?;
    if !points.iter().flatten().all(|it| it.is_finite()) {
        return None;
    }
    let mut bounds = [first[0], first[1], first[0], first[1]];
    for [x, y] in points {
        bounds[0] = bounds[0].min(*x);
        bounds[1] = bounds[1].min(*y);
        bounds[2] = bounds[2].max(*x);
        bounds[3] = bounds[3].max(*y);
    }
    let [left, top, right, bottom] = bounds;
    Some([left, top, right - left, bottom - top])
}

/// The area of a polygon, whichever way its points go round.
pub(crate) fn area(points: &[[f64; 2]]) -> f64 {
    let next = points.iter().cycle().skip(1);
    let twice: f64 = points
        .iter()
        .zip(next)
        .map(|([x, y], [next_x, next_y])| x * next_y - next_x * y)
        .sum();
    (twice / 2.0).abs()
}

fn pairs(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|point| [point.x, point.y]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_turns_about_its_top_left() {
        let turned = Geometry {
            x: Some(10.0),
            y: Some(20.0),
            width: Some(4.0),
            height: Some(2.0),
            rotation: Some(90.0),
            ..Geometry::default()
        };
        let corners = turned.corners().unwrap();
        let expected = [[10.0, 20.0], [10.0, 24.0], [8.0, 24.0], [8.0, 20.0]];
        for (corner, expected) in corners.iter().zip(expected) {
            assert!((corner[0] - expected[0]).abs() < 1e-9, "{corners:?}");
            assert!((corner[1] - expected[1]).abs() < 1e-9, "{corners:?}");
        }
        assert!((area(&corners) - 8.0).abs() < 1e-9);
        assert_eq!(
            bounds(&[[1.0, 5.0], [4.0, 2.0]]),
            Some([1.0, 2.0, 3.0, 3.0])
        );
        assert_eq!(bounds(&[[1.0, f64::NAN]]), None);
    }

    #[test]
    fn percentages_need_a_size() {
        let half = Geometry {
            unit: Some("%".to_owned()),
            x: Some(50.0),
            points: Some(vec![[10.0, 10.0]]),
            ..Geometry::default()
        };
        assert_eq!(half.in_pixels(None), None);
        let pixels = half.in_pixels(Some((200, 100))).unwrap();
        assert_eq!(
            (pixels.x, pixels.points),
            (Some(100.0), Some(vec![[20.0, 10.0]]))
        );
    }
}
