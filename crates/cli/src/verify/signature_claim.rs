//! Claims of a signature header, read more kindly than the relay reads it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;

/// A tag, and what had to be overlooked to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) tag: Vec<u8>,
    pub(super) mistakes: Vec<String>,
}

/// Name of the hash whose tags have this length.
pub(super) fn hash_of(tag: &[u8]) -> Option<&'static str> {
    match tag.len() {
        20 => Some("sha1"),
        32 => Some("sha256"),
        _ => None,
    }
}

/// Every way to read the header's value as a tag of a length that fits a hash.
pub(super) fn read(value: &[u8]) -> Vec<Claimed> {
    let text = String::from_utf8_lossy(value);
    let mut mistakes = Vec::new();
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    if rest.len() != text.len() {
        mistakes.push("the header's value has quotes or white space around it".to_owned());
    }
    let claimed = match rest.split_once('=') {
        // A base64 text ends in `=`, and has none before that.
        Some((name, tag)) if !tag.trim_matches('=').is_empty() => {
            rest = tag;
            Some(name)
        }
        _ => {
            mistakes.push("the header's value has no `sha1=` in front".to_owned());
            None
        }
    };
    let mut all = Vec::new();
    let mut add = |tag: Vec<u8>, mistake: Option<String>| {
        let Some(hash) = hash_of(&tag) else { return };
        let mut mistakes = mistakes.clone();
        if let Some(name) = claimed
            && name != hash
        {
            mistakes.push(if name.eq_ignore_ascii_case(hash) {
                format!("the header says `{name}=`; it has to be `{hash}=`")
            } else {
                format!(
                    "wrong hash: the header says `{}`, but its length is that of {hash}",
                    name.escape_debug()
                )
            });
        }
        mistakes.extend(mistake);
        all.push(Claimed { tag, mistakes });
    };
    if let Some(tag) = unhex(rest) {
        add(tag, None);
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        if let Ok(tag) = engine.decode(rest) {
            add(
                tag,
                Some("the signature is written in base64; it has to be hexadecimal".to_owned()),
            );
        }
    }
    all
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into memory does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Hexadecimal digits as bytes.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty()
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).unwrap_or_default();
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high) << 4 | digit(*low)).ok(),
            _ => None,
        })
        .collect()
}
