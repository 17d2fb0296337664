//! Leaves out of what is exported what its readers need not know: who made an annotation, and what of an address may be a
//! signature or a token.

use crate::media::{without_credentials, without_secrets};
use std::borrow::Cow;

/// Part of addresses that is exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addresses {
    /// All but the query, which may be a signature, and but a name and a password before the host. Label Studio's own paths
    /// keep the name of the file in their query.
    #[default]
    WithoutQuery,
    /// All of them, but for a name and a password before the host. The platform's own JSON stays as it is written.
    Whole,
    /// None: no address, and nothing that the platform wrote and that may hold one.
    None,
}

impl Addresses {
    pub(crate) const ALL: [Self; 3] = [Self::WithoutQuery, Self::Whole, Self::None];

    /// The name: `without-query`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::WithoutQuery => "without-query",
            Self::Whole => "whole",
            Self::None => "none",
        }
    }

    /// An address.
    pub(crate) fn one(self, address: &str) -> Option<String> {
        match self {
            Self::WithoutQuery => Some(without_secrets(address)),
            Self::Whole => Some(without_credentials(address)),
            Self::None => None,
        }
    }

    /// JSON that may hold addresses.
    pub(crate) fn in_json(self, json: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::WithoutQuery => Some(json_without_secrets(json)),
            Self::Whole => Some(Cow::Borrowed(json)),
            Self::None => None,
        }
    }

    /// A text that may hold addresses. They are left in it, at least without their secrets: it is about other things.
    pub(crate) fn in_text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Whole => text_with(text, without_credentials),
            Self::WithoutQuery | Self::None => text_without_secrets(text),
        }
    }
}

/// The text, its addresses without what may be a secret.
fn text_without_secrets(text: &str) -> Cow<'_, str> {
    text_with(text, without_secrets)
}

/// The text, with what `bare` leaves of each address in it. A text that is a path counts as an address.
fn text_with(text: &str, bare: fn(&str) -> String) -> Cow<'_, str> {
    if !text.contains(['?', '@']) {
        return Cow::Borrowed(text);
    }
    if text.starts_with('/') && !text.contains(char::is_whitespace) {
        return Cow::Owned(bare(text));
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at);
        // Brackets and commas may stand in a query. So one that stands behind it goes too.
        let end = address
            .find(|it: char| it.is_whitespace() || matches!(it, '"' | '\'' | '`' | '<' | '>'));
        let (address, after) = address.split_at(end.unwrap_or(address.len()));
        whole.push_str(before);
        whole.push_str(&bare(address));
        rest = after;
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// The same of every string in JSON. All else stays as it is written, numbers above all.
fn json_without_secrets(json: &str) -> Cow<'_, str> {
    if !may_hold_secrets(json) {
        return Cow::Borrowed(json);
    }
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('"') {
        let (before, string) = rest.split_at(at);
        let (string, after) = string.split_at(end_of_string(string));
        whole.push_str(before);
        whole.push_str(&string_without_secrets(string));
        rest = after;
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// Tells whether JSON has what begins a query or ends a password, be it escaped. An e-mail address alone is neither, and
/// most JSON has one.
fn may_hold_secrets(json: &str) -> bool {
    let may_end_a_password =
        |part: &str| part.contains('@') && (part.contains("//") || part.contains('\\'));
    json.contains('?')
        || json.contains("\\u003")
        || json.contains("\\u004")
        || (json.contains('@') && json.split('"').any(may_end_a_password))
}

/// Length of the string that the text begins with, its quotes included.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A string of JSON, its quotes included.
fn string_without_secrets(string: &str) -> Cow<'_, str> {
    if !may_hold_secrets(string) {
        return Cow::Borrowed(string);
    }
    match serde_json::from_str::<String>(string) {
        Ok(text) => {
            let redacted = text_without_secrets(&text);
            if redacted == text {
                return Cow::Borrowed(string);
            }
            serde_json::to_string(&*redacted).map_or(Cow::Borrowed("\"\""), Cow::Owned)
        }
        // Half of a surrogate pair, which no text can hold. If it is an address, no more of it is told than this.
        Err(_) if string.contains(":\\/\\/") || string.contains("://") => Cow::Borrowed("\"\""),
        Err(_) => Cow::Borrowed(string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if a signature is left in, or anything else is changed.
    #[test]
    fn queries_go_and_all_else_stays_as_it_is_written() {
        let json = r#"{"image":"https:\/\/h\/7.jpg?X-Sig=a\u0026b=(1),c", "n":1.10e400,"q":"what? this","half":"\ud83d?",
            "html":"<img src=\"https://h/8.jpg?sig=1\"> and s3://b/k?v=2 so?","path":"/data/local-files/?d=cars/7.jpg&t=1",
            "inner":"{\"uri\":\"https://h/m?token=3\"}","esc":"https://h/9\u003fsig=4","no":"https://h/plain",
            "named":"https://user:pass@h/7@2x.jpg","esc2":"https:\/\/user:p\u0040h/7.jpg","mail":"a@b.example",
            "in":"see ftp://me@h/a, or b@c.example","through":"https://proxy/http://u:p@h/7.jpg"}"#;
        let expected = r#"{"image":"https://h/7.jpg", "n":1.10e400,"q":"what? this","half":"\ud83d?",
            "html":"<img src=\"https://h/8.jpg\"> and s3://b/k so?","path":"/data/local-files/?d=cars/7.jpg",
            "inner":"{\"uri\":\"https://h/m\"}","esc":"https://h/9","no":"https://h/plain",
            "named":"https://h/7@2x.jpg","esc2":"https://h/7.jpg","mail":"a@b.example",
            "in":"see ftp://h/a, or b@c.example","through":"https://proxy/http://h/7.jpg"}"#;
        let of = |addresses: Addresses| addresses.in_json(json).map(Cow::into_owned);
        assert_eq!(of(Addresses::WithoutQuery).as_deref(), Some(expected));
        assert_eq!(of(Addresses::Whole).as_deref(), Some(json));
        assert_eq!(of(Addresses::None), None);
        let guarded = "https://user:p@ss@h/7@2x.jpg?sig=1";
        let of = |addresses: Addresses| addresses.one(guarded);
        let kept = "https://h/7@2x.jpg?sig=1";
        assert_eq!(of(Addresses::Whole).as_deref(), Some(kept));
        let text = format!("<Image value=\"{guarded}\"/> a@b.example");
        let kept = format!("<Image value=\"{kept}\"/> a@b.example");
        assert_eq!(Addresses::Whole.in_text(&text), kept);
        let half = Addresses::default().in_json(r#"["https://h/\ud83d?sig=1","?"#);
        assert_eq!(half.as_deref(), Some(r#"["","?"#));
    }
}
