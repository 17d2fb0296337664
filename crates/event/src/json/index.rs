//! The members of an object that is asked for many names.

use super::form::Form;
use super::value::Value;

/// Members that fit. Items of a result have about ten.
const ROOM: usize = 14;

/// The members of an object, each with the text of its key at hand: to ask for a name that is not there costs as much as
/// for one that is, and shapes are told apart by what is not there.
#[derive(Clone, Copy)]
pub(crate) struct Index<'d, 'a> {
    object: Value<'d, 'a>,
    names: [&'d str; ROOM],
    places: [u32; ROOM],
    /// Bits of all these names, by [`sign_of`].
    signs: u64,
    /// Members in the arrays; `None` if they do not fit, or a key is written with escapes.
    count: Option<usize>,
}

impl<'d, 'a> Index<'d, 'a> {
    pub(crate) fn new(object: Value<'d, 'a>) -> Self {
        let mut index = Self {
            object,
            names: [""; ROOM],
            places: [0; ROOM],
            signs: 0,
            count: Some(0),
        };
        for (at, (key, value)) in object.pairs().enumerate() {
            let room = index.names.get_mut(at).zip(index.places.get_mut(at));
            let Some((name, place)) = room.filter(|_| key.form() == Form::Text) else {
                index.count = None;
                break;
            };
            let text = key.between_quotes();
            *name = text;
            *place = value.place();
            index.signs |= sign_of(text);
            index.count = Some(at + 1);
        }
        index
    }

    /// The object itself.
    pub(crate) fn object(&self) -> Value<'d, 'a> {
        self.object
    }

    /// The last member of this name, though it were `null`.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<Value<'d, 'a>> {
        let Some(count) = self.count else {
            return self.object.find(name);
        };
        if self.signs & sign_of(name) == 0 {
            return None;
        }
        // A length and a sign tell most names apart, without a call.
        let (length, first) = (name.len(), name.as_bytes().first());
        let members = self.names.iter().zip(&self.places).take(count).rev();
        let mut members = members.filter(|(key, _)| {
            key.len() == length && key.as_bytes().first() == first && **key == name
        });
        members.next().map(|(_, place)| self.object.beside(*place))
    }

    /// Tells whether there is a member of this name, though it were `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The last member of this name, unless it is `null`.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.find(name).filter(|value| value.form() != Form::Null)
    }
}

/// One of 64 bits, by a name's length and first byte: a name whose bit no other has set is not among them.
#[inline]
fn sign_of(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().unwrap_or_default();
    let bit = name.len().wrapping_mul(7).wrapping_add(first.into()) % 64;
    1 << bit
}
