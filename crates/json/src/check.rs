//! Facts about a whole body.

/// Facts about a whole body: whether it is JSON, and what in it another parser may refuse.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// One JSON value (RFC 8259) in UTF-8, without a byte order mark, nested no deeper than
    /// [`MAX_DEPTH`](crate::MAX_DEPTH). When it is not, the other members say nothing.
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
