//! Data of an event that lies in a directory of this machine.

use labelrelay_event::Envelope;
use std::path::Path;

/// Checks that the file of a claim check is there, as far as it is one of this machine.
pub(crate) fn has_its_data(envelope: &Envelope<'_>) -> Result<(), String> {
    let file = envelope.attributes.dataref.as_deref();
    match file.and_then(|uri| uri.strip_prefix("file://")) {
        Some(path) if !exists(path) => Err(format!("its data is gone: file://{path} is not there")),
        _ => Ok(()),
    }
}

/// Tells whether the file of a claim check is there; one whose name is written in another way counts as there.
fn exists(path: &str) -> bool {
    path.contains('%') || Path::new(path).exists()
}
