//! Changes as plain JSON, in the form of `tests/fixtures/changes/*.changes.json`.

use super::json_pointers::Pointers;
use labelrelay_event::changes::{
    Answer, Change, Classification, Image, Key, Point, Raw, Record, Region, Relation, Shape,
};
use labelrelay_event::{Digest, Event, EventError};
use serde_json::{Map, Value, json};

/// The outcome of a message.
pub(crate) fn outcome(message: &[u8]) -> Value {
    match Event::parse(message) {
        Ok(event) => outcome_of(&event),
        Err(error) => error_of(&error),
    }
}

/// The changes of an event, or the name of the error.
pub(crate) fn outcome_of(event: &Event<'_>) -> Value {
    let changes = match event.changes() {
        Ok(changes) => changes,
        Err(error) => return error_of(&error),
    };
    let places = Pointers::of(event.raw().unwrap());
    let changes: Vec<_> = changes.iter().map(|one| change(one, &places)).collect();
    json!({ "changes": changes })
}

fn error_of(error: &EventError) -> Value {
    json!({ "error": format!("{:?}", error.kind()) })
}

fn change(change: &Change<'_>, places: &Pointers<'_>) -> Value {
    let keys = |keys: &[Key<'_>]| Value::Array(keys.iter().map(key).collect());
    match change {
        Change::Removed(removed) => json!({
            "removed": key(&removed.key),
            "by": removed.by.as_str(),
            "parents": keys(&removed.parents),
        }),
        Change::Changed(changed) => json!({
            "changed": key(&changed.key),
            "version": changed.version,
            "order": changed.order.as_str(),
            "parents": keys(&changed.parents),
            "record": changed.record.as_deref().map(|held| record(held, places)),
        }),
        other => panic!("{other:?}"),
    }
}

fn key(key: &Key<'_>) -> Value {
    json!([*key.source, key.kind.as_str(), key.id])
}

/// Members that say something.
struct Members<'p>(Map<String, Value>, &'p Pointers<'p>);

impl<'p> Members<'p> {
    fn new(is: &str, places: &'p Pointers<'p>) -> Self {
        Self(Map::new(), places).and("is", is)
    }

    fn and(mut self, name: &str, value: impl serde::Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap();
        if !value.is_null() && value != json!([]) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// A pointer to an object or array of the body.
    fn raw(self, name: &str, raw: &Raw<'_>) -> Self {
        let pointer = self.1.to(raw.get());
        self.and(name, pointer)
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

fn record(record: &Record<'_>, places: &Pointers<'_>) -> Value {
    let new = |is| Members::new(is, places);
    match record {
        Record::Annotation(held) => {
            let regions: Vec<_> = held.regions.iter().map(|one| region(one, places)).collect();
            let answers = held.classifications.iter();
            let answers: Vec<_> = answers.map(|one| classification(one, places)).collect();
            let relations: Vec<_> = held
                .relations
                .iter()
                .map(|one| relation(one, places))
                .collect();
            new("Annotation")
                .and("task", &held.task)
                .and("project", &held.project)
                .and("author", &held.author)
                .and("created", &held.created)
                .and("updated", &held.updated)
                .and("skipped", held.skipped)
                .and("ground_truth", held.ground_truth)
                .and("workflow", &held.workflow)
                .and("regions", regions)
                .and("classifications", answers)
                .and("relations", relations)
                .raw("raw", &held.raw)
        }
        Record::Task(held) => new("Task")
            .and("project", &held.project)
            .and("created", &held.created)
            .and("updated", &held.updated)
            .and("labelled", held.labelled)
            .raw("data", &held.data)
            .raw("raw", &held.raw),
        Record::Project(held) => new("Project")
            .and("title", &held.title)
            .and("label_config", &held.label_config)
            .and("created", &held.created)
            .and("updated", &held.updated)
            .raw("raw", &held.raw),
        Record::Workflow(held) => new("Workflow")
            .and("action", &held.action)
            .and("origin", &held.origin)
            .and("destination", &held.destination)
            .and("actor", &held.actor)
            .and("time", &held.time)
            .raw("raw", &held.raw),
        Record::Review(held) => new("Review")
            .and("accepted", held.accepted)
            .and("score", held.score)
            .and("created", &held.created)
            .and("updated", &held.updated)
            .and("reviewed", &held.reviewed)
            .raw("raw", &held.raw),
        Record::Thing(held) => new("Thing").raw("raw", &held.raw),
        other => panic!("{other:?}"),
    }
    .done()
}

fn region(region: &Region<'_>, places: &Pointers<'_>) -> Value {
    let new = |is| {
        Members::new(is, places)
            .and("id", &region.id)
            .and("name", &region.name)
            .and("labels", &region.labels)
            .raw("raw", &region.raw)
    };
    match &region.shape {
        Shape::Box(held) => {
            let rect =
                |rect: labelrelay_event::changes::Rect| [rect.x, rect.y, rect.width, rect.height];
            let [x, y, width, height] = held
                .pixels
                .map(rect)
                .map_or([None; 4], |four| four.map(Some));
            on_image(new("Box"), &held.image)
                .and("x", x)
                .and("y", y)
                .and("width", width)
                .and("height", height)
                .and("rotation", held.rotation)
                .and("percent", held.percent.map(rect))
        }
        Shape::Polygon(held) => on_image(new("Polygon"), &held.image)
            .and("points", points(held.points.as_ref()))
            .and("closed", held.closed)
            .and("percent", points(held.percent.as_ref())),
        Shape::Line(held) => on_image(new("Line"), &held.image)
            .and("points", points(held.points.as_ref()))
            .and("percent", points(held.percent.as_ref())),
        Shape::Ellipse(held) => {
            let radii =
                |radii: labelrelay_event::changes::Radii| [radii.cx, radii.cy, radii.rx, radii.ry];
            let [cx, cy, rx, ry] = held
                .pixels
                .map(radii)
                .map_or([None; 4], |four| four.map(Some));
            on_image(new("Ellipse"), &held.image)
                .and("cx", cx)
                .and("cy", cy)
                .and("rx", rx)
                .and("ry", ry)
                .and("rotation", held.rotation)
                .and("percent", held.percent.map(radii))
        }
        Shape::Keypoint(held) => on_image(new("Keypoint"), &held.image)
            .and("x", held.pixels.map(|point| point.x))
            .and("y", held.pixels.map(|point| point.y))
            .and("percent", held.percent.map(pair)),
        Shape::Mask(held) => {
            let rle = held.rle.as_ref().map(|rle| {
                let digest = Digest::of(rle).to_hex();
                json!({ "bytes": rle.len(), "sha256": digest })
            });
            on_image(new("Mask"), &held.image)
                .and("rle", rle)
                .and("url", &held.url)
        }
        Shape::Span(held) => new("Span")
            .and("start", held.start)
            .and("end", held.end)
            .and("text", &held.text)
            .and("verified", held.verified)
            .and("paragraph", held.paragraph),
        Shape::TimeSpan(held) => new("TimeSpan")
            .and("start", held.start)
            .and("end", held.end)
            .and("unit", held.unit.map(|_| "s"))
            .and("channel", held.channel),
        Shape::Track(held) => {
            let frames = held.frames.iter();
            let frames: Vec<_> = frames
                .map(|frame| json!([frame.number, places.to(frame.raw.get())]))
                .collect();
            new("Track").and("frames", frames)
        }
        Shape::Other(held) => new("Other").and("type", &held.kind),
        other => panic!("{other:?}"),
    }
    .done()
}

fn on_image<'p>(members: Members<'p>, image: &Image) -> Members<'p> {
    members
        .and("size", image.size.map(|size| [size.width, size.height]))
        .and("image_rotation", image.rotation)
        .and("item", image.item)
}

fn pair(point: Point) -> [f64; 2] {
    [point.x, point.y]
}

fn points(points: Option<&Vec<Point>>) -> Option<Vec<[f64; 2]>> {
    points.map(|points| points.iter().copied().map(pair).collect())
}

fn classification(held: &Classification<'_>, places: &Pointers<'_>) -> Value {
    let values = held.values.iter().map(|value| match value {
        Answer::Text(text) => json!(text),
        Answer::Number(number) => json!(number),
        Answer::Path(path) => json!(path),
        other => panic!("{other:?}"),
    });
    Members::new("Classification", places)
        .and("name", &held.name)
        .and("values", values.collect::<Vec<_>>())
        .and("region", held.region.as_deref())
        .and("frame", held.frame)
        .and("item", held.item)
        .and(
            "parent",
            held.parent.iter().map(|text| &**text).collect::<Vec<_>>(),
        )
        .raw("raw", &held.raw)
        .done()
}

fn relation(held: &Relation<'_>, places: &Pointers<'_>) -> Value {
    Members::new("Relation", places)
        .and("from_id", &held.from)
        .and("to_id", &held.to)
        .and("direction", &held.direction)
        .and("labels", &held.labels)
        .raw("raw", &held.raw)
        .done()
}
