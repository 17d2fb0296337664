//! The members of an object that is asked for many names.

use super::form::Form;
use super::value::Value;

/// Members that fit. Items of a result have about ten.
const ROOM: usize = 14;

/// Numbers that names are told apart by.
const SIGNS: usize = 64;

/// No member: there is no room for so many.
const NONE: u8 = u8::MAX;

/// The members of an object, each with the text of its key at hand: to ask for a name that is not there costs as much as
/// for one that is, and shapes are told apart by what is not there.
#[derive(Clone, Copy)]
pub(crate) struct Index<'d, 'a> {
    object: Value<'d, 'a>,
    names: [&'d [u8]; ROOM],
    places: [u32; ROOM],
    /// By the number that [`sign_of`] gives a name: which of the members with it is the last, or [`NONE`].
    last: [u8; SIGNS],
    /// All members are in the arrays: they fit, and no key is written with escapes.
    is_whole: bool,
}

impl<'d, 'a> Index<'d, 'a> {
    pub(crate) fn new(object: Value<'d, 'a>) -> Self {
        let mut index = Self {
            object,
            names: [b""; ROOM],
            places: [0; ROOM],
            last: [NONE; SIGNS],
            is_whole: false,
        };
        index.read(object);
        index
    }

    /// Becomes the index of another object, in the room that it has.
    pub(crate) fn read(&mut self, object: Value<'d, 'a>) {
        self.object = object;
        self.is_whole = false;
        self.last = [NONE; SIGNS];
        for (at, (key, value)) in object.pairs().enumerate() {
            let room = self.names.get_mut(at).zip(self.places.get_mut(at));
            let Some((name, place)) = room.filter(|_| key.form() == Form::Text) else {
                return;
            };
            *name = key.bytes_between_quotes();
            *place = value.place();
            if let Some(last) = self.last.get_mut(sign_of(name)) {
                // There is no room for more than a byte says.
                *last = u8::try_from(at).unwrap_or(NONE);
            }
        }
        self.is_whole = true;
    }

    /// The object itself.
    pub(crate) fn object(&self) -> Value<'d, 'a> {
        self.object
    }

    /// The last member of this name, though it were `null`.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<Value<'d, 'a>> {
        if !self.is_whole {
            return self.object.find(name);
        }
        let name = name.as_bytes();
        let last = usize::from(*self.last.get(sign_of(name))?);
        // What is not there has mostly no sign either, and what is there is mostly the last one with its sign.
        if self.names.get(last)? != &name {
            let before = self.names.get(..last)?;
            let at = before.iter().rposition(|one| *one == name)?;
            return self.places.get(at).map(|at| self.object.beside(*at));
        }
        self.places.get(last).map(|at| self.object.beside(*at))
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

/// A number below [`SIGNS`], of a name's length and first byte: of a name whose number no other has, nothing is looked at.
#[inline]
fn sign_of(name: &[u8]) -> usize {
    let first = name.first().copied().unwrap_or_default();
    // Of the length, what fits a byte is enough.
    let length = name.len().to_le_bytes();
    let length = length.first().copied().unwrap_or_default();
    usize::from(length.wrapping_mul(7).wrapping_add(first)) % SIGNS
}
