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
    /// Of each name, by [`sign_of`].
    signs: [u8; ROOM],
    /// Bits of all these signs.
    all_signs: u64,
    /// Members in the arrays; `None` if they do not fit, or a key is written with escapes.
    count: Option<usize>,
}

impl<'d, 'a> Index<'d, 'a> {
    pub(crate) fn new(object: Value<'d, 'a>) -> Self {
        let mut index = Self {
            object,
            names: [""; ROOM],
            places: [0; ROOM],
            signs: [0; ROOM],
            all_signs: 0,
            count: Some(0),
        };
        for (at, (key, value)) in object.pairs().enumerate() {
            let room = index.names.get_mut(at).zip(index.places.get_mut(at));
            let room = room.zip(index.signs.get_mut(at));
            let Some(((name, place), sign)) = room.filter(|_| key.form() == Form::Text) else {
                index.count = None;
                break;
            };
            let text = key.between_quotes();
            *name = text;
            *place = value.place();
            *sign = sign_of(text);
            index.all_signs |= 1 << *sign;
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
        let sign = sign_of(name);
        if self.all_signs & (1 << sign) == 0 {
            return None;
        }
        // A sign tells most names apart, without a look at them.
        let members = self.names.iter().zip(&self.places);
        let members = self.signs.iter().zip(members).take(count).rev();
        let mut members = members.filter(|(one, (key, _))| **one == sign && **key == name);
        members
            .next()
            .map(|(_, (_, place))| self.object.beside(*place))
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

/// The number of one of 64 bits, by a name's length and first byte: a name whose bit no other has set is not among them.
#[inline]
fn sign_of(name: &str) -> u8 {
    let first = name.as_bytes().first().copied().unwrap_or_default();
    // Of the length, what fits a byte is enough.
    let length = name.len().to_le_bytes();
    let length = length.first().copied().unwrap_or_default();
    length.wrapping_mul(7).wrapping_add(first) % 64
}
