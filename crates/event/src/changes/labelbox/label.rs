//! The annotations of a label: objects, classifications and relationships, in either version's words.

use super::answers::Answers;
use super::fields::text;
use super::object::{feature_id, name_of, other, other_of, region};
use super::video;
use crate::changes::marks::Marks;
use crate::changes::{Relation, Size};
use crate::json::{Document, Source, Value};
use std::borrow::Cow;

/// The JSON in a string, if it is an object.
pub(super) fn object_in<'a>(text: Value<'_, 'a>) -> Option<Document<'a>> {
    let source = match text.text()? {
        Cow::Borrowed(text) => Source::Borrowed(text),
        Cow::Owned(text) => Source::Shared(text.into()),
    };
    let document = Document::read(source).ok()?;
    document.root().is_object().then_some(document)
}

/// Reads the member `label` of a v1 body: JSON in a string. Text that is no JSON object (`Skip`) is one `Other`.
pub(super) fn read_v1<'a>(label: Value<'_, 'a>) -> Marks<'a> {
    match object_in(label) {
        Some(document) => read_annotations(document.root(), None),
        None => Marks {
            regions: vec![other(label, None)],
            ..Marks::default()
        },
    }
}

/// Members that are read, and those of a video that repeat what its frames say.
const KNOWN: [&str; 5] = [
    "objects",
    "classifications",
    "relationships",
    "segments",
    "key_frame_feature_map",
];

/// Reads an object with `objects`, `classifications`, `relationships`, and the `frames` of a video.
pub(super) fn read_annotations<'a>(annotations: Value<'_, 'a>, size: Option<Size>) -> Marks<'a> {
    let several = |name| {
        annotations
            .member(name)
            .map(Value::several)
            .unwrap_or_default()
    };
    let (mut regions, mut answers) = (Vec::new(), Answers::default());
    for drawn in several("objects") {
        regions.push(region(drawn, size));
        answers.read(
            drawn.member("classifications"),
            feature_id(drawn).as_ref(),
            None,
        );
    }
    answers.read(annotations.member("classifications"), None, None);
    for (name, held) in annotations.members() {
        let is_known = KNOWN.into_iter().any(|known| name.reads(known));
        let is_frames = name.reads("frames") && held.is_object();
        if is_frames {
            regions.extend(video::tracks(held));
            video::answers(held, &mut answers);
        }
        // Groups of a DICOM series, the address of a video's frames: there is more than was read.
        let is_read = is_known || is_frames && video::is_whole(held);
        if !is_read && held.says_something() {
            regions.push(other_of(held, name.text()));
        }
    }
    regions.append(&mut answers.unread);
    let mut relations = Vec::new();
    for written in several("relationships") {
        match relation(written) {
            Some(relation) => relations.push(relation),
            None => regions.push(other(written, None)),
        }
    }
    Marks {
        regions,
        classifications: answers.read,
        relations,
    }
}

/// v1 has the ends in `data`; v2 in a member named after the direction. `None` if one of them is missing.
fn relation<'a>(written: Value<'_, 'a>) -> Option<Relation<'a>> {
    let mut direction = text(Some(written), "relationshipType");
    let mut ends = written.member("data");
    for (name, said) in [
        ("unidirectional_relationship", "unidirectional"),
        ("bidirectional_relationship", "bidirectional"),
    ] {
        if let Some(held) = written.member(name) {
            (ends, direction) = (Some(held), Some(Cow::Borrowed(said)));
        }
    }
    let ends = ends?;
    let names = if ends.member("source").is_some() {
        ["source", "target"]
    } else {
        ["startFeatureId", "endFeatureId"]
    };
    let [from, to] = names.map(|name| ends.member(name).and_then(Value::identifier));
    Some(Relation {
        from: Some(from?),
        to: Some(to?),
        direction,
        labels: name_of(written).into_iter().collect(),
        raw: written.raw(),
    })
}
