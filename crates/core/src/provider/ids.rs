//! Ids and texts as bodies carry them.

use crate::identity::is_visible;
use labelrelay_event::{Digest, MAX_ATTRIBUTE_BYTES};
use labelrelay_json::Scalar;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Puts the id that `scalar` is into `place`: a string as it reads, a number in the digits in which it
/// is written, whatever its size. Anything else, and what is too long to be an id, leaves it empty.
pub(super) fn set_id(place: &mut String, scalar: Scalar<'_>) {
    match scalar {
        Scalar::Number(Some(digits)) => {
            place.clear();
            place.push_str(digits);
        }
        other => set_text(place, other),
    }
}

/// Puts the string that `scalar` is into `place`; anything else leaves it empty.
pub(super) fn set_text(place: &mut String, scalar: Scalar<'_>) {
    place.clear();
    if let Scalar::String(text) = scalar {
        place.push_str(&text.decode().unwrap_or_default());
    }
}

/// The text that was put there, if any.
pub(super) fn present(place: &str) -> Option<&str> {
    (!place.is_empty()).then_some(place)
}

/// Kind and id of a thing, for subject and partition key: `task/7`. An id that would not leave the
/// whole within 128 visible ASCII characters is hashed; the kind is always legible.
pub(super) fn named(kind: &str, id: &str) -> String {
    if is_visible(id) && kind.len() + 1 + id.len() <= MAX_ATTRIBUTE_BYTES {
        // At once as long as it will be, which `format!` cannot know.
        [kind, "/", id].concat()
    } else {
        format!("{kind}/sha256:{}", Digest::of(id.as_bytes()))
    }
}

/// A list of things, to tell whether it says by itself which things they are: each has an id, none stands twice.
///
/// One id that is never used again would be enough to tell two deletions apart. But a list in which one is missing
/// or doubled is none that we know, and then nothing is known of its ids either.
#[derive(Debug, Default)]
pub(super) struct Listed {
    count: u32,
    misses_one: bool,
    /// Hashes of the first ids, once there is more than one.
    seen: Vec<u64>,
    first: u64,
}

/// So many ids are compared with each other; a longer list must not cost memory of its own.
const COMPARED: usize = 1024;

impl Listed {
    /// The next thing; an id that cannot be read is an empty one.
    pub(super) fn add(&mut self, id: &str) {
        self.misses_one |= id.is_empty();
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        match self.count {
            0 => self.first = hash,
            1 => self.seen.extend([self.first, hash]),
            _ if self.seen.len() < COMPARED => self.seen.push(hash),
            _ => {}
        }
        self.count = self.count.saturating_add(1);
    }

    /// Tells whether the list names its things, each once. An empty list names none.
    pub(super) fn names_each_once(&self) -> bool {
        let distinct: BTreeSet<_> = self.seen.iter().collect();
        self.count > 0 && !self.misses_one && distinct.len() == self.seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_things_or_not() {
        let names = |ids: &[&str]| {
            let mut listed = Listed::default();
            for id in ids {
                listed.add(id);
            }
            listed.names_each_once()
        };
        assert!(names(&["1"]) && names(&["2", "1", "3"]));
        assert!(!names(&[]) && !names(&[""]) && !names(&["1", "", "2"]));
        assert!(!names(&["1", "1"]) && !names(&["1", "2", "1"]));
    }

    #[test]
    fn a_long_list_costs_no_memory_of_its_own() {
        let mut listed = Listed::default();
        for id in 0..1_000_000 {
            listed.add(&id.to_string());
        }
        assert!(listed.names_each_once());
        assert!(listed.seen.capacity() <= 2 * COMPARED);
    }

    #[test]
    fn names_fit_into_an_attribute() {
        assert_eq!(named("task", "7"), "task/7");
        for id in [
            "x".repeat(123),
            "x".repeat(124),
            "x".repeat(2000),
            "\u{0}".to_owned(),
            "é".to_owned(),
            "a\nb".to_owned(),
        ] {
            let name = named("task", &id);
            assert!(
                name.len() <= MAX_ATTRIBUTE_BYTES && name.starts_with("task/") && is_visible(&name),
                "{name}"
            );
            assert_eq!(name == format!("task/{id}"), id.len() == 123, "{name}");
        }
    }
}
