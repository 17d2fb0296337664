//! Text around the secret here that is not part of it, and the encodings that the secret may have there.

use unicode_normalization::UnicodeNormalization as _;

/// So many layers are taken off: `NAME="secret"` behind a byte order mark has three.
const LAYERS: usize = 4;

/// Text in the way, with its cure, and how it is taken away.
type Layer = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

const AROUND: [Layer; 9] = [
    (
        "the secret here begins with a byte order mark, which is not part of the other side's: save it in UTF-8 without one",
        |bytes| bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec),
    ),
    (
        "the secret here is in UTF-16, and the other side's is not: save it in UTF-8 without a byte order mark",
        from_utf_16,
    ),
    ("the secret here has white space around it", |bytes| {
        changed(bytes, bytes.trim_ascii())
    }),
    (
        "the secret here has quotes around it",
        |bytes| match bytes {
            [first, inner @ .., last] if first == last && b"\"'`".contains(first) => {
                Some(inner.to_vec())
            }
            _ => None,
        },
    ),
    ("the secret here has angle brackets around it", |bytes| {
        Some(bytes.strip_prefix(b"<")?.strip_suffix(b">")?.to_vec())
    }),
    (
        "the secret here is a whole line NAME=value, of which the value alone is the other side's: keep that alone",
        |bytes| {
            let at = bytes.iter().position(|&byte| byte == b'=')?;
            let (name, value) = bytes.split_at(at);
            let name = name
                .strip_prefix(b"export ")
                .unwrap_or(name)
                .trim_ascii_end();
            let is_name =
                !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            is_name.then(|| value.get(1..).unwrap_or_default().to_vec())
        },
    ),
    (
        "the secret here is JSON, of which one value alone is the other side's: keep that alone",
        |bytes| {
            let members: std::collections::BTreeMap<String, String> =
                serde_json::from_slice(bytes).ok()?;
            let mut values = members.into_values();
            values
                .next()
                .filter(|_| values.next().is_none())
                .map(String::into_bytes)
        },
    ),
    (
        "the secret here is a whole line of YAML, of which the value alone is the other side's: keep that alone",
        |bytes| {
            let at = bytes.windows(2).position(|pair| pair == b": ")?;
            let (name, value) = bytes.split_at(at);
            let is_name = !name.is_empty()
                && name
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
            is_name.then(|| value.get(2..).unwrap_or_default().to_vec())
        },
    ),
    (
        "the secret here begins with the word `Bearer`, which belongs into the header alone: keep what follows it",
        |bytes| {
            let (front, rest) = bytes.split_at_checked(7)?;
            front
                .eq_ignore_ascii_case(b"bearer ")
                .then(|| rest.to_vec())
        },
    ),
];

/// Texts that are the same with other bytes.
const ENCODINGS: [Layer; 4] = [
    (
        "the secret here is in UTF-8, and the other side's in Latin-1: use letters and digits, which have the same bytes in both",
        |bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            let form: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
            changed(bytes, &form?)
        },
    ),
    (
        "the secret here is in Latin-1, and the other side's in UTF-8: save it in UTF-8, or use letters and digits",
        |bytes| {
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            changed(bytes, text.as_bytes())
        },
    ),
    (
        "the secret here has accents apart from their letters (NFD), and the other side's has them in one (NFC): use letters and digits, or type it anew",
        |bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            changed(bytes, text.nfc().collect::<String>().as_bytes())
        },
    ),
    (
        "the secret here has accents in one with their letters (NFC), and the other side's has them apart (NFD): use letters and digits, or type it anew",
        |bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            changed(bytes, text.nfd().collect::<String>().as_bytes())
        },
    ),
];

/// The secret here without the layers around it, each form with what was taken away, the
/// outermost first; then all of them in other encodings.
pub(super) fn forms(secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![(String::new(), secret.to_vec())];
    let mut outer = 0..1;
    for _ in 0..LAYERS {
        let from = all.len();
        for at in outer {
            add_to(&mut all, at, &AROUND);
        }
        outer = from..all.len();
    }
    // Twice: NFC and Latin-1 may come together.
    for _ in 0..2 {
        for at in 0..all.len() {
            add_to(&mut all, at, &ENCODINGS);
        }
    }
    all.remove(0);
    all
}

fn add_to(all: &mut Vec<(String, Vec<u8>)>, at: usize, layers: &[Layer]) {
    for (mistake, take) in layers {
        let Some((before, form)) = all.get(at) else {
            return;
        };
        let Some(inner) = take(form).filter(|inner| !inner.is_empty()) else {
            continue;
        };
        if all.iter().any(|(_, known)| *known == inner) {
            continue;
        }
        let mistake = match before.as_str() {
            "" => (*mistake).to_owned(),
            before => format!("{before}; and {mistake}"),
        };
        all.push((mistake, inner));
    }
}

fn changed(bytes: &[u8], form: &[u8]) -> Option<Vec<u8>> {
    (form != bytes).then(|| form.to_vec())
}

/// With a byte order mark, or without one where every other byte is zero.
fn from_utf_16(bytes: &[u8]) -> Option<Vec<u8>> {
    let (units, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        [_, 0, ..] => (bytes, true),
        [0, _, ..] => (bytes, false),
        _ => return None,
    };
    // A line break that was taken off as one byte leaves half a character.
    let units = units.chunks_exact(2).filter_map(|pair| {
        let pair: [u8; 2] = pair.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(here: &[u8], there: &[u8]) -> Option<String> {
        let found = forms(here).into_iter().find(|(_, form)| form == there);
        found.map(|(mistakes, _)| mistakes)
    }

    #[test]
    fn layers_are_named_from_outside_to_inside() {
        let words = mistakes(b"\xef\xbb\xbfSECRET=\"it\" ", b"it").unwrap();
        let at = |word| words.find(word).unwrap();
        assert!(at("byte order mark") < at("NAME=value"), "{words}");
        assert!(at("white space") < at("NAME=value"), "{words}");
        assert!(at("NAME=value") < at("quotes"), "{words}");
        assert!(mistakes(b"it", b"that").is_none());
        for (here, word) in [
            (&b"KEY = it"[..], "NAME=value"),
            (b"export k='it'", "quotes"),
            (br#"{"secret": "it"}"#, "JSON"),
            (b"webhook-secret: it", "YAML"),
            (b"secret: \"it\"", "quotes"),
        ] {
            let words = mistakes(here, b"it").unwrap();
            assert!(words.contains(word), "{words}");
        }
        assert!(mistakes(br#"{"a": "it", "b": "that"}"#, b"it").is_none());
    }

    #[test]
    fn encodings_with_and_without_layers() {
        let utf_16: Vec<u8> = "\u{feff}it\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (here, there, word) in [
            ("p\u{e4}ss".as_bytes(), &b"p\xe4ss"[..], "Latin-1"),
            (b"p\xe4ss", "p\u{e4}ss".as_bytes(), "in Latin-1, and"),
            ("p\u{e4}ss".as_bytes(), "pa\u{308}ss".as_bytes(), "(NFD)"),
            ("pa\u{308}ss".as_bytes(), "p\u{e4}ss".as_bytes(), "(NFC)"),
            ("pa\u{308}ss".as_bytes(), b"p\xe4ss", "Latin-1"),
            ("\"p\u{e4}ss\"".as_bytes(), b"p\xe4ss", "quotes"),
            (&utf_16, b"it", "UTF-16"),
            // The file lost what looked like a line break.
            (&utf_16[..utf_16.len() - 1], b"it", "UTF-16"),
        ] {
            let words = mistakes(here, there).unwrap();
            assert!(words.contains(word), "{word}: {words}");
        }
    }
}
