//! Results go to stdout, words for people to stderr. Neither may panic when nobody reads any more.

use labelrelay_http::log::LogWriter;
use std::fmt::Arguments;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

/// What writes to stderr once `serve` runs: words for people stand in order with its log then, and wait for
/// nobody either.
static LOG: OnceLock<LogWriter> = OnceLock::new();

/// How long the last words wait for somebody who reads slowly.
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
    if let Some(log) = LOG.get() {
        return log.line(format!("{words}\n").as_bytes());
    }
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
