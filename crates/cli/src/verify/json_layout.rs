//! JSON in other layouts: the same values in the same order, numbers spelled as they were.
//!
//! This works on text, never on parsed values: a parser would change numbers, and then no layout
//! would ever match.

use serde_json::value::RawValue;
use std::fmt::{self, Write as _};

/// Layout that an encoder gives JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    spacing: Spacing,
    escapes: Escapes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Compact,
    Python,
    Indented(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    AsTheyAre,
    /// Everything beyond ASCII as `\uXXXX`: Python's `ensure_ascii`.
    Ascii,
    /// Characters themselves.
    Characters,
}

impl Style {
    pub(super) const ALL: [Self; 12] = {
        let mut all = [Self {
            spacing: Spacing::Compact,
            escapes: Escapes::AsTheyAre,
        }; 12];
        let spacings = [
            Spacing::Compact,
            Spacing::Python,
            Spacing::Indented(2),
            Spacing::Indented(4),
        ];
        let escapes = [Escapes::AsTheyAre, Escapes::Ascii, Escapes::Characters];
        let mut index = 0;
        while index < 12 {
            #[expect(
                clippy::indexing_slicing,
                reason = "evaluated by the compiler, which refuses what is out of range"
            )]
            {
                all[index] = Self {
                    spacing: spacings[index % 4],
                    escapes: escapes[index / 4],
                };
            }
            index += 1;
        }
        all
    };
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spacing {
            Spacing::Compact => f.write_str("compact JSON")?,
            Spacing::Python => {
                f.write_str("JSON with spaces after `,` and `:` (Python's json.dumps)")?;
            }
            Spacing::Indented(by) => write!(f, "JSON indented by {by}")?,
        }
        match self.escapes {
            Escapes::AsTheyAre => Ok(()),
            Escapes::Ascii => f.write_str(", characters beyond ASCII escaped as \\uXXXX"),
            Escapes::Characters => f.write_str(", characters beyond ASCII not escaped"),
        }
    }
}

/// `json` in another layout; `None` when it is not JSON.
pub(super) fn relaid(json: &[u8], style: Style) -> Option<Vec<u8>> {
    let raw: &RawValue = serde_json::from_slice(json).ok()?;
    let mut out = Writer {
        style,
        out: String::with_capacity(json.len() * 2),
        depth: 0,
    };
    let mut rest = raw.get();
    while let Some(c) = rest.chars().next() {
        let token = match c {
            '"' => string_end(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            c if c.is_ascii_whitespace() => {
                rest = rest.get(1..)?;
                continue;
            }
            _ => rest
                .find([',', '}', ']', ' ', '\t', '\r', '\n'])
                .unwrap_or(rest.len()),
        };
        let (text, after) = rest.split_at_checked(token)?;
        out.token(text, after);
        rest = after;
    }
    Some(out.out.into_bytes())
}

/// Length of the string that `text` begins with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

struct Writer {
    style: Style,
    out: String,
    depth: usize,
}

impl Writer {
    fn token(&mut self, token: &str, after: &str) {
        let indented = matches!(self.style.spacing, Spacing::Indented(_));
        match token {
            "{" | "[" => {
                self.out.push_str(token);
                self.depth += 1;
                if !after.trim_ascii_start().starts_with(['}', ']']) {
                    self.line();
                }
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                if !self.out.ends_with(['{', '[']) {
                    self.line();
                }
                self.out.push_str(token);
            }
            "," => {
                self.out.push(',');
                self.line();
                if self.style.spacing == Spacing::Python {
                    self.out.push(' ');
                }
            }
            ":" => self
                .out
                .push_str(if indented || self.style.spacing == Spacing::Python {
                    ": "
                } else {
                    ":"
                }),
            _ if token.starts_with('"') => match self.style.escapes {
                Escapes::AsTheyAre => self.out.push_str(token),
                Escapes::Ascii => escape(token, &mut self.out),
                Escapes::Characters => unescape(token, &mut self.out),
            },
            _ => self.out.push_str(token),
        }
    }

    fn line(&mut self) {
        if let Spacing::Indented(by) = self.style.spacing {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', by * self.depth));
        }
    }
}

fn escape(token: &str, out: &mut String) {
    for c in token.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into memory does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// Replaces `\uXXXX` beyond ASCII by the character, and `\/` by `/`. Half a surrogate pair stays.
fn unescape(token: &str, out: &mut String) {
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (character, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => (
                char::decode_utf16([high, low]).next().and_then(Result::ok),
                12,
            ),
            (Some(unit @ 0x80..), _) => (char::from_u32(u32::from(unit)), 6),
            _ => (escape.starts_with("\\/").then_some('/'), 2),
        };
        let length = length.min(escape.len());
        match character {
            Some(c) => out.push(c),
            None => out.push_str(escape.get(..length).unwrap_or_default()),
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The code unit of the `\uXXXX` that `text` begins with.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(json: &str) -> Vec<String> {
        Style::ALL
            .iter()
            .map(|&style| String::from_utf8(relaid(json.as_bytes(), style).unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn layouts_of_one_value() {
        let forms = all(
            "{\"a\" :[1.0,\t-2e5 , {}, []],\"b, :\\\"\":\"\\u00e9 \\ud83d\\ude00 \\ud83d \\n \\/\" , \"c\":{\"d\":null}}",
        );
        assert_eq!(
            forms[0],
            "{\"a\":[1.0,-2e5,{},[]],\"b, :\\\"\":\"\\u00e9 \\ud83d\\ude00 \\ud83d \\n \\/\",\"c\":{\"d\":null}}"
        );
        assert_eq!(
            forms[1],
            "{\"a\": [1.0, -2e5, {}, []], \"b, :\\\"\": \"\\u00e9 \\ud83d\\ude00 \\ud83d \\n \\/\", \"c\": {\"d\": null}}"
        );
        assert_eq!(
            forms[10],
            "{\n  \"a\": [\n    1.0,\n    -2e5,\n    {},\n    []\n  ],\n  \"b, :\\\"\": \"é 😀 \\ud83d \\n /\",\n  \"c\": {\n    \"d\": null\n  }\n}"
        );
        assert_eq!(
            all(&forms[8])[4],
            "{\"a\":[1.0,-2e5,{},[]],\"b, :\\\"\":\"\\u00e9 \\ud83d\\ude00 \\ud83d \\n /\",\"c\":{\"d\":null}}"
        );
        assert_eq!(relaid(b"{", Style::ALL[0]), None);
    }

    #[test]
    fn laying_out_anew_changes_no_value() {
        for sample in crate::samples::SAMPLES {
            let original: serde_json::Result<serde_json::Value> =
                serde_json::from_slice(sample.body);
            // Some samples hold what a parser cannot keep.
            let Ok(original) = original else { continue };
            for style in Style::ALL {
                let form = relaid(sample.body, style).unwrap();
                assert_eq!(
                    serde_json::from_slice::<serde_json::Value>(&form).unwrap(),
                    original,
                    "{}: {style}",
                    sample.event
                );
            }
        }
    }
}
