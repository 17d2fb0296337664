//! Text as a person may see it: nothing that a terminal obeys, that shows nothing, or that makes other characters
//! show up where they are not.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

/// Tells whether a character is seen as what it is.
///
/// For the standard library neither controls, format characters (bidi among them), separators but the space,
/// unassigned nor private characters are: how the last two look is for the reader's font to say. Characters that
/// are letters or marks by their category, but drawn as nothing, are added here.
pub(super) fn is_shown(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    if matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
    {
        return false;
    }
    // Behind a letter: a mark that stands alone would be escaped.
    let mut text = [b'a', 0, 0, 0, 0];
    let bytes = match text.get_mut(1..) {
        Some(room) => c.encode_utf8(room).len(),
        None => 0,
    };
    let text = text
        .get(..=bytes)
        .and_then(|text| std::str::from_utf8(text).ok());
    text.is_some_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// Text from elsewhere that has to stay within its line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Text that may have several lines.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let stays = |c: char| is_shown(c) || stays(c);
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if stays(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// Bytes that may be text of several lines; what is none is shown byte by byte.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&lines(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing into memory does not fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Makes each write one printable line: for lines that are written at once, as those of a log are.
pub(crate) struct PrintableLines<W>(pub(crate) W);

impl<W: Write> Write for PrintableLines<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let (text, end) = match line.strip_suffix(b"\n") {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        let text = String::from_utf8_lossy(text);
        // At once: another thread's line must not come between.
        self.0
            .write_all(format!("{}{end}", one_line(&text)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of every character there is, one that stays is none of those that a terminal obeys.
    #[test]
    fn whatever_stays_is_seen() {
        for c in ('\0'..=char::MAX).filter(|c| is_shown(*c)) {
            let number = u32::from(c);
            assert!(!c.is_control(), "{number:x}");
            assert!(c == ' ' || !c.is_whitespace(), "{number:x}");
            let is_format = matches!(number,
                0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e
                | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
                | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
                | 0xe0001..=0xe0fff);
            let is_private = matches!(number, 0xe000..=0xf8ff | 0xf_0000..);
            assert!(!is_format && !is_private, "{number:x}");
        }
    }

    #[test]
    fn people_s_writing_stays() {
        for text in [
            "a \"b\" \\ 'c'",
            "é ñ e\u{301}",
            "漢字 かな",
            "नमस्ते",
            "שלום سلام",
            "😀 ❤ →",
            "",
        ] {
            assert!(
                matches!(one_line(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn escaped_text_can_be_read() {
        assert_eq!(
            one_line("a\u{1b}[31m\nb\t\u{202e}"),
            "a\\u{1b}[31m\\nb\\t\\u{202e}"
        );
        assert_eq!(lines("a\r\nb\u{9b}"), "a\\r\nb\\u{9b}");
        assert_eq!(bytes(b"a\xff\n\x7f\xc3\xa9"), "a\\xff\n\\u{7f}é");
    }

    #[test]
    fn a_line_of_a_log_is_one_line() {
        let mut out = Vec::new();
        PrintableLines(&mut out)
            .write_all(b"INFO a\nWARN \x1b[31m\xff\n")
            .unwrap();
        assert_eq!(out, "INFO a\\nWARN \\u{1b}[31m\u{fffd}\n".as_bytes());
    }
}
