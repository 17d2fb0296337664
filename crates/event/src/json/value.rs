//! A value in a document, and lenient questions about it: whatever is not as it was expected is as if it were absent.

use super::document::{CONTAINER, Document, Node};
use super::form::Form;
use super::number;
use super::string::{Halves, decode};
use crate::changes::Raw;
use std::borrow::Cow;
use std::collections::HashMap;

/// A value in a document.
#[derive(Clone, Copy)]
pub(crate) struct Value<'d, 'a> {
    document: &'d Document<'a>,
    at: u32,
}

impl<'a> Document<'a> {
    /// The whole value.
    pub(crate) fn root(&self) -> Value<'_, 'a> {
        Value::new(self, 0)
    }
}

impl<'d, 'a> Value<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>, at: u32) -> Self {
        Self { document, at }
    }

    /// Its place in the document.
    pub(super) fn place(self) -> u32 {
        self.at
    }

    /// The value in this place of the same document.
    pub(super) fn beside(self, place: u32) -> Self {
        Self::new(self.document, place)
    }

    #[inline]
    fn node(self) -> Node {
        self.document.node(self.at)
    }

    #[inline]
    pub(crate) fn form(self) -> Form {
        self.document.form(self.at)
    }

    pub(crate) fn is_object(self) -> bool {
        self.form() == Form::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.form() == Form::Array
    }

    pub(crate) fn is_text(self) -> bool {
        matches!(self.form(), Form::Text | Form::EscapedText)
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self.form(), Form::Integer | Form::Fraction)
    }

    /// Tells whether two are the same place of the same document.
    pub(crate) fn is_same(self, other: Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.at == other.at
    }

    /// The value as it is written.
    pub(crate) fn written(self) -> &'d str {
        let node = self.node();
        let text = self.document.source.as_str();
        text.get(node.start as usize..node.end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn raw(self) -> Raw<'a> {
        let node = self.node();
        Raw::new(self.document.source.clone(), node.start, node.end)
    }

    /// The parts of a container, one after the other: of an object, keys and values in turn.
    fn parts(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        let end = self.node().after;
        let mut at = self.at + CONTAINER;
        std::iter::from_fn(move || {
            let part = (at < end).then(|| Self::new(document, at))?;
            at = part.node().after;
            Some(part)
        })
    }

    /// The elements, if it is an array.
    pub(crate) fn items(self) -> impl Iterator<Item = Self> {
        self.is_array().then(|| self.parts()).into_iter().flatten()
    }

    /// Keys and values, if it is an object.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (Self, Self)> {
        let mut parts = self.is_object().then(|| self.parts());
        std::iter::from_fn(move || {
            let parts = parts.as_mut()?;
            Some((parts.next()?, parts.next()?))
        })
    }

    /// The last member of this name, though it were `null`.
    pub(crate) fn find(self, name: &str) -> Option<Self> {
        self.pairs()
            .filter(|(key, _)| key.reads(name))
            .map(|(_, value)| value)
            .last()
    }

    /// Tells whether there is a member of one of these names.
    pub(crate) fn has_any(self, names: &[&str]) -> bool {
        let mut pairs = self.pairs();
        pairs.any(|(key, _)| names.iter().any(|name| key.reads(name)))
    }

    /// The last member of this name, unless it is `null`.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.find(name).filter(|value| value.form() != Form::Null)
    }

    /// The members of an object, each name once: where its first one stands, with the value of its last.
    pub(crate) fn members(self) -> Vec<(Self, Self)> {
        /// Members that are compared with each other, in place of their hashes.
        const FEW: usize = 16;
        let count = self.pairs().count();
        let mut found: Vec<(Self, Self)> = Vec::with_capacity(count);
        if count <= FEW {
            for (key, value) in self.pairs() {
                let known = found
                    .iter_mut()
                    .find(|(known, _)| known.exact() == key.exact());
                match known {
                    Some((_, last)) => *last = value,
                    None => found.push((key, value)),
                }
            }
            return found;
        }
        let mut places = HashMap::with_capacity(count);
        for (key, value) in self.pairs() {
            let place = *places.entry(key.exact()).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, last)) => *last = value,
                None => found.push((key, value)),
            }
        }
        found
    }

    #[inline]
    fn quoted(self) -> (usize, usize) {
        let node = self.node();
        (node.start as usize + 1, node.end.saturating_sub(1) as usize)
    }

    /// A string as it is written, without its quotes.
    pub(super) fn between_quotes(self) -> &'d str {
        let (start, end) = self.quoted();
        let text = self.document.source.as_str();
        text.get(start..end).unwrap_or_default()
    }

    /// The same as bytes, of which none needs to be looked at.
    #[inline]
    pub(super) fn bytes_between_quotes(self) -> &'d [u8] {
        let (start, end) = self.quoted();
        let bytes = self.document.source.as_str().as_bytes();
        bytes.get(start..end).unwrap_or_default()
    }

    /// Tells whether it is a string with this text, which is plain ASCII.
    #[inline]
    pub(crate) fn reads(self, text: &str) -> bool {
        match self.form() {
            Form::Text => {
                // Most names differ in their length, which is told before anything is looked at.
                let (start, end) = self.quoted();
                end.saturating_sub(start) == text.len()
                    && self.bytes_between_quotes() == text.as_bytes()
            }
            Form::EscapedText => self.reads_escaped(text),
            _ => false,
        }
    }

    #[cold]
    fn reads_escaped(self, text: &str) -> bool {
        *self.exact() == *text.as_bytes()
    }

    /// The bytes of a string, with halves of pairs in three bytes: equal if and only if the texts are.
    pub(crate) fn exact(self) -> Cow<'d, [u8]> {
        match self.form() {
            Form::Text => Cow::Borrowed(self.between_quotes().as_bytes()),
            Form::EscapedText => Cow::Owned(decode(self.between_quotes(), Halves::Bytes)),
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The text, if it is a string. Half of a surrogate pair is its escape.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self.form() {
            Form::Text => {
                let (start, end) = self.quoted();
                Some(self.document.source.part(start, end))
            }
            Form::EscapedText => {
                let bytes = decode(self.between_quotes(), Halves::Escaped);
                String::from_utf8(bytes).ok().map(Cow::Owned)
            }
            _ => None,
        }
    }

    /// The strings in an array, or the one string that it is.
    pub(crate) fn texts(self) -> Vec<Cow<'a, str>> {
        if self.is_array() {
            // Mostly one label. A list without a beginning would take room for four.
            let mut texts = Vec::with_capacity(usize::from(self.says_something()));
            texts.extend(self.items().filter_map(Self::text));
            return texts;
        }
        self.text().into_iter().collect()
    }

    pub(crate) fn flag(self) -> Option<bool> {
        match self.form() {
            Form::True => Some(true),
            Form::False => Some(false),
            _ => None,
        }
    }

    /// The number as a double, if it is one that a double can hold.
    pub(crate) fn number(self) -> Option<f64> {
        match self.form() {
            Form::Integer => number::double(self.written(), true),
            Form::Fraction => number::double(self.written(), false),
            _ => None,
        }
    }

    /// The number, if it is written as an integer of up to 2^53 - 1.
    pub(crate) fn whole(self) -> Option<i64> {
        if self.form() == Form::Integer {
            return number::whole(self.written());
        }
        None
    }

    /// The id: a string that is not empty, or an integer in its digits, of up to 4,096 bytes.
    pub(crate) fn identifier(self) -> Option<Cow<'a, str>> {
        const MAX_ID_BYTES: usize = 4096;
        let id = match self.form() {
            Form::Integer if self.written() == "-0" => Cow::Borrowed("0"),
            Form::Integer => {
                let node = self.node();
                let (start, end) = (node.start as usize, node.end as usize);
                self.document.source.part(start, end)
            }
            _ => self.text()?,
        };
        (!id.is_empty() && id.len() <= MAX_ID_BYTES).then_some(id)
    }

    /// The id of a thing that is named by its id, or is an object with one.
    pub(crate) fn reference(self) -> Option<Cow<'a, str>> {
        if self.is_object() {
            return self.member("id")?.identifier();
        }
        self.identifier()
    }

    /// Tells whether it says something: it is not `null`, `false`, zero or empty.
    pub(crate) fn says_something(self) -> bool {
        match self.form() {
            Form::Null | Form::False => false,
            Form::True => true,
            Form::Integer | Form::Fraction => !number::is_zero(self.written()),
            Form::Text | Form::EscapedText => self.written().len() > 2,
            Form::Array | Form::Object => self.node().after > self.at + CONTAINER,
        }
    }

    /// The elements of an array; anything else that says something stands for itself.
    pub(crate) fn several(self) -> Vec<Self> {
        if self.is_array() {
            return self.items().collect();
        }
        self.says_something().then_some(self).into_iter().collect()
    }

    /// Tells whether both are the same data: numbers as doubles, objects whatever the order of their members.
    pub(crate) fn is_equal(self, other: Self) -> bool {
        let mut waiting = vec![(self, other)];
        while let Some((one, two)) = waiting.pop() {
            let is_equal = match (one.form(), two.form()) {
                (Form::Integer | Form::Fraction, Form::Integer | Form::Fraction) => {
                    match (one.number(), two.number()) {
                        #[expect(clippy::float_cmp, reason = "equal means equal")]
                        (Some(one), Some(two)) => one == two,
                        (None, None) => one.written() == two.written(),
                        _ => false,
                    }
                }
                (Form::Array, Form::Array) => {
                    // Side by side: the longer is not walked to its end.
                    let (mut ones, mut twos) = (one.items(), two.items());
                    loop {
                        match (ones.next(), twos.next()) {
                            (Some(one), Some(two)) => waiting.push((one, two)),
                            (None, None) => break true,
                            _ => break false,
                        }
                    }
                }
                (Form::Object, Form::Object) => match one.same_members(two) {
                    Some(pairs) => {
                        waiting.extend(pairs);
                        true
                    }
                    None => false,
                },
                _ if one.is_text() && two.is_text() => one.exact() == two.exact(),
                (one, two) => one == two,
            };
            if !is_equal {
                return false;
            }
        }
        true
    }

    /// The values of both objects under each name; `None` if they have not the same names, as soon as that is known.
    fn same_members(self, other: Self) -> Option<Vec<(Self, Self)>> {
        let own = self.members().into_iter();
        let mut both: HashMap<_, _> = own
            .map(|(key, value)| (key.exact(), (value, None)))
            .collect();
        for (key, value) in other.pairs() {
            let (_, found) = both.get_mut(&key.exact())?;
            *found = Some(value);
        }
        let both = both.into_values();
        both.map(|(one, two)| Some((one, two?))).collect()
    }
}

impl std::fmt::Debug for Value<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.written())
    }
}
