//! Damage of an envelope where it lies. `SQLite` knows whether its own pages fit together, not what is written in
//! them.

use labelrelay_event::Envelope;
use std::borrow::Cow;

/// Bytes in a queue file that were an envelope when they were queued.
#[derive(Debug)]
pub enum StoredEnvelope<'a> {
    /// The envelope as it was queued, as far as the digest in it tells; and the body, if it is in there. A body that lies
    /// elsewhere is not looked at.
    Intact(Box<Envelope<'a>>, Option<Cow<'a, [u8]>>),
    /// An envelope of a version that this one cannot read.
    Newer(String),
    /// Something else than was queued: why.
    Damaged(String),
}

impl<'a> StoredEnvelope<'a> {
    /// Reads the bytes of an envelope, once.
    pub fn read(bytes: &'a [u8]) -> Self {
        let envelope = match Envelope::decode(bytes) {
            Ok(envelope) => envelope,
            // A newer version may write what this one does not know.
            Err(error) if is_object(bytes) => return Self::Newer(error.to_string()),
            Err(error) => return Self::Damaged(format!("it is no envelope any more ({error})")),
        };
        match envelope.data.bytes() {
            Err(error) => Self::Damaged(error.to_string()),
            Ok(Some(body)) if !envelope.matches_digest(&body) => {
                Self::Damaged("its data is not what its `datasha256` says".to_owned())
            }
            Ok(body) => Self::Intact(Box::new(envelope), body),
        }
    }
}

/// Why these bytes are not what was queued; `None` where they are, as far as the digest in them tells. A body that
/// lies elsewhere is not looked at.
pub fn envelope_damage(envelope: &[u8]) -> Option<String> {
    match StoredEnvelope::read(envelope) {
        StoredEnvelope::Damaged(reason) => Some(reason),
        StoredEnvelope::Intact(..) | StoredEnvelope::Newer(_) => None,
    }
}

fn is_object(envelope: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct AnyMembers {}
    serde_json::from_slice::<AnyMembers>(envelope).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_of_a_newer_version_is_not_damaged() {
        let newer = br#"{"specversion":"1.0","id":"a","origin":"of a later version","data":1}"#;
        assert!(Envelope::decode(newer).is_err());
        assert_eq!(envelope_damage(newer), None);
        assert!(envelope_damage(b"{\"specversion\":\0").is_some());
    }
}
