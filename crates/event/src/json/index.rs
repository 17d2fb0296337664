//! The members of an object that is asked for many names.

#![expect(
    clippy::inline_always,
    reason = "a name that is a constant costs nothing only where it is looked for"
)]

use super::form::Form;
use super::value::Value;

/// Names that an index keeps a place for: those that items of Label Studio's results have, and are asked for. Any other name
/// is looked for among the members.
///
/// A place is found by comparisons with constants alone. Where the name asked for is a constant too, nothing is left of them.
#[inline(always)]
fn place_of(name: &[u8]) -> Option<usize> {
    // By the length first: it alone tells most names apart.
    let place = match name.len() {
        1 => match name {
            b"x" => 0,
            b"y" => 1,
            _ => return None,
        },
        2 if name == b"id" => 2,
        3 => match name {
            b"end" => 3,
            b"rle" => 4,
            _ => return None,
        },
        4 => match name {
            b"type" => 5,
            b"text" => 6,
            _ => return None,
        },
        5 => match name {
            b"value" => 7,
            b"width" => 8,
            b"start" => 9,
            _ => return None,
        },
        6 => match name {
            b"height" => 10,
            b"points" => 11,
            b"labels" => 12,
            b"closed" => 13,
            b"ranker" => 14,
            _ => return None,
        },
        7 => match name {
            b"radiusX" => 15,
            b"radiusY" => 16,
            b"channel" => 17,
            b"choices" => 18,
            _ => return None,
        },
        8 => match name {
            b"rotation" => 19,
            b"vertices" => 20,
            b"sequence" => 21,
            _ => return None,
        },
        9 => match name {
            b"from_name" => 22,
            b"endOffset" => 23,
            _ => return None,
        },
        10 if name == b"item_index" => 24,
        11 => match name {
            b"startOffset" => 25,
            b"brushlabels" => 26,
            _ => return None,
        },
        12 if name == b"imageDataURL" => 27,
        13 => match name {
            b"ellipselabels" => 28,
            b"polygonlabels" => 29,
            _ => return None,
        },
        14 => match name {
            b"original_width" => 30,
            b"image_rotation" => 31,
            b"keypointlabels" => 32,
            _ => return None,
        },
        15 => match name {
            b"original_height" => 33,
            b"original_length" => 34,
            b"rectanglelabels" => 35,
            _ => return None,
        },
        _ => return None,
    };
    Some(place)
}

/// Places of [`place_of`].
const PLACES: usize = 36;

/// No value of a document stands there: the first word is that of the whole.
const ABSENT: u32 = 0;

/// The members of an object, the asked ones each in a place of its own: to ask for a name that is not there costs as much
/// as for one that is, and shapes are told apart by what is not there.
#[derive(Clone, Copy)]
pub(crate) struct Index<'d, 'a> {
    object: Value<'d, 'a>,
    places: [u32; PLACES],
    /// A key is written with escapes, so that its name is not known.
    has_escapes: bool,
}

impl<'d, 'a> Index<'d, 'a> {
    pub(crate) fn new(object: Value<'d, 'a>) -> Self {
        let mut index = Self {
            object,
            places: [ABSENT; PLACES],
            has_escapes: false,
        };
        index.read(object);
        index
    }

    /// Becomes the index of another object, in the room that it has.
    pub(crate) fn read(&mut self, object: Value<'d, 'a>) {
        self.object = object;
        self.places = [ABSENT; PLACES];
        self.has_escapes = false;
        for (key, value) in object.pairs() {
            if key.form() == Form::Text {
                let place = place_of(key.bytes_between_quotes());
                if let Some(place) = place.and_then(|at| self.places.get_mut(at)) {
                    *place = value.place();
                }
            } else {
                self.has_escapes = true;
            }
        }
    }

    /// The object itself.
    pub(crate) fn object(&self) -> Value<'d, 'a> {
        self.object
    }

    /// The last member of this name, though it were `null`.
    #[inline(always)]
    pub(crate) fn find(&self, name: &str) -> Option<Value<'d, 'a>> {
        let place = place_of(name.as_bytes());
        match place.and_then(|at| self.places.get(at)) {
            Some(&ABSENT) if !self.has_escapes => None,
            Some(place) if !self.has_escapes => Some(self.object.beside(*place)),
            _ => self.look_for(name),
        }
    }

    #[cold]
    fn look_for(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.object.find(name)
    }

    /// Tells whether there is a member of this name, though it were `null`.
    #[inline(always)]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The last member of this name, unless it is `null`.
    #[inline(always)]
    pub(crate) fn member(&self, name: &str) -> Option<Value<'d, 'a>> {
        self.find(name).filter(|value| value.form() != Form::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES, place_of};

    #[test]
    fn each_name_has_a_place_of_its_own() {
        let source = include_str!("index.rs");
        let listed = source
            .split("b\"")
            .skip(1)
            .map_while(|rest| rest.split_once('"'));
        let mut places: Vec<_> = listed
            .filter_map(|(name, _)| place_of(name.as_bytes()))
            .collect();
        places.sort_unstable();
        assert_eq!(places, (0..PLACES).collect::<Vec<_>>());
    }
}
