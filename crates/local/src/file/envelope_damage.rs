//! Damage of an envelope where it lies. `SQLite` knows whether its own pages fit together, not what is written in
//! them.

use labelrelay_event::Envelope;

/// Why these bytes are not what was queued; `None` where they are, as far as the digest in them tells. A body that
/// lies elsewhere is not looked at.
pub fn envelope_damage(envelope: &[u8]) -> Option<String> {
    let decoded = match Envelope::decode(envelope) {
        Ok(decoded) => decoded,
        Err(error) => return Some(format!("it is no envelope any more ({error})")),
    };
    match decoded.data.bytes() {
        Err(error) => Some(error.to_string()),
        Ok(Some(body)) if !decoded.matches_digest(&body) => {
            Some("its data is not what its `datasha256` says".to_owned())
        }
        Ok(_) => None,
    }
}
