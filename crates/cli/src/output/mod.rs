//! Results go to stdout, words for people to stderr. Neither may panic when nobody reads any more.
//!
//! Others wrote the text that this program reads, and a terminal obeys some of it. So words for people are
//! printable wherever they go, and exact bytes are where they reach a terminal.

mod bar;
mod exact;
mod json;
mod printable;

pub(crate) use bar::Bar;
pub(crate) use exact::{print_envelope, print_exactly};
pub(crate) use json::JsonForTerminal;
pub(crate) use printable::{PrintableLines, one_line};

use labelrelay_startup::log::LogWriter;
use std::fmt::Arguments;
use std::io::{IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

/// Writer to stderr once `serve` runs: words for people stand in order with its log then, and wait for
/// nobody either.
static LOG: OnceLock<LogWriter> = OnceLock::new();

/// Time that the last words wait for somebody who reads slowly.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Lets a thread of its own write to stderr from now on; the same one every time.
pub(crate) fn from_a_thread() -> std::io::Result<LogWriter> {
    if let Some(log) = LOG.get() {
        return Ok(log.clone());
    }
    let log = LogWriter::start(std::io::stderr())?;
    Ok(LOG.get_or_init(|| log).clone())
}

/// Before the program ends: what was said is written, unless nobody reads it.
pub(crate) fn finish() {
    if let Some(log) = LOG.get() {
        log.flush_within(LAST_WORDS);
    }
}

/// Words for a person.
pub(crate) fn say(words: Arguments<'_>) {
    let words = words.to_string();
    let words = printable::lines(&words);
    if let Some(log) = LOG.get() {
        return log.line(format!("{words}\n").as_bytes());
    }
    bar::above(|| {
        // An error has no other place to be reported.
        let _ = writeln!(std::io::stderr().lock(), "{words}");
    });
}

/// A line for a person at a terminal, with colours of our own in it. What comes from elsewhere went through
/// [`one_line`] already.
pub(crate) fn say_coloured(line: &str) {
    if let Some(log) = LOG.get() {
        return log.line(format!("{line}\n").as_bytes());
    }
    // An error has no other place to be reported.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Bytes of a program that was started here, on its way to stderr, as it wrote them.
pub(crate) fn pass_on(bytes: &[u8]) {
    if let Some(log) = LOG.get() {
        return log.line(bytes);
    }
    // It has no other place to be reported.
    let _ = std::io::stderr().lock().write_all(bytes);
}

/// One line of a result, for a person.
pub(crate) fn print(line: Arguments<'_>) -> std::io::Result<()> {
    let line = line.to_string();
    writeln!(std::io::stdout().lock(), "{}", printable::lines(&line))
}

/// One line of a result, as JSON.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> std::io::Result<()> {
    print_json_pieces(&[&serde_json::to_vec(value)?])
}

/// The same, of JSON that is written already.
pub(crate) fn print_json_pieces(pieces: &[&[u8]]) -> std::io::Result<()> {
    let out = std::io::stdout().lock();
    let at_terminal = out.is_terminal();
    let mut line = pieces.concat();
    if at_terminal {
        line = json::for_terminal(&line);
    }
    line.push(b'\n');
    let mut out = out;
    out.write_all(&line)?;
    out.flush()
}
