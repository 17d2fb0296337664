//! Regions that were drawn in a real Label Studio's editor are read as they were drawn. The Python package's tests say
//! where, too, and `tests/e2e` holds both readers to the same.

use crate::fixtures::folder;
use labelrelay_event::changes::{Change, Record, Shape};
use labelrelay_event::{Attributes, Digest, Event, EventType};
use serde_json::Value;

pub(crate) fn kind_of(shape: &Shape<'_>) -> &'static str {
    match shape {
        Shape::Box(_) => "box",
        Shape::Polygon(_) => "polygon",
        Shape::Line(_) => "line",
        Shape::Ellipse(_) => "ellipse",
        Shape::Keypoint(_) => "keypoint",
        Shape::Mask(_) => "mask",
        Shape::Span(_) => "span",
        Shape::TimeSpan(_) => "time_span",
        Shape::Track(_) => "track",
        _ => "other",
    }
}

/// A mask's pixels are marked where the pointer was, and nowhere else.
fn assert_drawn(shape: &Shape<'_>, drawn: &Value) {
    let Shape::Mask(mask) = shape else { return };
    let (Some(size), Some(_)) = (mask.image.size, &mask.rle) else {
        return assert!(
            mask.url
                .as_deref()
                .unwrap()
                .starts_with("data:image/png;base64,")
        );
    };
    let pixels = mask.decode(1_000_000).unwrap();
    for (name, expected) in [("inside", 255), ("outside", 0)] {
        for point in drawn[name].as_array().unwrap() {
            let [x, y] = [0, 1].map(|axis| u32::try_from(point[axis].as_u64().unwrap()).unwrap());
            assert_eq!(
                pixels[(y * size.width + x) as usize],
                expected,
                "{name} {x} {y}"
            );
        }
    }
    assert!(mask.decode(10).is_err());
}

#[test]
fn it_is_read_as_it_was_drawn() {
    let mut tags = 0;
    for entry in std::fs::read_dir(folder().join("label_studio/control_tags")).unwrap() {
        let path = entry.unwrap().path();
        let (Ok(body), Ok(drawn)) = (
            std::fs::read(path.join("body.json")),
            std::fs::read(path.join("drawn.json")),
        ) else {
            continue;
        };
        tags += 1;
        let drawn: Value = serde_json::from_slice(&drawn).unwrap();
        let event_type = EventType::from_static("io.labelstud.annotation.created");
        let received = "2026-11-20T08:00:00Z";
        let attributes = Attributes::new("e1", "/ls", &event_type, &Digest::of(&body), received);
        let all = Event::of(attributes, body).changes().unwrap();
        let [Change::Changed(changed)] = all.as_slice() else {
            panic!("{}: one annotation", path.display())
        };
        let Some(Record::Annotation(annotation)) = changed.record.as_deref() else {
            panic!("{}: an annotation with its result", path.display())
        };
        let drawn: Vec<_> = drawn["drawn"].as_array().unwrap().iter().collect();
        // Of a ranking in buckets nothing is said but its JSON.
        let is_answer =
            |one: &Value| one["kind"] == "classification" && !path.ends_with("ranker_buckets");
        let answers = drawn.iter().filter(|one| is_answer(one)).count();
        let relations = drawn.iter().filter(|one| one["kind"] == "relation").count();
        assert_eq!(
            annotation.classifications.len(),
            answers,
            "{}",
            path.display()
        );
        assert_eq!(annotation.relations.len(), relations, "{}", path.display());
        let mut regions: Vec<_> = annotation.regions.iter().collect();
        for one in drawn {
            let kind = one["kind"].as_str().unwrap();
            let label = one["label"].as_str();
            let is_it = |region: &&labelrelay_event::changes::Region<'_>| {
                kind_of(&region.shape) == kind
                    && (region.label() == label || region.labels.is_empty())
            };
            if let Some(place) = regions.iter().position(is_it) {
                assert_drawn(&regions.remove(place).shape, one);
            } else if kind != "relation" && !is_answer(one) {
                // Curves and frames of a time line are left alone, too.
                let place = regions
                    .iter()
                    .position(|region| kind_of(&region.shape) == "other");
                regions.remove(place.unwrap_or_else(|| panic!("{}: {kind}", path.display())));
            }
        }
        assert!(regions.is_empty(), "{}: {regions:?}", path.display());
    }
    assert!(tags > 15);
}
