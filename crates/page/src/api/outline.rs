//! A body as the rows of a tree, in one pass without recursion: as deep and as large as a body may be, no tree is built.

use super::text::shortened;
use serde::Serialize;

/// Rows of one body.
const MAX_ROWS: usize = 2_000;

/// Levels that have rows.
const MAX_DEPTH: usize = 64;

/// Levels that are followed at all: each takes some memory.
const MAX_OPEN: usize = 100_000;

/// Bytes that are looked at: those of values that are deeper have no rows to stop by.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Characters of a key or a value.
const MAX_CHARACTERS: usize = 300;

/// Bytes of a text that is read for its first characters: an escape is six bytes.
const MAX_TEXT_BYTES: usize = 6 * (MAX_CHARACTERS + 1);

/// Depth, key, kind and value.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Row(u32, Option<String>, &'static str, String);

#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) rows: Vec<Row>,
    pub(super) cut: Option<String>,
}

/// Something that is open: where its row is, how many values it has, and a key that waits for its value.
struct Open {
    is_object: bool,
    row: Option<usize>,
    values: usize,
    key: Option<String>,
}

struct Walk<'t> {
    text: &'t str,
    at: usize,
    open: Vec<Open>,
    outline: Outline,
    is_too_deep: bool,
}

/// The rows of a body; none if it is no object and no array.
pub(super) fn of(bytes: &[u8]) -> Outline {
    let looked_at = bytes.get(..MAX_BYTES).unwrap_or(bytes);
    let text = match std::str::from_utf8(looked_at) {
        Ok(text) => text,
        Err(error) => {
            let valid = looked_at.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    if !text.trim_start().starts_with(['{', '[']) {
        return Outline::default();
    }
    let mut walk = Walk {
        text,
        at: 0,
        open: Vec::new(),
        outline: Outline::default(),
        is_too_deep: false,
    };
    let ended = walk.run();
    let cut = match ended {
        Err(End::Depth) => Some(format!(
            "Values below {MAX_DEPTH} levels are left out, and what follows level {MAX_OPEN}."
        )),
        Ok(()) if walk.is_too_deep => {
            Some(format!("Values below {MAX_DEPTH} levels are left out."))
        }
        Ok(()) => None,
        Err(End::Rows) => Some(format!(
            "These are the first {MAX_ROWS} values. The others are left out."
        )),
        Err(End::Text) if text.len() < bytes.len() => {
            Some(format!("What follows byte {} is left out.", text.len()))
        }
        Err(End::Text) => Some("The body ends before its end: it is no whole JSON.".to_owned()),
        Err(End::Fault(at)) => Some(format!("From byte {at} on it is no JSON.")),
    };
    Outline {
        cut,
        ..walk.outline
    }
}

/// Why a walk ended early.
enum End {
    Rows,
    Depth,
    Text,
    Fault(usize),
}

impl<'t> Walk<'t> {
    fn run(&mut self) -> Result<(), End> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
            self.at += rest.len() - trimmed.len();
            let sign = trimmed.as_bytes().first().ok_or(End::Text)?;
            match sign {
                b'{' | b'[' => {
                    if self.open.len() >= MAX_OPEN {
                        return Err(End::Depth);
                    }
                    let is_object = *sign == b'{';
                    let kind = if is_object { "object" } else { "array" };
                    let row = self.row(kind, String::new())?;
                    self.open.push(Open {
                        is_object,
                        row,
                        values: 0,
                        key: None,
                    });
                    self.at += 1;
                }
                b'}' | b']' => {
                    let closed = self.open.pop().ok_or(End::Fault(self.at))?;
                    if closed.is_object != (*sign == b'}') {
                        return Err(End::Fault(self.at));
                    }
                    if let Some(row) = closed.row
                        && let Some(Row(.., value)) = self.outline.rows.get_mut(row)
                    {
                        *value = closed.values.to_string();
                    }
                    self.at += 1;
                    if self.open.is_empty() {
                        return Ok(());
                    }
                }
                b'"' => self.text()?,
                _ => self.scalar()?,
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A row for the value that begins here; `None` where it is too deep for one.
    fn row(&mut self, kind: &'static str, value: String) -> Result<Option<usize>, End> {
        let depth = self.open.len();
        let key = match self.open.last_mut() {
            None => None,
            Some(open) => {
                open.values += 1;
                if open.is_object {
                    open.key.take()
                } else {
                    Some((open.values - 1).to_string())
                }
            }
        };
        if depth >= MAX_DEPTH {
            self.is_too_deep = true;
            return Ok(None);
        }
        if self.outline.rows.len() >= MAX_ROWS {
            return Err(End::Rows);
        }
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        self.outline.rows.push(Row(depth, key, kind, value));
        Ok(Some(self.outline.rows.len() - 1))
    }

    /// A key, or a value that is a text.
    fn text(&mut self) -> Result<(), End> {
        let quoted = self.rest().get(1..).unwrap_or_default();
        let mut is_escaped = false;
        let end = quoted.bytes().position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        let end = end.ok_or(End::Text)?;
        let read = read(quoted.get(..end).unwrap_or_default());
        self.at += end + 2;
        let open = self.open.last_mut();
        let waits = open.filter(|open| open.is_object && open.key.is_none());
        if let Some(open) = waits {
            open.key = Some(read);
            return Ok(());
        }
        self.row("text", read).map(drop)
    }

    fn scalar(&mut self) -> Result<(), End> {
        let rest = self.rest();
        let is_end = |sign: char| {
            matches!(sign, ',' | ':' | ']' | '}' | '[' | '{' | '"') || sign.is_ascii_whitespace()
        };
        let end = rest.find(is_end).ok_or(End::Text)?;
        let written = rest.get(..end).unwrap_or_default();
        let kind = match written {
            "true" | "false" => "boolean",
            "null" => "null",
            _ if written.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()) => "number",
            _ => return Err(End::Fault(self.at)),
        };
        // As it is written: a number keeps its digits.
        let value = shortened(written, MAX_CHARACTERS);
        self.at += end;
        self.row(kind, value).map(drop)
    }
}

/// The text between two quotes, its escapes read; as it is written where they cannot be.
fn read(quoted: &str) -> String {
    let mut end = quoted.len().min(MAX_TEXT_BYTES);
    while !quoted.is_char_boundary(end) {
        end -= 1;
    }
    let part = quoted.get(..end).unwrap_or_default();
    let text = serde_json::from_str::<String>(&format!("\"{part}\""));
    let mut text = shortened(text.as_deref().unwrap_or(part), MAX_CHARACTERS);
    if end < quoted.len() && !text.ends_with('…') {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, Option<String>, &'static str, String)> {
        let rows = of(text.as_bytes()).rows.into_iter();
        rows.map(|Row(depth, key, kind, value)| (depth, key, kind, value))
            .collect()
    }

    #[test]
    fn every_value_has_a_row() {
        let text = r#" {"a": [1.50, "x\n\"", null], "a": {"b": true}, "\ud83d": -0} "#;
        let row = |depth, key: &str, kind, value: &str| {
            let key = (!key.is_empty()).then(|| key.to_owned());
            (depth, key, kind, value.to_owned())
        };
        assert_eq!(
            rows(text),
            [
                row(0, "", "object", "3"),
                row(1, "a", "array", "3"),
                row(2, "0", "number", "1.50"),
                row(2, "1", "text", "x\n\""),
                row(2, "2", "null", "null"),
                row(1, "a", "object", "1"),
                row(2, "b", "boolean", "true"),
                row(1, "\\ud83d", "number", "-0"),
            ]
        );
        assert_eq!(of(text.as_bytes()).cut, None);
    }

    #[test]
    fn depth_and_size_are_bounded_and_said() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let outline = of(deep.as_bytes());
        assert_eq!(outline.rows.len(), MAX_DEPTH);
        assert!(outline.cut.unwrap().contains("64 levels"));
        let wide = format!("[{}0]", "0,".repeat(1_000_000));
        let outline = of(wide.as_bytes());
        assert_eq!(outline.rows.len(), MAX_ROWS);
        assert!(outline.cut.unwrap().contains("first 2000"));
        let long = format!("[\"{}\"]", "é".repeat(5_000_000));
        let outline = of(long.as_bytes());
        assert!(outline.cut.unwrap().contains("left out"));
        let text = &rows(&format!("[\"{}\"]", "é".repeat(10_000)))[1].3;
        assert_eq!(text.chars().count(), MAX_CHARACTERS + 1);
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (text, words) in [
            ("[1, nope]", "byte 4"),
            ("[1}", "byte 2"),
            ("[1, \"a", "no whole JSON"),
            ("{\"a\": 1", "no whole JSON"),
            ("[NaN]", "byte 1"),
        ] {
            let cut = of(text.as_bytes()).cut.unwrap();
            assert!(cut.contains(words), "{text}: {cut}");
        }
        for text in ["", "hello", "1", "\"a\""] {
            assert!(of(text.as_bytes()).rows.is_empty(), "{text}");
        }
    }
}
