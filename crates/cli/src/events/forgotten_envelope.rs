//! An envelope without an author's address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_event::{Data, Digest, Envelope};
use labelrelay_record::Address;

/// The envelope without the address; `None` when it does not stand there. Its digest is that of what is left. What is no
/// envelope stays as it is, but for the address.
pub(super) fn without(envelope: &[u8], address: &Address) -> Option<Vec<u8>> {
    let mut changed = address.taken_out_of(envelope);
    let decoded = Envelope::decode(envelope).ok();
    if let Some(Data::Base64(text)) = decoded.as_ref().map(|decoded| decoded.data)
        && let Ok(body) = STANDARD.decode(text)
        && let Some(body) = address.taken_out_of(&body)
    {
        let line = changed.as_deref().unwrap_or(envelope);
        changed = Some(replaced(
            line,
            text.as_bytes(),
            STANDARD.encode(body).as_bytes(),
        ));
    }
    let changed = changed?;
    let Some(before) = decoded.map(|decoded| decoded.attributes.datasha256) else {
        return Some(changed);
    };
    let after = Envelope::decode(&changed).ok().and_then(|left| {
        let body = left.data.bytes().ok()??;
        Some(Digest::of(&body).to_hex())
    });
    match after {
        Some(after) => Some(replaced(&changed, before.as_bytes(), after.as_bytes())),
        // The data is elsewhere.
        None => Some(changed),
    }
}

/// The bytes with `new` in place of the first `old`.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let found = |window: &[u8]| window == old;
    let at = bytes.windows(old.len().max(1)).position(found);
    let parts = at.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + old.len()..)?)));
    match parts {
        Some((before, behind)) => [before, new, behind].concat(),
        None => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, DataEncoding, EventType, encode};
    use labelrelay_local::envelope_damage;

    fn envelope(body: &[u8], encoding: DataEncoding) -> Vec<u8> {
        let digest = Digest::of(body);
        let event_type = EventType::from_static("a.b");
        let attributes = Attributes::new("1", "/x", &event_type, &digest, "2026-01-01T00:00:00Z");
        encode(&attributes, encoding, body.len(), [body])
    }

    #[test]
    fn the_address_goes_and_the_digest_is_that_of_what_is_left() {
        let address = Address::new("ann@example.org");
        let body = br#"{"by":"Ann@example.org","a":1.0}"#;
        let left = &br#"{"by":"[forgotten]","a":1.0}"#[..];
        for encoding in [DataEncoding::Json, DataEncoding::Base64] {
            let changed = without(&envelope(body, encoding), &address).unwrap();
            assert_eq!(changed, envelope(left, encoding));
            assert_eq!(envelope_damage(&changed), None);
            assert_eq!(without(&changed, &address), None, "it is gone");
        }
        let other = envelope(b"{\"by\":\"joan\"}", DataEncoding::Json);
        assert_eq!(without(&other, &address), None);
    }
}
