//! Forms of JSON values, as they are written.

/// Form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Null,
    True,
    False,
    /// A number without fraction and exponent.
    Integer,
    Fraction,
    /// A string without escapes: its text is what stands between the quotes.
    Text,
    EscapedText,
    Array,
    Object,
}
