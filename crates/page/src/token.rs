//! The token that lets somebody look.

use std::fmt;
use subtle::ConstantTimeEq as _;

/// Shortest token: 22 letters of base64 are 128 bits, which nobody guesses.
const MIN_LETTERS: usize = 22;

/// Longest token: it has to fit into a URL that people copy.
const MAX_LETTERS: usize = 256;

/// The token that every request but those for static assets has to bring.
#[derive(Clone)]
pub struct PageToken(String);

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidToken;

impl PageToken {
    /// A token of 22 to 256 ASCII letters, digits, `-` and `_`. Make it from 16 random bytes or more.
    ///
    /// # Errors
    /// [`InvalidToken`] when the text is another.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidToken> {
        let text = text.into();
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_long_enough = (MIN_LETTERS..=MAX_LETTERS).contains(&text.len());
        if is_long_enough && text.bytes().all(is_letter) {
            Ok(Self(text))
        } else {
            Err(InvalidToken)
        }
    }

    /// Its text, for the URL and the cookie.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether `said` is this token, in a time that does not depend on how much of it is right.
    pub(crate) fn is(&self, said: &str) -> bool {
        self.0.as_bytes().ct_eq(said.as_bytes()).into()
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken([redacted])")
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the page's token has to be {MIN_LETTERS} to {MAX_LETTERS} letters, digits, `-` and `_`"
        )
    }
}

impl std::error::Error for InvalidToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_fits_into_a_cookie() {
        let long = "a".repeat(MIN_LETTERS);
        assert!(PageToken::new(&*long).is_ok());
        for text in [
            "",
            "short",
            &format!("{long};"),
            &"a".repeat(MAX_LETTERS + 1),
        ] {
            assert_eq!(PageToken::new(text).err(), Some(InvalidToken), "{text}");
        }
        let token = PageToken::new("0123456789abcdefghij-_").unwrap();
        assert!(token.is("0123456789abcdefghij-_"));
        assert!(!token.is("0123456789abcdefghij-"));
        assert!(!token.is(""));
        assert!(!format!("{token:?}").contains("0123"));
    }
}
