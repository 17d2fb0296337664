//! Damage of an envelope where it lies. `SQLite` knows whether its own pages fit together, not what is written in
//! them.

use labelrelay_event::Envelope;

/// Why these bytes are not what was queued; `None` where they are, as far as the digest in them tells. A body that
/// lies elsewhere is not looked at.
pub fn envelope_damage(envelope: &[u8]) -> Option<String> {
    let decoded = match Envelope::decode(envelope) {
        Ok(decoded) => decoded,
        // A newer version may write what this one does not know.
        Err(_) if is_object(envelope) => return None,
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
