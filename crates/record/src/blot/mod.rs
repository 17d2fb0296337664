//! Blots out of text what a record must not keep: credentials, e-mail addresses, tokens, query strings of URLs.
//!
//! What is blotted out leaves its length and a fingerprint, where it was a credential: enough to tell whether a secret
//! at hand was meant, too little to guess one. It is the fingerprint by which the log names secrets.

mod plain;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_event::Digest;
use std::borrow::Cow;
use std::fmt::Write as _;
use tokens::{PARAMETERS, SCHEMES, is_token};

/// Stands for text that is of no use to anybody who may read it.
const GONE: &str = "[blotted out]";

const MARK: &str = "[blotted out: ";
const FINGERPRINT: &str = " bytes, fingerprint ";

/// Parts of the names of headers that carry a credential.
const CREDENTIALS: [&str; 12] = [
    "auth",
    "cookie",
    "credential",
    "hmac",
    "jwt",
    "key",
    "pass",
    "pwd",
    "secret",
    "session",
    "sign",
    "token",
];

/// Names that nearly every head has, and that have none of [`CREDENTIALS`] in them: each of those is not looked for.
const PLAIN_NAMES: [&str; 18] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-labelbox-event",
    "x-labelbox-id",
    "x-real-ip",
    "x-request-id",
];

/// The first eight hexadecimal digits of the SHA-256.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(8);
    push_fingerprint(&mut hex, bytes);
    hex
}

fn push_fingerprint(out: &mut String, bytes: &[u8]) {
    let [a, b, c, d, ..] = *Digest::of(bytes).as_bytes();
    // Writing into memory does not fail.
    let _ = write!(out, "{:08x}", u32::from_be_bytes([a, b, c, d]));
}

/// A credential that was blotted out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blotted<'a> {
    /// Text in front of it, such as `Bearer ` or `sha1=`.
    pub before: &'a str,
    /// Its length.
    pub bytes: usize,
    /// Its [`fingerprint`]: of a signature, in small letters; of `Basic`, that of the password.
    pub fingerprint: &'a str,
}

impl<'a> Blotted<'a> {
    /// Reads a header's value that stands in a record.
    pub fn read(value: &'a str) -> Option<Self> {
        let (before, rest) = value.split_once(MARK)?;
        let (bytes, rest) = rest.split_once(FINGERPRINT)?;
        Some(Self {
            before,
            bytes: bytes.parse().ok()?,
            fingerprint: rest.strip_suffix(']')?,
        })
    }
}

fn mark(out: &mut String, before: &str, secret: &[u8]) {
    out.push_str(before);
    out.push_str(MARK);
    // Writing into memory does not fail.
    let _ = write!(out, "{}", secret.len());
    out.push_str(FINGERPRINT);
    push_fingerprint(out, secret);
    out.push(']');
}

/// Tells whether a header of this name carries a credential. `more` are names beside those that everybody knows.
pub(crate) fn is_credential(name: &str, more: &[String]) -> bool {
    let is_known =
        !PLAIN_NAMES.contains(&name) && CREDENTIALS.iter().any(|part| name.contains(part));
    is_known || more.iter().any(|other| other == name)
}

/// Writes the value of a credential header, without the credential.
pub(crate) fn push_credential(out: &mut String, name: &str, value: &[u8]) {
    let value = value.trim_ascii();
    if name.starts_with("x-hub-signature") {
        let at = value.iter().position(|&byte| byte == b'=');
        let (hash, tag) = value.split_at(at.map_or(0, |at| at + 1));
        let is_tag = matches!(tag.len(), 40 | 64) && tag.iter().all(u8::is_ascii_hexdigit);
        // A secret that stands there by mistake may have a `=` in it, too.
        let is_known = is_tag || hash.to_ascii_lowercase().starts_with(b"sha");
        let is_name = hash.len() <= "sha256=".len() && hash.is_ascii() && is_known;
        let (hash, tag) = if is_name {
            (hash, tag)
        } else {
            (&b""[..], value)
        };
        let hash = String::from_utf8_lossy(hash);
        let tag = if tag.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(tag.to_ascii_lowercase())
        } else {
            Cow::Borrowed(tag)
        };
        return mark(out, &hash, &tag);
    }
    let space = value.iter().position(|&byte| byte == b' ');
    let (scheme, rest) = value.split_at(space.map_or(0, |at| at + 1));
    let scheme = String::from_utf8_lossy(scheme);
    let known = scheme.trim_end().to_ascii_lowercase();
    if !SCHEMES.contains(&known.as_str()) {
        return mark(out, "", value);
    }
    let rest = rest.trim_ascii();
    if known == "basic"
        && let Ok(decoded) = STANDARD.decode(rest)
        && let Some(colon) = decoded.iter().position(|&byte| byte == b':')
    {
        let password = decoded.get(colon + 1..).unwrap_or_default();
        return mark(out, &scheme, password);
    }
    mark(out, &scheme, rest);
}

/// Text of any other kind, without e-mail addresses, tokens, and the query strings of URLs.
pub fn text(text: &str) -> Cow<'_, str> {
    if plain::is_plain(text) {
        return Cow::Borrowed(text);
    }
    rewritten(text)
}

fn rewritten(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut is_changed = false;
    let mut after_scheme = false;
    for (word, after) in words(text) {
        let is_scheme = SCHEMES.contains(&word.to_ascii_lowercase().as_str());
        if after_scheme && !word.is_empty() && !is_scheme {
            out.push_str(GONE);
            is_changed = true;
        } else {
            is_changed |= blot_word(word, &mut out);
        }
        out.push_str(after);
        if !word.is_empty() {
            after_scheme = is_scheme && after == " ";
        }
    }
    if is_changed {
        Cow::Owned(out)
    } else {
        Cow::Borrowed(text)
    }
}

/// The words of a text, each with what separates it from the next.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let separates = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '"' | '\'' | '<' | '>' | ',' | ';' | '\\')
    };
    text.split_inclusive(separates).map(move |piece| {
        let word = piece.trim_end_matches(separates);
        (word, piece.get(word.len()..).unwrap_or_default())
    })
}

/// Writes a word as it may be kept; `true` if that is not as it was.
fn blot_word(word: &str, out: &mut String) -> bool {
    let (front, query) = match word.find(['?', '#']) {
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    let mut is_changed = false;
    let mut name = "";
    for piece in front.split_inclusive(is_joint) {
        let part = piece.trim_end_matches(is_joint);
        let is_named = PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) && !part.is_empty();
        if is_named || is_address(part) || is_token(part) {
            out.push_str(GONE);
            is_changed = true;
        } else {
            out.push_str(part);
        }
        let joint = piece.get(part.len()..).unwrap_or_default();
        out.push_str(joint);
        name = if matches!(joint, "=" | ":") { part } else { "" };
    }
    if query.len() > 1 {
        // Writing into memory does not fail.
        let _ = write!(out, "{}{GONE}", query.get(..1).unwrap_or_default());
        return true;
    }
    out.push_str(query);
    is_changed
}

/// Joins parts of a word; an address has none of these in it.
fn is_joint(c: char) -> bool {
    matches!(
        c,
        '/' | '=' | '&' | '(' | ')' | '[' | ']' | '{' | '}' | ':' | '|'
    )
}

fn is_address(part: &str) -> bool {
    let at = part.find('@').map(|at| (at, 1));
    let encoded = || part.find("%40").map(|at| (at, 3));
    at.or_else(encoded).is_some_and(|(at, length)| {
        let after = part.get(at + length..).unwrap_or_default();
        at > 0 && after.contains(|c: char| c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests;
