//! An error with everything that it came from, on one line: for logs and for people.

use std::error::Error;

/// `error`, and in parentheses each cause that says more.
pub fn chain(error: &(dyn Error + '_)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text} ({said})");
        }
        source = cause.source();
    }
    text
}
