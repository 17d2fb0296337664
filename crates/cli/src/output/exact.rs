//! Bytes that somebody asked for exactly. They are, unless a terminal would obey them.

use super::{json, printable, say};
use std::io::{IsTerminal as _, Write as _};

/// Any bytes.
pub(crate) fn print_exactly(bytes: &[u8]) -> std::io::Result<()> {
    shown(bytes, |bytes| printable::bytes(bytes).into_bytes())
}

/// An envelope, which is JSON.
pub(crate) fn print_envelope(bytes: &[u8]) -> std::io::Result<()> {
    shown(bytes, json::for_terminal)
}

fn shown(bytes: &[u8], harmless: impl Fn(&[u8]) -> Vec<u8>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if !out.is_terminal() {
        out.write_all(bytes)?;
        // A last line without a line break stays in the buffer; only a flush tells whether it got out.
        return out.flush();
    }
    let shown = harmless(bytes);
    out.write_all(&shown)?;
    if shown == bytes {
        return out.flush();
    }
    if !shown.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    drop(out);
    say(format_args!(
        "labelrelay: characters that a terminal would obey are shown escaped; for the exact bytes, write them into a file: > FILE"
    ));
    Ok(())
}
