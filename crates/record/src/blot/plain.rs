//! A look at text, byte by byte: almost every value of a header has nothing in it that has to be blotted out. It says
//! so without taking the text apart.

use super::tokens::{PARAMETERS, SCHEMES, TOKEN_LETTERS, is_token};

/// What a byte is for the text around it.
enum Kind {
    /// It belongs to a part.
    Inside,
    /// It joins two parts of a word.
    Joint,
    /// It ends a word.
    End,
    /// It may begin what has to be blotted out, or is no ASCII.
    Doubt,
}

const fn kind(byte: u8) -> Kind {
    match byte {
        b'?' | b'#' | b'@' | b'%' | 0x80.. => Kind::Doubt,
        b'/' | b'=' | b'&' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b':' | b'|' => Kind::Joint,
        0..=b' ' | 0x7f | b'"' | b'\'' | b'<' | b'>' | b',' | b';' | b'\\' => Kind::End,
        _ => Kind::Inside,
    }
}

/// `true` if nothing in the text has to be blotted out. `false` means only that it has to be taken apart.
pub(super) fn is_plain(text: &str) -> bool {
    let (mut word, mut part) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        let kind = kind(byte);
        match kind {
            Kind::Inside => continue,
            Kind::Doubt => return false,
            Kind::Joint | Kind::End => {}
        }
        let names = matches!(byte, b'=' | b':');
        if is_doubtful(text.get(part..at), names) {
            return false;
        }
        part = at + 1;
        if matches!(kind, Kind::End) {
            if is_scheme(text.get(word..at)) {
                return false;
            }
            word = at + 1;
        }
    }
    !is_doubtful(text.get(part..), false) && !is_scheme(text.get(word..))
}

/// Tells whether a part is a token, or names one (`names`: its value follows).
fn is_doubtful(part: Option<&str>, names: bool) -> bool {
    // It is always there: both ends are ASCII.
    let Some(part) = part else {
        return true;
    };
    let is = |name: &&str| name.eq_ignore_ascii_case(part);
    (part.len() >= TOKEN_LETTERS && is_token(part)) || (names && PARAMETERS.iter().any(is))
}

fn is_scheme(word: Option<&str>) -> bool {
    let is = |word: &str| {
        SCHEMES
            .iter()
            .any(|scheme| scheme.eq_ignore_ascii_case(word))
    };
    word.is_none_or(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_values_are_plain() {
        for text in [
            "",
            "localhost:8080",
            "application/json; charset=utf-8",
            "python-requests/2.32.3",
            "gzip, deflate, br",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "203.0.113.7, 198.51.100.2",
            "LABEL_CREATED",
        ] {
            assert!(is_plain(text), "{text}");
        }
    }
}
