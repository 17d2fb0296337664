//! Ids and texts as bodies carry them.

use crate::identity::is_visible;
use crate::json::Scalar;
use labelrelay_event::{Digest, MAX_ATTRIBUTE_BYTES};

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

/// What was put there, if anything.
pub(super) fn present(place: &str) -> Option<&str> {
    (!place.is_empty()).then_some(place)
}

/// Kind and id of a thing, for subject and partition key: `task/7`. An id that would not leave the
/// whole within 128 visible ASCII characters is hashed; the kind is always legible.
pub(super) fn named(kind: &str, id: &str) -> String {
    if is_visible(id) && kind.len() + 1 + id.len() <= MAX_ATTRIBUTE_BYTES {
        format!("{kind}/{id}")
    } else {
        format!("{kind}/sha256:{}", Digest::of(id.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_fits_into_an_attribute() {
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
