//! Who hears of a body's members.

use crate::text::Text;

/// Hears of keys, scalars and containers on a scanner's way, outermost first. Depth counts containers: the
/// members of the outermost object are at depth 1, a value that is the whole document is at depth 0.
///
/// Everything it hears is checked only as far as it was read: wait for
/// [`Check::is_json`](crate::Check::is_json). Keys may repeat; the last one wins, so a key forgets what an equal one before
/// it has brought.
pub trait Visitor {
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
    /// A number, in the digits in which it was written; `None` beyond [`MAX_SCALAR_BYTES`](crate::MAX_SCALAR_BYTES).
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

/// Members of a container that a visitor wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Members are of interest.
    Watch,
    /// Nothing in it is: the container is checked and skipped.
    Skip,
}

/// Watches nothing: for those who need the check alone.
impl Visitor for () {
    fn key(&mut self, _depth: u32, _key: Text<'_>) {}

    fn scalar(&mut self, _depth: u32, _scalar: Scalar<'_>) {}

    fn open(&mut self, _depth: u32, _container: Container) -> Interest {
        Interest::Skip
    }

    fn close(&mut self, _depth: u32) {}
}
