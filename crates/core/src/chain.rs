//! An error with everything that it came from, on one line: for logs and for people.

use std::error::Error;

/// `error`, and in parentheses what it came from.
pub fn chain(error: &(dyn Error + '_)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} ({cause})");
        source = cause.source();
    }
    text
}
