//! Results go to stdout, words for people to stderr. Neither may panic when nobody reads any more.

use std::fmt::Arguments;
use std::io::Write as _;

/// Words for a person.
pub(crate) fn say(words: Arguments<'_>) {
    // Nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}

/// One line of a result.
pub(crate) fn print(line: Arguments<'_>) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// One line of a result, as JSON.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
