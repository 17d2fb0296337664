//! Doubts about a secret: signs that the other side has other bytes. Never shows any of it.

use super::value::Secret;

/// Marks at the beginning of a text, and what they say about its encoding.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Beginnings of what says where a secret is kept.
const REFERENCES: [&str; 6] = [
    "env:",
    "file:",
    "aws-secretsmanager:",
    "aws-ssm:",
    "gcp-secretmanager:",
    "azure-keyvault:",
];

impl Secret {
    /// Doubts about it, each with a cure, as the rest of a sentence that begins with the secret's name.
    ///
    /// ```
    /// use labelrelay_core::Secret;
    ///
    /// let secret = Secret::new("env:S", "\"quoted-secret-0123456789\"")?;
    /// assert!(secret.doubts()[0].contains("quotes"));
    /// # Ok::<(), labelrelay_core::SecretError>(())
    /// ```
    pub fn doubts(&self) -> Vec<String> {
        let bytes = self.expose();
        let mut doubts = Vec::new();
        let mut add = |doubt: &str| doubts.push(doubt.to_owned());
        if bytes.starts_with(UTF_8_MARK) {
            add(
                "begins with a byte order mark, which the platform's has not: save it in UTF-8 without one",
            );
        } else if is_utf_16(bytes) {
            add(
                "is in UTF-16, and the platform's is not: save it in UTF-8 without a byte order mark",
            );
            // Each of the doubts below would be about that.
            return doubts;
        }
        let text = bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes);
        let inner = text.trim_ascii();
        if inner.len() != text.len() {
            add(
                "begins or ends with white space; was that meant? A header cannot carry it: take it away",
            );
        }
        if inner.iter().any(u8::is_ascii_control) {
            add(
                "holds a line break or another control character, which no header carries: keep one line, and nothing else, where it is kept",
            );
        }
        if is_quoted(inner) {
            add(
                "has quotes around it, which are part of it as it stands; take them away, unless the platform's has them too",
            );
        }
        if is_assignment(inner) {
            add(
                "looks like NAME=value, all of which is the secret as it stands; keep the value alone",
            );
        }
        if is_in_a_document(inner) {
            add(
                "looks like JSON or YAML, all of which is the secret as it stands; keep the value alone",
            );
        }
        if is_placeholder(inner) {
            add(
                "looks like a reference or a placeholder that nothing has replaced; put the secret itself there",
            );
        }
        if has_bearer(inner) {
            add(
                "begins with the word Bearer, which belongs into the platform's header alone; keep what follows it",
            );
        }
        match std::str::from_utf8(text) {
            Err(_) => add(
                "is no UTF-8: it may have other bytes where the platform keeps it; use letters and digits",
            ),
            Ok(text) if text.chars().any(is_combining) => add(
                "has accents as characters of their own (NFD), where the platform's may have them in one (NFC); use letters and digits",
            ),
            Ok(text) if !text.is_ascii() => add(
                "is not printable ASCII: the same text has other bytes in UTF-8, Latin-1, NFC and NFD; use letters and digits",
            ),
            Ok(_) => {}
        }
        doubts
    }

    /// Tells whether no form of a header can carry the secret: it has characters that Latin-1 has not.
    pub(crate) fn is_beyond_latin_1(&self) -> bool {
        std::str::from_utf8(self.expose())
            .is_ok_and(|text| text.chars().any(|c| u8::try_from(c).is_err()))
    }
}

/// By its mark, or because every other byte of it is zero. A line break that was taken off as one byte leaves half
/// a character.
fn is_utf_16(bytes: &[u8]) -> bool {
    let zeros = |rest: usize| bytes.iter().skip(rest).step_by(2).all(|&byte| byte == 0);
    UTF_16_MARKS.iter().any(|mark| bytes.starts_with(mark))
        || bytes.len() >= 4 && (zeros(0) || zeros(1))
}

fn is_quoted(text: &[u8]) -> bool {
    match text {
        [first, .., last] => first == last && b"\"'`".contains(first),
        _ => false,
    }
}

/// A name as variables have it, an equals sign, and more than the padding of base64. A short name in lower case may
/// be the beginning of a secret.
fn is_assignment(text: &[u8]) -> bool {
    let exported = text.strip_prefix(b"export ");
    let text = exported.unwrap_or(text);
    let Some(at) = text.iter().position(|&byte| byte == b'=') else {
        return false;
    };
    let (name, value) = text.split_at(at);
    let name = name.trim_ascii_end();
    let good = |letter: fn(&u8) -> bool| {
        name.first().is_some_and(letter)
            && name
                .iter()
                .all(|b| letter(b) || b.is_ascii_digit() || *b == b'_')
    };
    let is_name = good(u8::is_ascii_uppercase)
        || good(u8::is_ascii_lowercase) && (name.len() >= 3 || exported.is_some());
    is_name && value.iter().any(|&byte| byte != b'=')
}

/// An object of JSON, or a name, a colon, a space and a value.
fn is_in_a_document(text: &[u8]) -> bool {
    let is_object = text.starts_with(b"{") && text.ends_with(b"}") && text.contains(&b'"');
    let is_pair = text
        .windows(2)
        .position(|pair| pair == b": ")
        .and_then(|at| text.split_at_checked(at))
        .is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b))
        });
    is_object || is_pair
}

fn is_placeholder(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let is_variable = text.starts_with("${") && text.ends_with('}')
        || text.strip_prefix('$').is_some_and(|name| {
            name.len() >= 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        });
    let is_bracketed = text.starts_with('<') && text.ends_with('>');
    is_variable || is_bracketed || REFERENCES.iter().any(|scheme| text.starts_with(scheme))
}

fn has_bearer(text: &[u8]) -> bool {
    text.get(..7)
        .is_some_and(|front| front.eq_ignore_ascii_case(b"bearer "))
}

/// The accents that NFD takes off letters.
fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_words_of_its_own_and_no_part_of_the_secret() {
        let utf_16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let big_endian =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
        let marked = [&b"\xff\xfe"[..], &utf_16("example-secret\r\n")].concat();
        for (secret, word) in [
            (&b"\xef\xbb\xbfexample-secret"[..], "byte order mark"),
            (&marked, "UTF-16"),
            (&utf_16("example-secret"), "UTF-16"),
            (&big_endian("example-secret"), "UTF-16"),
            // A file that lost what looked like a line break.
            (&big_endian("example-secret\n")[..29], "UTF-16"),
            (b"example-secret ", "white space"),
            (b"\texample-secret", "white space"),
            (b"example\nsecret", "control character"),
            (b"example\0secret", "control character"),
            (b"\"example-secret\"", "quotes"),
            (b"'example-secret'", "quotes"),
            (b"LABELBOX_WEBHOOK_SECRET=example-secret", "NAME=value"),
            (b"export SECRET=\"example-secret\"", "NAME=value"),
            (b"secret=example-secret", "NAME=value"),
            (b"SECRET = example-secret", "NAME=value"),
            (b"X=example-secret", "NAME=value"),
            (b"export x=example-secret", "NAME=value"),
            (br#"{"secret":"example-secret"}"#, "JSON"),
            (b"secret: example-secret", "YAML"),
            (b"webhook-secret: \"example-secret\"", "YAML"),
            (b"${EXAMPLE_SECRET}", "placeholder"),
            (b"$EXAMPLE_SECRET", "placeholder"),
            (b"<example-secret>", "placeholder"),
            (b"file:/run/example-secret", "placeholder"),
            (b"Bearer example-secret", "Bearer"),
            (b"ex\xe4mple-secret", "no UTF-8"),
            ("ex\u{e4}mple-secret".as_bytes(), "not printable ASCII"),
            ("exa\u{308}mple-secret".as_bytes(), "NFD"),
        ] {
            let secret = Secret::new("s", secret).unwrap();
            let doubts = secret.doubts();
            assert_eq!(doubts.len(), 1, "{word}: {doubts:?}");
            assert!(doubts[0].contains(word), "{word}: {doubts:?}");
            assert!(!doubts[0].contains("mple"), "{doubts:?}");
        }
    }

    #[test]
    fn generated_secrets_are_not_doubted() {
        for secret in [
            "0123456789abcdefABCDEF",
            "c2VjcmV0LW9mLWJhc2U2NA==",
            "aB3=xyz/+9",
            "with a space, and $ymbols: {}",
            "a:b@c!",
            "x=y",
            "{curly}",
            "with a space: and more",
        ] {
            let doubts = Secret::new("s", secret).unwrap().doubts();
            assert!(doubts.is_empty(), "{secret}: {doubts:?}");
        }
    }
}
