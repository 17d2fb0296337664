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

/// An error and its causes on one line: the outermost of a failed connection says least.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    quoted(&labelrelay_core::chain(error))
}
