//! One pass over the text of a value, the way that nearly all texts go. Whatever it does not know for sure, [`Parser`]
//! decides, and says what is wrong.

#![expect(clippy::inline_always, reason = "called for each token of a body")]

use super::form::Form;
use super::parser::{Open, Parser, Sink};
use super::tokens::Tokens;

/// Reads the container of up to `most` levels that begins at `start`; where it ends. `None` if there is something that
/// [`Parser`] must look at: what the sink has then is to be thrown away.
pub(super) fn container(
    text: &str,
    start: usize,
    sink: &mut impl Sink,
    most: usize,
) -> Option<usize> {
    let mut reader = Reader {
        text,
        tokens: Tokens::new(text.as_bytes(), start),
    };
    let mut open: Vec<Open> = Vec::new();
    let mut token = reader.tokens.next()?;
    loop {
        let (at, byte) = token;
        match byte {
            b'{' | b'[' => {
                if open.len() == most {
                    return None;
                }
                let is_object = byte == b'{';
                let form = if is_object { Form::Object } else { Form::Array };
                let number = sink.open(form, at);
                let (next, sign) = reader.tokens.next()?;
                if sign == end_of(is_object) {
                    sink.close(number, next + 1);
                    if open.is_empty() {
                        return Some(next + 1);
                    }
                } else {
                    open.push(Open { is_object, number });
                    token = reader.first_of(is_object, (next, sign), sink)?;
                    continue;
                }
            }
            _ => reader.scalar(at, byte, sink)?,
        }
        loop {
            let &Open { is_object, number } = open.last()?;
            let (at, sign) = reader.tokens.next()?;
            if sign == b',' {
                let next = reader.tokens.next()?;
                token = reader.first_of(is_object, next, sink)?;
                break;
            }
            if sign != end_of(is_object) {
                return None;
            }
            sink.close(number, at + 1);
            open.pop();
            if open.is_empty() {
                return Some(at + 1);
            }
        }
    }
}

#[inline(always)]
fn end_of(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

struct Reader<'t> {
    text: &'t str,
    tokens: Tokens<'t>,
}

impl Reader<'_> {
    /// The first token of a value, behind its key if it has one.
    #[inline(always)]
    fn first_of(
        &mut self,
        is_object: bool,
        next: (usize, u8),
        sink: &mut impl Sink,
    ) -> Option<(usize, u8)> {
        if !is_object {
            return Some(next);
        }
        let (at, b'"') = next else {
            return None;
        };
        self.string(at, sink)?;
        let (_, b':') = self.tokens.next()? else {
            return None;
        };
        self.tokens.next()
    }

    #[inline(always)]
    fn scalar(&mut self, at: usize, byte: u8, sink: &mut impl Sink) -> Option<()> {
        if byte == b'"' {
            return self.string(at, sink);
        }
        let mut parser = Parser::at(self.text, at);
        let form = match byte {
            b'-' | b'0'..=b'9' => parser.number(),
            b't' | b'f' | b'n' => parser.literal(),
            _ => return None,
        };
        // A sign that cannot follow is found as the next token. Anything else would be part of this one.
        let end = parser.place();
        let is_end = matches!(
            self.text.as_bytes().get(end),
            Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        );
        let form = form.ok().filter(|_| is_end)?;
        sink.scalar(form, at, end);
        Some(())
    }

    #[inline(always)]
    fn string(&mut self, at: usize, sink: &mut impl Sink) -> Option<()> {
        // Between two quotes there is no other token.
        let (last, _) = self.tokens.next()?;
        let form = if self.tokens.has_backslash_behind(at) {
            let mut parser = Parser::at(self.text, at);
            let form = parser.string().ok()?;
            if parser.place() != last + 1 {
                return None;
            }
            form
        } else {
            Form::Text
        };
        sink.scalar(form, at, last + 1);
        Some(())
    }
}
