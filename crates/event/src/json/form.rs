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

impl Form {
    /// Its number, from 0 to 15.
    #[inline]
    pub(super) fn number(self) -> u64 {
        self as u64
    }

    /// The form whose number is in the lowest four bits.
    #[inline]
    pub(super) fn numbered(bits: u64) -> Self {
        match bits & 15 {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Integer,
            4 => Self::Fraction,
            5 => Self::Text,
            6 => Self::EscapedText,
            7 => Self::Array,
            8 => Self::Object,
            _ => Self::Null,
        }
    }
}
