//! A text with the places of all values in it.

use super::MAX_LEVELS;
use super::form::Form;
use super::parser::{Fault, Parser, Sink};
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
    pub(crate) fn part(&self, start: usize, end: usize) -> Cow<'a, str> {
        match self {
            Self::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
            Self::Shared(text) => Cow::Owned(text.get(start..end).unwrap_or_default().to_owned()),
        }
    }
}

/// Place of a value in the text, and of what follows it among the nodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Number of the node behind the last part of this one.
    pub(super) after: u32,
    pub(super) form: Form,
}

/// Nodes that there is room for at the beginning, at most. A region of Label Studio has one for each eight bytes, and what is
/// not needed is never touched.
const MOST_AT_ONCE: usize = 1 << 22;

/// One JSON value, read to the end.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(super) source: Source<'a>,
    pub(super) nodes: Vec<Node>,
}

impl<'a> Document<'a> {
    /// Reads the one value that a text is.
    pub(crate) fn read(source: Source<'a>) -> Result<Self, Fault> {
        let mut parser = Parser::new(source.as_str());
        let nodes = Self::nodes(source.as_str(), &mut parser)?;
        parser.end()?;
        Ok(Self { source, nodes })
    }

    /// Reads the next value of a larger text.
    pub(crate) fn part(text: &'a str, parser: &mut Parser<'a>) -> Result<Self, Fault> {
        let nodes = Self::nodes(text, parser)?;
        let source = Source::Borrowed(text);
        Ok(Self { source, nodes })
    }

    fn nodes(text: &str, parser: &mut Parser<'_>) -> Result<Vec<Node>, Fault> {
        // Places are kept in four bytes: half of the memory, for bodies that no queue or store of ours takes.
        if u32::try_from(text.len()).is_err() {
            return Err(Fault::NotJson("it is larger than 4 GiB", 0));
        }
        let mut nodes = Nodes(Vec::with_capacity((text.len() / 8).min(MOST_AT_ONCE)));
        parser.value(&mut nodes, MAX_LEVELS)?;
        Ok(nodes.0)
    }
}

struct Nodes(Vec<Node>);

impl Nodes {
    fn push(&mut self, form: Form, start: usize, end: usize) -> usize {
        let number = self.0.len();
        self.0.push(Node {
            start: place(start),
            end: place(end),
            after: place(number + 1),
            form,
        });
        number
    }
}

/// `read` refuses texts whose places do not fit.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Sink for Nodes {
    fn open(&mut self, form: Form, start: usize) -> usize {
        self.push(form, start, start)
    }

    fn close(&mut self, container: usize, end: usize) {
        let after = place(self.0.len());
        if let Some(node) = self.0.get_mut(container) {
            node.end = place(end);
            node.after = after;
        }
    }

    fn scalar(&mut self, form: Form, start: usize, end: usize) {
        self.push(form, start, end);
    }
}
