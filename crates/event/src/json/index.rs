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
    names: [&'d [u8]; ROOM],
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
            names: [b""; ROOM],
            places: [0; ROOM],
            signs: [0; ROOM],
            all_signs: 0,
            count: Some(0),
        };
        index.read(object);
        index
    }

    /// Becomes the index of another object, in the room that it has.
    pub(crate) fn read(&mut self, object: Value<'d, 'a>) {
        self.object = object;
        self.all_signs = 0;
        let mut count = 0;
        for (key, value) in object.pairs() {
            let room = self.names.get_mut(count).zip(self.places.get_mut(count));
            let room = room.zip(self.signs.get_mut(count));
            let Some(((name, place), sign)) = room.filter(|_| key.form() == Form::Text) else {
                self.count = None;
                return;
            };
            *name = key.bytes_between_quotes();
            *place = value.place();
            *sign = sign_of(name);
            self.all_signs |= 1 << *sign;
            count += 1;
        }
        self.count = Some(count);
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
        let sign = sign_of(name.as_bytes());
        if self.all_signs & (1 << sign) == 0 {
            return None;
        }
        let mut at = count;
        while let Some(before) = at.checked_sub(1) {
            at = before;
            // A sign tells most names apart, without a look at them.
            if self.signs.get(at) != Some(&sign) {
                continue;
            }
            if self.names.get(at) == Some(&name.as_bytes()) {
                return self.places.get(at).map(|at| self.object.beside(*at));
            }
        }
        None
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
fn sign_of(name: &[u8]) -> u8 {
    let first = name.first().copied().unwrap_or_default();
    // Of the length, what fits a byte is enough.
    let length = name.len().to_le_bytes();
    let length = length.first().copied().unwrap_or_default();
    length.wrapping_mul(7).wrapping_add(first) % 64
}
