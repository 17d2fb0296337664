//! One pass over the text of a value, with a stack of its own in place of recursion.

use super::form::Form;
use std::fmt;
use wide::u8x16;

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no JSON: why, and at which byte.
    NotJson(&'static str, usize),
    /// It is nested deeper than so many levels.
    TooDeep(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why, at) => write!(f, "{why} (at byte {at})"),
            Self::TooDeep(most) => write!(f, "it is nested deeper than {most} levels"),
        }
    }
}

/// Takes what the parser finds, in the order of the text.
pub(super) trait Sink {
    /// A container begins. The number that is returned is given to `close`.
    fn open(&mut self, form: Form, start: usize) -> usize;
    /// The container ends before `end`.
    fn close(&mut self, container: usize, end: usize);
    /// A key or a value without parts.
    fn scalar(&mut self, form: Form, start: usize, end: usize);
}

/// Checks, and keeps nothing.
impl Sink for () {
    fn open(&mut self, _: Form, _: usize) -> usize {
        0
    }
    fn close(&mut self, _: usize, _: usize) {}
    fn scalar(&mut self, _: Form, _: usize, _: usize) {}
}

/// Reads a text from left to right.
pub(crate) struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
}

/// A container that has not ended.
pub(super) struct Open {
    pub(super) is_object: bool,
    /// What the sink gave it.
    pub(super) number: usize,
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self::at(text, 0)
    }

    /// From this place on.
    #[inline]
    pub(super) fn at(text: &'t str, at: usize) -> Self {
        let bytes = text.as_bytes();
        Self { bytes, at }
    }

    /// Where it is.
    #[inline]
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Goes on from another place.
    pub(super) fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    #[inline]
    fn next(&self) -> u8 {
        // A zero byte stands nowhere in JSON, so it can stand for the end.
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while matches!(self.next(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Reads `sign` and the white space before it, if it is next.
    #[inline]
    pub(crate) fn take(&mut self, sign: u8) -> bool {
        self.skip_space();
        let is_next = self.next() == sign;
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn fault<T>(&self, why: &'static str) -> Result<T, Fault> {
        Err(Fault::NotJson(why, self.at))
    }

    /// Refuses anything but white space.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return Ok(());
        }
        self.fault("something follows the value")
    }

    /// A key and the colon behind it; where the key begins and ends.
    pub(crate) fn key(&mut self) -> Result<(Form, usize, usize), Fault> {
        self.skip_space();
        let start = self.at;
        if self.next() != b'"' {
            return self.fault("a key is missing");
        }
        let form = self.string()?;
        let end = self.at;
        if self.take(b':') {
            return Ok((form, start, end));
        }
        self.fault("':' is missing")
    }

    /// Checks a value of up to `most` levels, and keeps nothing of it; where it begins and ends.
    pub(crate) fn skip_value(&mut self, most: usize) -> Result<(usize, usize), Fault> {
        self.skip_space();
        let start = self.at;
        self.value(&mut (), most)?;
        Ok((start, self.at))
    }

    /// A value of up to `most` levels.
    pub(super) fn value(&mut self, sink: &mut impl Sink, most: usize) -> Result<(), Fault> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.skip_space();
            let start = self.at;
            let form = match self.next() {
                b'"' => self.string()?,
                b'{' => Form::Object,
                b'[' => Form::Array,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.literal()?,
            };
            if matches!(form, Form::Object | Form::Array) {
                if open.len() == most {
                    return Err(Fault::TooDeep(most));
                }
                self.at += 1;
                let number = sink.open(form, start);
                let is_object = form == Form::Object;
                if !self.take(if is_object { b'}' } else { b']' }) {
                    open.push(Open { is_object, number });
                    if is_object {
                        self.keep_key(sink)?;
                    }
                    continue;
                }
                sink.close(number, self.at);
            } else {
                sink.scalar(form, start, self.at);
            }
            if self.close(&mut open, sink)? {
                return Ok(());
            }
        }
    }

    fn keep_key(&mut self, sink: &mut impl Sink) -> Result<(), Fault> {
        let (form, start, end) = self.key()?;
        sink.scalar(form, start, end);
        Ok(())
    }

    /// Reads what may follow a value: the ends of containers, then a comma. `true` if all containers have ended.
    fn close(&mut self, open: &mut Vec<Open>, sink: &mut impl Sink) -> Result<bool, Fault> {
        while let Some(&Open { is_object, number }) = open.last() {
            self.skip_space();
            let (next, end) = (self.next(), if is_object { b'}' } else { b']' });
            if next != b',' && next != end {
                return self.fault("',' or an end is missing");
            }
            self.at += 1;
            if next == b',' {
                if is_object {
                    self.keep_key(sink)?;
                }
                return Ok(false);
            }
            sink.close(number, self.at);
            open.pop();
        }
        Ok(true)
    }

    #[inline]
    pub(super) fn literal(&mut self) -> Result<Form, Fault> {
        match self.next() {
            b't' => self.word(b"true", Form::True),
            b'f' => self.word(b"false", Form::False),
            b'n' => self.word(b"null", Form::Null),
            _ => self.fault("a value is missing"),
        }
    }

    fn word(&mut self, word: &[u8], form: Form) -> Result<Form, Fault> {
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            return Ok(form);
        }
        self.fault("a value is missing")
    }

    pub(super) fn number(&mut self) -> Result<Form, Fault> {
        self.at += usize::from(self.next() == b'-');
        // Where the next 32 bytes are digits. A coordinate has up to seventeen of them, or a few less: a branch for each sixteen
        // would go the other way every second time.
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((window, _)) = rest.split_first_chunk() else {
            return self.number_by_parts();
        };
        let others = u64::from(others_than_digits(window)) | 1 << 32;
        let whole = others.trailing_zeros() as usize;
        let has_digits = whole > 0 && (whole == 1 || window.first() != Some(&b'0'));
        let (form, end, has_digits) = if window.get(whole) == Some(&b'.') {
            let fraction = (others >> (whole + 1)).trailing_zeros() as usize;
            let end = whole + 1 + fraction;
            (Form::Fraction, end, has_digits && fraction > 0)
        } else {
            (Form::Integer, whole, has_digits)
        };
        match window.get(end) {
            Some(b'e' | b'E') | None => self.number_by_parts(),
            Some(_) if has_digits => {
                self.at += end;
                Ok(form)
            }
            Some(_) => self.number_by_parts(),
        }
    }

    fn number_by_parts(&mut self) -> Result<Form, Fault> {
        if self.next() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut form = Form::Integer;
        if self.next() == b'.' {
            self.at += 1;
            self.digits()?;
            form = Form::Fraction;
        }
        if matches!(self.next(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.next(), b'+' | b'-'));
            self.digits()?;
            form = Form::Fraction;
        }
        Ok(form)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = leading_digits(rest);
        self.at += count;
        if count == 0 {
            return self.fault("a digit is missing");
        }
        Ok(())
    }

    /// Reads a string from its first quote to behind its last one.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Form, Fault> {
        self.at += 1;
        let mut form = Form::Text;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += plain_bytes(rest);
            match self.next() {
                b'"' => {
                    self.at += 1;
                    return Ok(form);
                }
                b'\\' => {
                    form = Form::EscapedText;
                    self.at += 1;
                    self.escape()?;
                }
                _ => return self.fault("a string has no end, or a control character in it"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.next() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.next().is_ascii_hexdigit() {
                        return self.fault("an escape is no character");
                    }
                    self.at += 1;
                }
            }
            _ => return self.fault("an escape is no character"),
        }
        Ok(())
    }
}

/// A bit for each byte that is no digit.
#[inline]
fn others_than_digits(window: &[u8; 32]) -> u32 {
    let (zero, nine) = (u8x16::splat(b'0'), u8x16::splat(9));
    let (lanes, _) = window.as_chunks();
    let marks = |at: usize| {
        let lane = lanes.get(at).copied().unwrap_or_default();
        (u8x16::new(lane) - zero).simd_gt(nine).to_bitmask()
    };
    marks(0) | marks(1) << 16
}

/// Digits at the beginning, of the few numbers that no window settles.
fn leading_digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// Bytes before the first quote, backslash or control character. Sixteen are told at once, since what a byte costs by itself is
/// less than a branch that goes another way than the last time.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    let (quote, backslash) = (u8x16::splat(b'"'), u8x16::splat(b'\\'));
    let control = u8x16::splat(0x1f);
    let (lanes, rest) = bytes.as_chunks();
    let mut at = 0;
    for lane in lanes {
        let lane = u8x16::new(*lane);
        let ends = lane.simd_eq(quote) | lane.simd_eq(backslash) | lane.simd_le(control);
        let marks = ends.to_bitmask();
        if marks != 0 {
            return at + marks.trailing_zeros() as usize;
        }
        at += 16;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    at + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_where_another_byte_stands() {
        for place in 0..20 {
            for byte in 0..=u8::MAX {
                let mut text = *b"12345678901234567890";
                text[place] = byte;
                let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
                assert_eq!(leading_digits(&text), digits.count(), "{byte} at {place}");
            }
        }
    }
}
