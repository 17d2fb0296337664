//! The JSON of a drawing.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

/// The drawings of one event.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Drawings {
    pub(crate) drawings: Vec<Drawing>,
    /// Why there is nothing, or not everything.
    pub(crate) drawing_words: Option<String>,
}

/// One thing that an event is about.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Drawing {
    pub(super) thing: String,
    pub(super) version: Option<String>,
    pub(super) gone: bool,
    /// `true` if the version before is drawn below.
    pub(super) compared: bool,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) pictures: Vec<Picture>,
    pub(super) texts: Vec<Text>,
    pub(super) spans: Vec<Span>,
    pub(super) axes: Vec<Axis>,
    pub(super) answers: Vec<Answer>,
    pub(super) relations: Vec<Relation>,
    pub(super) named: Vec<Named>,
    pub(super) left_out: Vec<String>,
}

/// How a part stands to the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// There is no version before to compare with.
    Plain,
    /// As it was.
    Same,
    New,
    Changed,
    /// As a changed one was before.
    Was,
    Gone,
}

/// What all regions have.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tag {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) state: State,
}

/// A frame of an image's size, with shapes on it.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    pub(super) item: Option<i64>,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) unit: Unit,
    /// What the frame does not tell.
    pub(super) words: Option<&'static str>,
    pub(super) shapes: Vec<Shape>,
}

/// Unit of a picture's coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Px,
    Percent,
}

#[derive(Debug, Serialize)]
pub(super) struct Shape {
    #[serde(flatten)]
    pub(super) tag: Tag,
    #[serde(flatten)]
    pub(super) form: Form,
}

/// Form and place. Angles are degrees, clockwise: of a box about its top left, of an ellipse about its centre.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub(super) enum Form {
    Box {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        rotation: f64,
    },
    Polygon {
        #[serde(serialize_with = "as_text")]
        points: Vec<[f64; 2]>,
        closed: bool,
    },
    Ellipse {
        cx: f64,
        cy: f64,
        rx: f64,
        ry: f64,
        rotation: f64,
    },
    Point {
        x: f64,
        y: f64,
    },
    /// Row, first column and length of each run of marked pixels.
    Mask {
        runs: Vec<u32>,
    },
}

/// Parts of a pixel that corners are told to: what is finer than that, nobody sees.
const PARTS_OF_PIXEL: f64 = 10_000.0;

/// Corners as SVG writes them, `1.5,2.0 3.0,4.0`. A browser reads one text several times as fast as a list of lists, and
/// an annotation has a hundred thousand of them.
fn as_text<S: Serializer>(points: &[[f64; 2]], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::with_capacity(points.len() * 16);
    for [x, y] in points {
        if !text.is_empty() {
            text.push(b' ');
        }
        serde_json::to_writer(&mut text, &rounded(*x)).map_err(S::Error::custom)?;
        text.push(b',');
        serde_json::to_writer(&mut text, &rounded(*y)).map_err(S::Error::custom)?;
    }
    let text = String::from_utf8(text).map_err(S::Error::custom)?;
    serializer.serialize_str(&text)
}

fn rounded(number: f64) -> f64 {
    (number * PARTS_OF_PIXEL).round() / PARTS_OF_PIXEL
}

/// A part of a text.
#[derive(Debug, Serialize)]
pub(super) struct Span {
    #[serde(flatten)]
    pub(super) tag: Tag,
    pub(super) start: Option<u64>,
    pub(super) end: Option<u64>,
    pub(super) text: Option<String>,
    pub(super) verified: Option<bool>,
    pub(super) paragraph: Option<u32>,
}

/// A text of the task that spans are in.
#[derive(Debug, Serialize)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a text, and the numbers of the spans that it is a part of.
#[derive(Debug, Serialize)]
pub(super) struct Piece(pub(super) String, pub(super) Vec<usize>);

/// A line of time.
#[derive(Debug, Serialize)]
pub(super) struct Axis {
    pub(super) unit: AxisUnit,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) spans: Vec<TimeSpan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AxisUnit {
    Seconds,
    Frames,
    /// Those of the time series.
    Own,
}

#[derive(Debug, Serialize)]
pub(super) struct TimeSpan {
    #[serde(flatten)]
    pub(super) tag: Tag,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) channel: Option<i64>,
    /// Key frames.
    pub(super) marks: Vec<f64>,
    /// Start and end of each of its parts; empty where it has no gap.
    pub(super) parts: Vec<[f64; 2]>,
}

/// Answers to a question.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) frame: Option<i64>,
    pub(super) item: Option<i64>,
    pub(super) parent: Vec<String>,
    pub(super) values: Vec<String>,
    /// Values of the version before, if they were others.
    pub(super) was: Option<Vec<String>>,
    pub(super) state: State,
}

/// A connection of two regions.
#[derive(Debug, Serialize)]
pub(super) struct Relation {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) labels: Vec<String>,
}

/// A region that is not drawn, and why.
#[derive(Debug, Serialize)]
pub(super) struct Named {
    #[serde(flatten)]
    pub(super) tag: Tag,
    pub(super) words: String,
}
