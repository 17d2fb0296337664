//! A text with the places of all values in it.

#![expect(clippy::inline_always, reason = "called for each token of a body")]

use super::MAX_LEVELS;
use super::form::Form;
use super::parser::{Fault, Parser, Sink};
use super::quick;
use std::borrow::Cow;
use std::sync::Arc;

/// A text that is borrowed, or shared with everything that was read from it.
#[derive(Debug, Clone)]
pub(crate) enum Source<'a> {
    Borrowed(&'a str),
    Shared(Arc<str>),
}

impl<'a> Source<'a> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }

    /// A part of the text: borrowed if the text is.
    #[inline]
    pub(crate) fn part(&self, start: usize, end: usize) -> Cow<'a, str> {
        match self {
            Self::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
            Self::Shared(text) => Cow::Owned(text.get(start..end).unwrap_or_default().to_owned()),
        }
    }
}

/// Place of a value in the text, and of what follows it among the words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Number of the word behind the last part of this one.
    pub(super) after: u32,
}

/// Bits of a word below its length.
const FORM_BITS: u32 = 4;

/// Bits of a word below its start: the form's, and 28 of the length.
const LOW_BITS: u32 = 32;

/// What stands for the length where a second word has the end and what follows: of a container, and of so long a text or
/// number. In tests even short ones are long, so that both are read.
const LONG: u64 = if cfg!(test) { 8 } else { (1 << 28) - 1 };

/// Words of a container before those of its parts.
pub(super) const CONTAINER: u32 = 2;

/// Words that there is room for at the beginning, at most. A list of ids has one for each four bytes, a region of Label Studio
/// for each seven, and what is not needed is never touched.
const MOST_AT_ONCE: usize = 1 << 23;

/// One JSON value, read to the end.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(super) source: Source<'a>,
    /// Each value in one word or two, a container before its parts: memory is what a large body costs most.
    words: Vec<u64>,
}

impl<'a> Document<'a> {
    /// Reads the one value that a text is.
    pub(crate) fn read(source: Source<'a>) -> Result<Self, Fault> {
        let mut parser = Parser::new(source.as_str());
        let words = Self::words(source.as_str(), &mut parser)?;
        parser.end()?;
        Ok(Self { source, words })
    }

    /// Reads the next value of a larger text.
    pub(crate) fn part(text: &'a str, parser: &mut Parser<'a>) -> Result<Self, Fault> {
        let words = Self::words(text, parser)?;
        let source = Source::Borrowed(text);
        Ok(Self { source, words })
    }

    fn words(text: &str, parser: &mut Parser<'_>) -> Result<Vec<u64>, Fault> {
        // Places are kept in four bytes: half of the memory, for bodies that no queue or store of ours takes. Words are fewer
        // than bytes: two of a container are for three bytes at least, with a comma.
        if u32::try_from(text.len()).is_err() {
            return Err(Fault::NotJson("it is larger than 4 GiB", 0));
        }
        let mut words = Words(Vec::with_capacity((text.len() / 4).min(MOST_AT_ONCE)));
        parser.skip_space();
        if let Some(end) = quick::container(text, parser.place(), &mut words, MAX_LEVELS) {
            parser.go_to(end);
        } else {
            words.0.clear();
            parser.value(&mut words, MAX_LEVELS)?;
        }
        Ok(words.0)
    }

    /// The value whose first word has this number. Where there is none, it is `null`, and nothing is behind it.
    #[inline]
    pub(super) fn node(&self, at: u32) -> Node {
        let at = at as usize;
        let Some(first) = self.words.get(at).copied() else {
            return Node {
                start: 0,
                end: 0,
                after: u32::MAX,
            };
        };
        let start = high(first);
        let length = low(first) >> FORM_BITS;
        if u64::from(length) == LONG {
            let second = self.words.get(at + 1).copied().unwrap_or_default();
            return Node {
                start,
                end: high(second),
                after: low(second),
            };
        }
        Node {
            start,
            end: start.saturating_add(length),
            after: place(at + 1),
        }
    }

    #[inline]
    pub(super) fn form(&self, at: u32) -> Form {
        let word = self.words.get(at as usize);
        word.map_or(Form::Null, |word| Form::numbered(*word))
    }
}

/// Takes words from a parser.
#[derive(Debug, PartialEq)]
pub(super) struct Words(pub(super) Vec<u64>);

/// A first word.
#[inline]
fn word(form: Form, start: usize, length: u64) -> u64 {
    (start as u64) << LOW_BITS | length << FORM_BITS | form.number()
}

/// A second word.
#[inline]
fn pair(end: usize, after: usize) -> u64 {
    u64::from(place(end)) << LOW_BITS | u64::from(place(after))
}

/// `words` refuses texts whose places do not fit.
#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[inline]
fn high(word: u64) -> u32 {
    u32::try_from(word >> LOW_BITS).unwrap_or_default()
}

#[inline]
fn low(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default()
}

impl Sink for Words {
    #[inline(always)]
    fn open(&mut self, form: Form, start: usize) -> usize {
        let number = self.0.len();
        self.0.extend_from_slice(&[word(form, start, LONG), 0]);
        number
    }

    #[inline]
    fn close(&mut self, container: usize, end: usize) {
        let after = self.0.len();
        if let Some(second) = self.0.get_mut(container + 1) {
            *second = pair(end, after);
        }
    }

    #[inline(always)]
    fn scalar(&mut self, form: Form, start: usize, end: usize) {
        let length = end.saturating_sub(start) as u64;
        if length < LONG {
            return self.0.push(word(form, start, length));
        }
        let container = self.open(form, start);
        self.close(container, end);
    }
}
