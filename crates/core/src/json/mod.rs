//! Is a body one JSON value, may it be embedded, and what do the few members say that the envelope
//! needs? All of it in one pass over pieces of any size, with memory that does not grow with the body.
//!
//! [`Scanner`] decides exactly what RFC 8259 calls JSON, in UTF-8 and without a byte order mark.
//! It never recurses and builds no tree. An [`Observer`] is told of keys and scalars, but only in the
//! containers that it asked to watch; everything else is checked and skipped at full speed.

mod number;
mod scanner;
mod stack;
mod string;
mod surrogate;
mod text;
mod token;
mod utf8;

#[cfg(test)]
mod tests;

pub use scanner::Scanner;
pub use stack::MAX_DEPTH;
pub use text::Text;
pub use token::MAX_SCALAR_BYTES;

/// What a whole body turned out to be.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// One JSON value (RFC 8259) in UTF-8, without a byte order mark, nested no deeper than
    /// [`MAX_DEPTH`]. When it is not, the other members say nothing.
    pub is_json: bool,
    /// Whitespace stands before or after the value.
    pub has_outer_whitespace: bool,
    /// Deepest nesting of arrays and objects.
    pub depth: u32,
    /// The same, with each object counted twice: parsers that keep a stack of their own put an object and
    /// then its key on it.
    pub weight: u32,
    /// A raw U+FFFE or U+FFFF stands in it: legal in JSON, refused by SQS.
    pub has_noncharacters: bool,
    /// A raw line feed or carriage return stands in it.
    pub has_line_breaks: bool,
    /// A raw U+0085, U+2028 or U+2029 stands in it: legal within a JSON string, and the end of a line to
    /// some programs that read line by line.
    pub has_line_separators: bool,
    /// A string or a key has the escape of half a surrogate pair, without the other half.
    pub has_lone_surrogates: bool,
    /// A number in it is 10^308 or more, has an exponent below that of the smallest double, or takes more
    /// than 308 bytes: some parsers refuse it, others read infinity.
    pub has_immodest_numbers: bool,
}

/// What a scanner finds on its way, outermost first. Depth counts containers: the members of the
/// outermost object are at depth 1, a value that is the whole document is at depth 0.
///
/// What it hears is checked only as far as it was read: whoever uses it waits for
/// [`Check::is_json`]. Keys may repeat; the last one wins, so a key forgets what an equal one before
/// it has brought.
pub trait Observer {
    /// A key of the object at `depth`; its value follows.
    fn key(&mut self, depth: u32, key: Text<'_>);

    /// A scalar in the container at `depth`.
    fn scalar(&mut self, depth: u32, scalar: Scalar<'_>);

    /// A container that is itself at `depth`, and whose members are at `depth` + 1, begins. What it
    /// answers decides whether it hears of anything in it, its end included.
    fn open(&mut self, depth: u32, container: Container) -> Interest;

    /// A container that it asked to watch, and that is itself at `depth`, ends.
    fn close(&mut self, depth: u32);
}

/// A value that holds no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A string.
    String(Text<'a>),
    /// A number, in the digits in which it was written; `None` beyond [`MAX_SCALAR_BYTES`].
    Number(Option<&'a str>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// A value that holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Members with keys.
    Object,
    /// Members without keys.
    Array,
}

/// Whether an observer wants to hear of what is in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// It does.
    Watch,
    /// It does not: the container is checked and skipped.
    Skip,
}

/// Watches nothing: for those who need the check alone.
impl Observer for () {
    fn key(&mut self, _depth: u32, _key: Text<'_>) {}

    fn scalar(&mut self, _depth: u32, _scalar: Scalar<'_>) {}

    fn open(&mut self, _depth: u32, _container: Container) -> Interest {
        Interest::Skip
    }

    fn close(&mut self, _depth: u32) {}
}

/// Checks a body that lies in one piece.
///
/// ```
/// let check = labelrelay_core::json::check(br#"{"action": "PROJECT_DELETED"}"#);
/// assert!(check.is_json && check.depth == 1);
/// assert!(!labelrelay_core::json::check(b"\xef\xbb\xbf{}").is_json);
/// ```
pub fn check(body: &[u8]) -> Check {
    let mut scanner = Scanner::new(());
    scanner.update(body);
    scanner.finish().0
}
