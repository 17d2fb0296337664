//! From the text in which an event carries a body to the bytes that were sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Why the text of a body is not one. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The platform says base64, and it is none.
    #[error("the event says that it is base64, but it is not")]
    Base64,
    /// The body is not text.
    #[error("the event's body is not a string")]
    NotText,
}

/// The bytes of a body that stands in the event as `raw`, a JSON value.
pub(super) fn decode(raw: &str, is_base64: bool) -> Result<Vec<u8>, Undecodable> {
    let inside = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or(Undecodable::NotText)?;
    if !is_base64 {
        return unescape(inside.as_bytes()).ok_or(Undecodable::NotText);
    }
    // Some write the `/` of base64 as `\/`.
    let text = if inside.contains('\\') {
        Cow::Owned(unescape(inside.as_bytes()).ok_or(Undecodable::NotText)?)
    } else {
        Cow::Borrowed(inside.as_bytes())
    };
    // Strict: padded, and without bits that mean nothing.
    STANDARD.decode(text).map_err(|_| Undecodable::Base64)
}

/// Text between the quotes of a JSON string, as bytes; `None` when an escape is none. A surrogate
/// without its other half becomes the three bytes that encode it: what was signed decides, not we.
fn unescape(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(rest.len());
    while let Some(at) = next_escape(rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let (kind, after) = escape.get(1..)?.split_first()?;
        rest = after;
        out.push(match kind {
            b'"' | b'\\' | b'/' => *kind,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => {
                rest = unicode(rest, &mut out)?;
                continue;
            }
            _ => return None,
        });
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// How many bytes are looked at one by one before whole registers of them are.
const NEAR: usize = 16;

/// Where the next escape begins. A body of short members has one every few bytes, where a call of `memchr` costs more
/// than it saves; the outline of a mask has none for megabytes.
fn next_escape(text: &[u8]) -> Option<usize> {
    let (near, far) = text.split_at(text.len().min(NEAR));
    let at = near.iter().position(|byte| *byte == b'\\');
    at.or_else(|| memchr::memchr(b'\\', far).map(|at| near.len() + at))
}

/// The character of `\uXXXX`, and of a second one when both are halves of one.
fn unicode<'a>(digits: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (unit, rest) = code_unit(digits)?;
    if (0xD800..0xDC00).contains(&unit)
        && let Some((low, after)) = rest.strip_prefix(br"\u").and_then(code_unit)
        && (0xDC00..0xE000).contains(&low)
    {
        push(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
        return Some(after);
    }
    push(unit, out);
    Some(rest)
}

fn code_unit(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = digits.split_at_checked(4)?;
    let mut unit = 0;
    for digit in four {
        unit = unit << 4 | char::from(*digit).to_digit(16)?;
    }
    Some((unit, rest))
}

fn push(code_point: u32, out: &mut Vec<u8>) {
    if let Some(character) = char::from_u32(code_point) {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        // Only surrogates are no characters here: always three bytes.
        let [_, _, high, low] = code_point.to_be_bytes();
        out.extend([
            0xE0 | high >> 4,
            0x80 | (high & 0x0F) << 2 | low >> 6,
            0x80 | (low & 0x3F),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_the_bytes_that_it_stands_for() {
        let cases: [(&str, &[u8]); 11] = [
            (r#""""#, b""),
            (r#""plain""#, b"plain"),
            (r#""{\"a\":\"\\n\"}""#, br#"{"a":"\n"}"#),
            (r#""\b\f\n\r\t\/\\\"""#, b"\x08\x0c\n\r\t/\\\""),
            (r#""\u00e9é""#, "éé".as_bytes()),
            (r#""\ud83d\ude00""#, "😀".as_bytes()),
            (r#""\uD83D""#, b"\xED\xA0\xBD"),
            (r#""\ude00\ud83d""#, b"\xED\xB8\x80\xED\xA0\xBD"),
            (r#""\ud83d\n""#, b"\xED\xA0\xBD\n"),
            (r#""\ud83d\u0041""#, b"\xED\xA0\xBDA"),
            (r#""\u0000\uffff""#, b"\0\xEF\xBF\xBF"),
        ];
        for (raw, bytes) in cases {
            assert_eq!(decode(raw, false).as_deref(), Ok(bytes), "{raw}");
        }
        for raw in ["{}", "1", "null", r#""\x""#, r#""\u12""#, r#"""#] {
            assert_eq!(decode(raw, false), Err(Undecodable::NotText), "{raw}");
        }
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(decode(r#""e30=""#, true).as_deref(), Ok(&b"{}"[..]));
        assert_eq!(
            decode(r#""\/\/8=""#, true).as_deref(),
            Ok(&[0xFF, 0xFF][..])
        );
        assert_eq!(decode(r#""""#, true).as_deref(), Ok(&[][..]));
        for raw in [
            "e30", "e3 0=", "e30=\\n", "e31=", "e30==", "-_8=", "{}", "é",
        ] {
            let raw = format!("\"{raw}\"");
            assert_eq!(decode(&raw, true), Err(Undecodable::Base64), "{raw}");
        }
        assert_eq!(decode("{}", true), Err(Undecodable::NotText));
    }

    /// However far apart escapes are, and wherever the text ends behind them.
    #[test]
    fn escapes_at_every_distance_are_those_that_serde_json_finds() {
        let escapes = [
            r#"\""#,
            r"\\",
            r"\/",
            r"\b",
            r"\f",
            r"\n",
            r"\r",
            r"\t",
            r"\u00e9",
            r"\u0000",
            r"\ud83d\ude00",
        ];
        let mut read = 0;
        for filling in ["x", "é"] {
            for before in 0..3 * NEAR {
                for between in 0..3 * NEAR {
                    let (first, second) = (escapes[before % 11], escapes[between % 11]);
                    let (before, between) = (filling.repeat(before), filling.repeat(between));
                    for after in [
                        "",
                        "y",
                        "a tail that is longer than what is near, and than a register",
                    ] {
                        let raw = format!("\"{before}{first}{between}{second}{after}\"");
                        let theirs: String = serde_json::from_str(&raw).unwrap();
                        assert_eq!(
                            decode(&raw, false).as_deref(),
                            Ok(theirs.as_bytes()),
                            "{raw}"
                        );
                        read += 1;
                    }
                    // The text may end within an escape.
                    let raw = format!("\"{before}{first}{between}\\\"");
                    assert_eq!(decode(&raw, false), Err(Undecodable::NotText), "{raw}");
                }
            }
        }
        assert_eq!(read, 2 * 48 * 48 * 3);
    }

    /// `serde_json` is right about whatever it takes.
    #[test]
    fn every_fixture_comes_back_as_it_went_in() {
        let mut read = 0;
        for name in ["labelbox", "label_studio", "edge"] {
            for path in labelrelay_tests::fixture::files(
                &labelrelay_tests::fixture::folder().join(name),
                if name == "label_studio" {
                    "http"
                } else {
                    "json"
                },
            ) {
                let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else {
                    continue;
                };
                let raw = serde_json::to_string(&text).unwrap();
                assert_eq!(
                    decode(&raw, false).unwrap(),
                    text.as_bytes(),
                    "{}",
                    path.display()
                );
                let raw = serde_json::to_string(&STANDARD.encode(&text)).unwrap();
                assert_eq!(
                    decode(&raw, true).unwrap(),
                    text.as_bytes(),
                    "{}",
                    path.display()
                );
                read += 1;
            }
        }
        assert!(read > 100, "{read} fixtures");
    }
}
