//! JSON on its way to a terminal: the same value, written so that no byte of it is obeyed.

use super::printable::is_shown;
use std::fmt::Write as _;
use std::io::Write;

/// The same JSON value. Within strings what is not printable becomes `\u....`; between values, where only white
/// space can stand, it becomes a space. Line breaks between values stay.
pub(super) fn for_terminal(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut after_backslash) = (false, false);
    for c in text.chars() {
        let is_escaped = std::mem::take(&mut after_backslash);
        match c {
            '"' if !is_escaped => in_string = !in_string,
            '\\' if in_string => after_backslash = !is_escaped,
            _ => {}
        }
        if is_shown(c) || c == '\n' && !in_string {
            out.push(c);
        } else if in_string {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into memory does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(' ');
        }
    }
    out.into_bytes()
}

/// Writes JSON to a terminal; each write is whole values.
pub(crate) struct JsonForTerminal<W>(pub(crate) W);

impl<W: Write> Write for JsonForTerminal<W> {
    fn write(&mut self, json: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(&for_terminal(json))?;
        Ok(json.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_stays() {
        for json in [
            "{\"a\\\"\u{9b}\":\"\u{202e}\\\\\u{7f}\", \"b\":[1,\t2,\r\n3]}",
            "\"\u{e0041}\u{10ffff} é 漢 \\ud83d\"",
            "[\"\\\\\", \"\u{85}\"]",
        ] {
            let shown = for_terminal(json.as_bytes());
            let text = std::str::from_utf8(&shown).unwrap();
            assert!(text.chars().all(|c| is_shown(c) || c == '\n'), "{text}");
            let (Ok(before), Ok(after)) = (
                serde_json::from_str::<serde_json::Value>(json),
                serde_json::from_str::<serde_json::Value>(text),
            ) else {
                // A lone surrogate is more than this parser takes, before as after.
                assert!(serde_json::from_str::<serde_json::Value>(json).is_err());
                continue;
            };
            assert_eq!(before, after);
        }
    }

    #[test]
    fn a_line_that_is_no_json_is_harmless_too() {
        let shown = for_terminal(b"\x1b[31m \"\x9b\n\x07\\\x1b");
        let text = std::str::from_utf8(&shown).unwrap();
        assert!(text.chars().all(|c| is_shown(c) || c == '\n'), "{text}");
    }
}
