//! The text of a string, decoded only when somebody asks.

use std::borrow::Cow;

/// A string or key between its quotes, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(Option<&'a [u8]>);

impl<'a> Text<'a> {
    pub(crate) fn new(written: Option<&'a [u8]>) -> Self {
        Self(written)
    }

    /// The text without its escapes; `None` when it is longer than
    /// [`MAX_SCALAR_BYTES`](crate::MAX_SCALAR_BYTES).
    ///
    /// Half of a surrogate pair is no character; its escape stays unchanged, so that two
    /// different texts never become one.
    pub fn decode(self) -> Option<Cow<'a, str>> {
        let written = self.0?;
        // Should this not be UTF-8, then neither is the document, and nobody will use the result.
        let text = std::str::from_utf8(written)
            .map_or_else(|_| String::from_utf8_lossy(written), Cow::Borrowed);
        Some(if text.contains('\\') {
            Cow::Owned(unescape(&text))
        } else {
            text
        })
    }

    /// The same in bytes, and empty when it is too long: for comparing keys, most of which are
    /// nothing that anybody looks for.
    #[inline]
    pub fn name(self) -> Cow<'a, [u8]> {
        match self.0 {
            None => Cow::Borrowed(&[]),
            Some(written) if written.contains(&b'\\') => {
                Cow::Owned(unescape(&String::from_utf8_lossy(written)).into_bytes())
            }
            Some(written) => Cow::Borrowed(written),
        }
    }
}

fn unescape(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut after = escape.chars();
        match after.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (character, used) = unicode(escape);
                match character {
                    Some(character) => out.push(character),
                    None => out.extend(["\\", escape.get(..used).unwrap_or_default()]),
                }
                rest = escape.get(used..).unwrap_or_default();
                continue;
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    out
}

/// The character that `u` and four hex digits, and perhaps `\u` and four more, stand for; and how many bytes that took.
fn unicode(escape: &str) -> (Option<char>, usize) {
    let unit = |at: usize| {
        escape
            .get(at..at + 4)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let Some(first) = unit(1) else {
        return (None, 1);
    };
    let second = escape
        .get(5..7)
        .filter(|&sign| sign == "\\u")
        .and_then(|_| unit(7));
    match second {
        Some(second) if (0xd800..0xdc00).contains(&first) => {
            match char::decode_utf16([first, second]).next() {
                Some(Ok(character)) => (Some(character), 11),
                _ => (None, 5),
            }
        }
        _ => (char::from_u32(u32::from(first)), 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_serde_json_decodes() {
        for written in [
            "",
            "plain",
            r"\u0061ction",
            r"a\tb\n\/\\\x22".trim_end_matches("x22"),
            r"\ud83d\ude00!",
            r"\u0000",
            "ключ é",
            r#"\"q\""#,
            r"\u00e9\ud83c\udf08",
        ] {
            let written = written.trim_end_matches('\\');
            let expected: String = serde_json::from_str(&format!("\"{written}\"")).unwrap();
            assert_eq!(
                Text::new(Some(written.as_bytes())).decode().unwrap(),
                expected,
                "{written}"
            );
        }
    }

    #[test]
    fn half_a_pair_stays_as_written() {
        for (written, expected) in [
            (r"cut \ud83d here", r"cut \ud83d here"),
            (r"\ude00", r"\ude00"),
            (r"\ud83d\ud83d\ude00", "\\ud83d😀"),
            (r"\ud83dA", r"\ud83dA"),
            (r"\ud83d\u0041", "\\ud83dA"),
        ] {
            assert_eq!(
                Text::new(Some(written.as_bytes())).decode().unwrap(),
                expected,
                "{written}"
            );
        }
    }
}
