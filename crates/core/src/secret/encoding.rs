//! The two encodings that one secret is kept in and sent in.
//!
//! An editor writes UTF-8. Label Studio sends headers and the credentials of URLs through python-requests, which
//! writes text as Latin-1. So the same secret has two forms as soon as it is not ASCII.

/// The same text in the other encoding: UTF-8 in Latin-1, as far as that has its characters, and what is no
/// UTF-8 as if it were Latin-1. `None` when there is no other form.
pub(super) fn other(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.is_ascii() {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().map(|c| u8::try_from(c).ok()).collect(),
        Err(_) => Some(from_latin_1(bytes).into_bytes()),
    }
}

fn from_latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (bytes, form) in [
            (&b"ascii"[..], None),
            ("p\u{e4}ss".as_bytes(), Some(&b"p\xe4ss"[..])),
            (b"p\xe4ss", Some("p\u{e4}ss".as_bytes())),
            // Latin-1 has no such character: nobody can send it so.
            ("\u{20ac}".as_bytes(), None),
            (b"\xff\xfe", Some("\u{ff}\u{fe}".as_bytes())),
        ] {
            assert_eq!(other(bytes).as_deref(), form, "{bytes:?}");
        }
    }
}
