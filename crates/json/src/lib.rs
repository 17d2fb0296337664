//! Is a body one JSON value, what in it may another parser refuse, and what do a few of its members say? All of
//! it in one pass over pieces of any size, with memory that does not grow with the body.
//!
//! [`Scanner`] decides exactly what RFC 8259 calls JSON, in UTF-8 and without a byte order mark. It never
//! recurses, builds no tree, and never panics on what it is given. A [`Visitor`] is told of keys and scalars, but
//! only in the containers that it asked to watch; everything else is checked and skipped at full speed. [`Check`]
//! says what the whole body turned out to be.
//!
//! # Why not `serde_json`?
//!
//! `serde_json` needs the whole body in one piece, and stops at 128 levels. It says what the value is and not
//! what other parsers will make of it: half of a surrogate pair, a number beyond a double, a raw line separator.
//! The two call the same bytes JSON: `tests/differential.rs` holds them against
//! each other, in every way of splitting.
//!
//! # Guarantees
//!
//! - However a body is cut into pieces, the result is the same, and so is what a visitor hears.
//! - Memory: a key, string or number that a piece cuts is held up to [`MAX_SCALAR_BYTES`], and one bit for each
//!   open container up to [`MAX_DEPTH`].
//! - Nothing that a visitor hears counts before [`Check::is_json`] is true: the end of a body may be missing.

mod check;
mod number;
mod scanner;
mod split_token;
mod stack;
mod string;
mod surrogate;
mod text;
mod utf8;
mod visitor;
mod walk;

pub use check::Check;
pub use scanner::Scanner;
pub use split_token::MAX_SCALAR_BYTES;
pub use stack::MAX_DEPTH;
pub use text::Text;
pub use visitor::{Container, Interest, Scalar, Visitor};

/// Checks a body in one piece.
///
/// ```
/// let check = labelrelay_json::check(br#"{"action": "PROJECT_DELETED"}"#);
/// assert!(check.is_json && check.depth == 1);
/// assert!(!labelrelay_json::check(b"\xef\xbb\xbf{}").is_json);
/// ```
pub fn check(body: &[u8]) -> Check {
    let mut scanner = Scanner::new(());
    scanner.update(body);
    scanner.finish().0
}
