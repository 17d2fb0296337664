//! Text of a server or a library, made fit for our own messages.

/// Longest that a server is quoted.
const QUOTED: usize = 300;

/// A server's text, fit for one line of a log.
pub(crate) fn quoted(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.clone().take(QUOTED).collect();
    if clean.count() > QUOTED {
        short.push('…');
    }
    short
}

/// An error and what it came from, in one line: the outermost of a failed connection says least.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text = format!("{text}: {inner}");
        }
        source = error.source();
    }
    quoted(&text)
}
