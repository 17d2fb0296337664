//! Regions: the marked parts of an image, a text, a sound or a video, in the same words for both platforms.

use super::size::Size;
use super::{Raw, brush};
use crate::EventError;
use std::borrow::Cow;

/// A point; clockwise angles turn x towards y.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "x and y")]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A rectangle, before it is turned about its top left.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Centre and radii of an ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Radii {
    pub cx: f64,
    pub cy: f64,
    pub rx: f64,
    pub ry: f64,
}

/// A marked part of what was labelled.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Region<'a> {
    /// Id of the region within its annotation: relations and classifications name it.
    pub id: Option<Cow<'a, str>>,
    /// Name of the control (Label Studio), or of the tool (Labelbox).
    pub name: Option<Cow<'a, str>>,
    /// Labels, each once.
    pub labels: Vec<Cow<'a, str>>,
    /// Form and place.
    pub shape: Shape<'a>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

impl Region<'_> {
    /// The first label.
    pub fn label(&self) -> Option<&str> {
        self.labels.first().map(AsRef::as_ref)
    }
}

/// Form and place of a region.
///
/// Coordinates are in pixels from the top left of the image, as the platform counts them: nothing is turned here. Label
/// Studio counts on the image as a browser shows the file, so after its EXIF orientation, and before `image_rotation`.
/// They are `None` where the platform gives percentages and no size; `percent` has Label Studio's own numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Shape<'a> {
    /// A rectangle.
    Box(Box),
    /// A polygon.
    Polygon(Polygon),
    /// A line of straight pieces.
    Line(Line),
    /// An ellipse.
    Ellipse(Ellipse),
    /// A point.
    Keypoint(Keypoint),
    /// Marked pixels.
    Mask(Mask<'a>),
    /// A part of a text.
    Span(Span<'a>),
    /// A part of a sound, a video or a time series.
    TimeSpan(TimeSpan),
    /// A region that moves.
    Track(Track<'a>),
    /// Anything that is not known, or that would have to be guessed at.
    Other(Other<'a>),
}

/// The image that a region is on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Image {
    /// Its size, if the platform gives it.
    pub size: Option<Size>,
    /// Degrees by which the annotator had turned it clockwise. Nothing here is turned by it.
    pub rotation: Option<f64>,
    /// Its number among those of the task, from 0, if Label Studio says one.
    pub item: Option<i64>,
}

/// A rectangle.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Box {
    /// The image that it is on.
    pub image: Image,
    /// Top left and size in pixels, before the rotation.
    pub pixels: Option<Rect>,
    /// Degrees by which it is turned clockwise about its top left.
    pub rotation: f64,
    /// The same in percent of the image.
    pub percent: Option<Rect>,
}

impl Box {
    /// The four corners in pixels, after the rotation: top left, top right, bottom right, bottom left.
    pub fn corners(&self) -> Option<[Point; 4]> {
        let Rect {
            x,
            y,
            width,
            height,
        } = self.pixels?;
        let (sin, cos) = self.rotation.to_radians().sin_cos();
        let (right, down) = ((width * cos, width * sin), (-height * sin, height * cos));
        let corner = |dx: f64, dy: f64| Point {
            x: x + dx,
            y: y + dy,
        };
        Some([
            corner(0.0, 0.0),
            corner(right.0, right.1),
            corner(right.0 + down.0, right.1 + down.1),
            corner(down.0, down.1),
        ])
    }
}

/// A polygon; its last point is joined to its first unless `closed` is `false`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Polygon {
    /// The image that it is on.
    pub image: Image,
    /// Its points in pixels.
    pub points: Option<Vec<Point>>,
    /// Label Studio's word on whether the annotator closed it.
    pub closed: Option<bool>,
    /// The same points in percent of the image.
    pub percent: Option<Vec<Point>>,
}

/// A line of straight pieces.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// The image that it is on.
    pub image: Image,
    /// Its points in pixels.
    pub points: Option<Vec<Point>>,
    /// The same points in percent of the image.
    pub percent: Option<Vec<Point>>,
}

/// An ellipse.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ellipse {
    /// The image that it is on.
    pub image: Image,
    /// Centre and radii in pixels.
    pub pixels: Option<Radii>,
    /// Degrees by which it is turned clockwise about its centre.
    pub rotation: f64,
    /// The same in percent of the image.
    pub percent: Option<Radii>,
}

/// A point. Neither platform says whether it can be seen, or what it is connected with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Keypoint {
    /// The image that it is on.
    pub image: Image,
    /// The point in pixels.
    pub pixels: Option<Point>,
    /// The same in percent of the image.
    pub percent: Option<Point>,
}

/// Marked pixels: Label Studio's run lengths and the image's size, or an address.
///
/// Labelbox's address asks for an API key, and ends one day. Nothing here fetches it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mask<'a> {
    /// The image that it is on.
    pub image: Image,
    /// Label Studio's run lengths.
    pub rle: Option<Vec<u8>>,
    /// Address of an image of the mask, or the image itself as `data:`.
    pub url: Option<Cow<'a, str>>,
}

impl Mask<'_> {
    /// One byte for each pixel, row by row: 0 is not marked, 255 is, and a brush's soft edge lies between. A short text
    /// can stand for gigabytes: no more than `max_pixels` are written.
    ///
    /// # Errors
    /// [`ErrorKind::MaskUnreadable`](crate::ErrorKind::MaskUnreadable) when there are no run lengths or no size, when
    /// they do not fit each other, or when there would be more pixels.
    pub fn decode(&self, max_pixels: u64) -> Result<Vec<u8>, EventError> {
        match (&self.rle, self.image.size) {
            (Some(rle), Some(size)) => brush::decode(rle, size, max_pixels),
            (Some(_), None) => Err(brush::unreadable("its image's size is not known")),
            (None, _) => Err(brush::unreadable("its pixels are not in the event")),
        }
    }
}

/// A part of a text: `start` to `end` in code points, the end not counted.
///
/// In HTML, and from one paragraph of a dialogue to another, the offsets are `None`; `raw` has what was sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Span<'a> {
    /// The first character, from 0.
    pub start: Option<u64>,
    /// The place behind the last character.
    pub end: Option<u64>,
    /// The marked text, as the platform says it.
    pub text: Option<Cow<'a, str>>,
    /// `true` if the task's text has `text` there, `false` if it has not: the offsets mean something else then. `None`
    /// if the text is not in the event.
    pub verified: Option<bool>,
    /// Of a dialogue: the paragraph, from 0, in whose text the offsets count.
    pub paragraph: Option<u32>,
}

/// A part of a sound or video, in seconds; of a time series in the units of its own axis.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TimeSpan {
    /// Its beginning.
    pub start: f64,
    /// Its end.
    pub end: f64,
    /// `None` where an axis has units of its own.
    pub unit: Option<TimeUnit>,
    /// Number of the channel.
    pub channel: Option<i64>,
}

/// Unit of a time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
}

/// A region that moves: its key frames as they were sent. Nothing lies between them that was not sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Track<'a> {
    /// Key frames, in the order of the body.
    pub frames: Vec<Frame<'a>>,
}

/// A key frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// Its number, as the platform counts.
    pub number: Option<i64>,
    /// The value that was sent for it.
    pub raw: Raw<'a>,
}

/// Anything that is not known, or that would have to be guessed at.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Other<'a> {
    /// The platform's name for it.
    pub kind: Option<Cow<'a, str>>,
}
