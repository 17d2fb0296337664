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

#[cfg(test)]
mod tests {
    use super::super::document::Words;
    use super::super::tests::fixtures;
    use super::super::{MAX_LEVELS, Parser};
    use super::container;

    /// What each way makes of the container at `start`: words and where it ends.
    fn both_ways(text: &str, start: usize) -> [Option<(Words, usize)>; 2] {
        let mut words = Words(Vec::new());
        let end = container(text, start, &mut words, MAX_LEVELS);
        let quick = end.map(|end| (words, end));
        let mut words = Words(Vec::new());
        let mut parser = Parser::at(text, start);
        let slow = parser.value(&mut words, MAX_LEVELS);
        [quick, slow.ok().map(|()| (words, parser.place()))]
    }

    #[test]
    fn the_quick_way_knows_all_that_a_platform_sends() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/changes/bodies"
        );
        let sent = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            path.is_file()
                .then(|| (name, std::fs::read(path).unwrap(), true))
        });
        let mut known = 0;
        for (name, bytes, is_sent) in sent.chain(
            fixtures()
                .into_iter()
                .map(|(name, bytes, _)| (name, bytes, false)),
        ) {
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let start = text.len() - text.trim_start().len();
            if !text[start..].starts_with(['{', '[']) {
                continue;
            }
            let [quick, slow] = both_ways(&text, start);
            if quick.is_some() || is_sent {
                assert_eq!(quick, slow, "{name}");
                known += 1;
            }
        }
        assert!(known > 30, "{known}");
    }

    #[test]
    fn the_quick_way_never_reads_what_the_parser_reads_otherwise() {
        const PIECES: [&str; 32] = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "\\\\",
            "\\\"",
            "\\u00e9",
            "\\u12",
            "\\ud83d",
            " ",
            "\n",
            "\t",
            "\r",
            "\u{1}",
            "\u{b}",
            "\u{7f}",
            "\u{e9}",
            "\u{1f600}",
            "0",
            "-",
            "1.5",
            "e9",
            "12345678901234567890",
            "true",
            "nul",
            "a",
            "abcdefgh",
            "\0",
        ];
        const SHORT: &str = r#"{"a":[1,-2.5e3,"x\\\"y",true,null,{"":{}},[]],"\u00e9":"a text of more than sixteen bytes"}"#;
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below as u64).unwrap()
        };
        let mut read = [0; 2];
        for round in 0..60_000 {
            let mut text = " ".repeat(random(70)) + SHORT;
            let start = text.len() - SHORT.len();
            for _ in 0..random(4) {
                let at = start + 1 + random(text.len() - start - 1);
                let at = (0..=at)
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap();
                let mut to = at + random(3).min(text.len() - at);
                while !text.is_char_boundary(to) {
                    to += 1;
                }
                text.replace_range(at..to, PIECES[random(PIECES.len())]);
            }
            text.push_str([" ", ",", "}", "]}", "", "\u{1}"][random(6)]);
            let [quick, slow] = both_ways(&text, start);
            read[0] += usize::from(quick.is_some());
            read[1] += usize::from(slow.is_some());
            if quick.is_some() {
                assert_eq!(quick, slow, "{round}: {text:?}");
            }
        }
        // What is left to the parser is what control characters stand near.
        assert!(
            read[0] > 15_000 && read[1] - read[0] < read[1] / 4,
            "{read:?}"
        );
    }
}
