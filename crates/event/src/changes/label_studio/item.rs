//! One item of a `result`.

#![expect(
    clippy::inline_always,
    reason = "a name that is a constant costs nothing only where it is looked for"
)]

use crate::changes::{Image, Other, Region, Shape, Size};
use crate::json::{Index, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// An item, with what is asked of it more than once.
#[derive(Clone)]
pub(super) struct Item<'d, 'a> {
    pub(super) json: Index<'d, 'a>,
    /// Its `type`.
    pub(super) kind: Option<Cow<'a, str>>,
    /// Its `value`.
    pub(super) value: Option<Index<'d, 'a>>,
}

/// Types of items that answer a question.
const ANSWERS: [&str; 7] = [
    "choices", "rating", "textarea", "number", "datetime", "taxonomy", "pairwise",
];

impl<'d, 'a> Item<'d, 'a> {
    pub(super) fn new(json: Value<'d, 'a>) -> Self {
        let json = Index::new(json);
        Self {
            json,
            kind: json.member("type").and_then(Value::text),
            value: json.member("value").map(Index::new),
        }
    }

    /// Becomes another item, in the room that it has: there may be thousands of them.
    pub(super) fn read(&mut self, json: Value<'d, 'a>) {
        self.json.read(json);
        self.kind = self.json.member("type").and_then(Value::text);
        match (self.json.member("value"), &mut self.value) {
            (Some(value), Some(index)) => index.read(value),
            (value, index) => *index = value.map(Index::new),
        }
    }

    /// Its type; empty if it has none.
    pub(super) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }

    /// The member of its `value`, unless it is `null`.
    #[inline(always)]
    pub(super) fn member(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.value.as_ref()?.member(name)
    }

    /// Tells whether its `value` has such a member, though it were `null`.
    #[inline(always)]
    pub(super) fn has(&self, name: &str) -> bool {
        self.value.as_ref().is_some_and(|value| value.has(name))
    }

    #[inline(always)]
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.member(name)?.number()
    }

    pub(super) fn id(&self) -> Option<Cow<'a, str>> {
        self.json.member("id")?.identifier()
    }

    pub(super) fn name(&self) -> Option<Cow<'a, str>> {
        self.json.member("from_name")?.text()
    }

    pub(super) fn number_of_image(&self) -> Option<i64> {
        self.json.member("item_index")?.whole()
    }

    pub(super) fn is_relation(&self) -> bool {
        self.kind() == "relation"
    }

    /// Tells whether it answers a question. A ranking does if it has one list; buckets have several.
    pub(super) fn is_answer(&self) -> bool {
        if self.kind() != "ranker" {
            return ANSWERS.contains(&self.kind());
        }
        let lists = self
            .member("ranker")
            .map(Value::members)
            .unwrap_or_default();
        let name = self.json.member("from_name").filter(|name| name.is_text());
        match (lists.as_slice(), name) {
            ([(key, list)], Some(name)) => list.is_array() && key.exact() == name.exact(),
            _ => false,
        }
    }

    /// The labels that it says: under its type, or else under `labels`.
    fn labels(&self) -> Vec<Cow<'a, str>> {
        if self.kind.is_none() || self.is_answer() || self.is_relation() {
            return Vec::new();
        }
        let named = |name| self.member(name).map(Value::texts).unwrap_or_default();
        let labels = named(self.kind());
        if labels.is_empty() {
            named("labels")
        } else {
            labels
        }
    }

    pub(super) fn image(&self) -> Image {
        Image {
            size: size(
                self.json.member("original_width"),
                self.json.member("original_height"),
            ),
            rotation: self.json.member("image_rotation").and_then(Value::number),
            item: self.number_of_image(),
        }
    }

    pub(super) fn region(&self, labels: Vec<Cow<'a, str>>, shape: Shape<'a>) -> Region<'a> {
        Region {
            id: self.id(),
            name: self.name(),
            labels,
            shape,
            raw: self.json.object().raw(),
        }
    }

    /// The item, unread.
    pub(super) fn other(&self) -> Region<'a> {
        let kind = self.kind.clone();
        self.region(labels_of(&[self]), Shape::Other(Other { kind }))
    }
}

/// Labels of all these items, each once.
pub(super) fn labels_of<'a>(items: &[&Item<'_, 'a>]) -> Vec<Cow<'a, str>> {
    let mut labels: Vec<_> = match items {
        [one] => one.labels(),
        _ => items.iter().flat_map(|item| item.labels()).collect(),
    };
    if labels.len() > 1 {
        let mut seen = HashSet::new();
        labels.retain(|label| seen.insert(label.clone()));
    }
    labels
}

/// The size of an image: two integers from 1 to 2^31.
pub(in crate::changes) fn size(
    width: Option<Value<'_, '_>>,
    height: Option<Value<'_, '_>>,
) -> Option<Size> {
    let side = |written: Option<Value<'_, '_>>| {
        let side = u32::try_from(written?.whole()?).ok()?;
        (1..=1 << 31).contains(&side).then_some(side)
    };
    let (width, height) = (side(width)?, side(height)?);
    Some(Size { width, height })
}
