//! Place and end of a walk over a token.

/// Position within a string when a piece ends in it. "After a half" is after the escape of the first half of
/// a surrogate pair, which the escape of the second half has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Between characters.
    Plain,
    /// Between characters, after a half.
    Half,
    /// After a backslash.
    Escape {
        /// And after a half.
        half: bool,
    },
    /// Within `\uXXXX`.
    Hex {
        /// So many digits are missing.
        missing: u8,
        /// Value of the digits so far.
        unit: u16,
        /// After a half.
        half: bool,
    },
}

/// End of a walk over a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk<T> {
    /// The token is over; what follows stands here.
    Over(usize),
    /// The piece ended first.
    Cut(T),
    /// Not JSON.
    Wrong,
}
