//! The error of an identity: whose it is, what is wrong, and how to put it right.

use crate::quoted_text::quoted;
use std::error::Error as StdError;
use std::iter::from_fn;

/// Longer words of somebody else's text are no words.
const LONGEST_WORD: usize = 200;

/// Why an identity gives no credentials. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no credentials from {identity}: {problem}; {cure}")]
pub(crate) struct NoCredentials {
    pub(crate) identity: String,
    pub(crate) problem: String,
    pub(crate) cure: String,
    /// It stays until somebody mends it.
    pub(crate) is_permanent: bool,
}

/// The error of an identity among the causes of `error`.
pub(crate) fn no_credentials<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a NoCredentials> {
    causes(error).find_map(|cause| cause.downcast_ref::<NoCredentials>())
}

/// An error and its causes, the outermost first.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Somebody else's text without what may be a token.
pub(crate) fn without_tokens(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        // Every JSON Web Token begins so.
        if word.contains("eyJ") || word.len() > LONGEST_WORD {
            "[redacted]"
        } else {
            word
        }
    });
    quoted(&words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_repeated() {
        let text = "the token eyJhbGciOiJSUzI1NiJ9.e30.c2ln is not valid";
        assert_eq!(without_tokens(text), "the token [redacted] is not valid");
        let long = format!("no {} here", "x".repeat(LONGEST_WORD + 1));
        assert_eq!(without_tokens(&long), "no [redacted] here");
        let plain = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        assert_eq!(without_tokens(plain), plain);
    }
}
