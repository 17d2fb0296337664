//! The frames of a video: objects that move, and answers about frames.

use super::answers::Answers;
use super::object::{feature_id, region_of};
use crate::changes::{Frame, Region, Shape, Track};
use crate::json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// An object in one frame, by its feature id or else its key.
fn objects<'d, 'a>(frame: Value<'d, 'a>) -> Vec<(Cow<'a, str>, Value<'d, 'a>)> {
    let objects = frame
        .member("objects")
        .map(Value::members)
        .unwrap_or_default();
    let objects = objects.into_iter().filter_map(|(key, drawn)| {
        let id = feature_id(drawn).or_else(|| key.text())?;
        Some((id, drawn))
    });
    objects.collect()
}

/// The number of a frame, which is a key of an object.
fn number(key: Value<'_, '_>) -> Option<i64> {
    let digits = key.text()?;
    let is_number = digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The objects, each with its frames, in the order in which the first of each stands.
pub(super) fn tracks<'a>(frames: Value<'_, 'a>) -> Vec<Region<'a>> {
    let mut found: Vec<(Cow<'a, str>, Value<'_, 'a>, Vec<Frame<'a>>)> = Vec::new();
    let mut places = HashMap::new();
    for (key, held) in frames.members() {
        let number = number(key);
        let drawn = objects(held)
            .into_iter()
            .filter(|(_, drawn)| drawn.is_object());
        for (id, drawn) in drawn {
            let frame = Frame {
                number,
                raw: drawn.raw(),
            };
            let place = *places.entry(id.clone()).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, _, frames)) => frames.push(frame),
                None => found.push((id, drawn, vec![frame])),
            }
        }
    }
    let tracks = found.into_iter().map(|(id, first, frames)| {
        let track = region_of(first, Shape::Track(Track { frames }));
        Region {
            id: Some(id),
            ..track
        }
    });
    tracks.collect()
}

/// Answers about a frame, then those about each object in it.
pub(super) fn answers<'a>(frames: Value<'_, 'a>, answers: &mut Answers<'a>) {
    for (key, held) in frames.members() {
        let number = number(key);
        answers.read(held.member("classifications"), None, number);
        for (id, drawn) in objects(held) {
            answers.read(drawn.member("classifications"), Some(&id), number);
        }
    }
}

/// Tells whether all frames, and the objects in them, are objects: the rest is read by nobody.
pub(super) fn is_whole(frames: Value<'_, '_>) -> bool {
    let is_object = |value: Value<'_, '_>| value.is_object() || !value.says_something();
    frames.members().into_iter().all(|(_, held)| {
        let objects = held.member("objects");
        let drawn = objects.map(Value::members).unwrap_or_default();
        is_object(held)
            && objects.is_none_or(is_object)
            && drawn.into_iter().all(|(_, drawn)| is_object(drawn))
    })
}
