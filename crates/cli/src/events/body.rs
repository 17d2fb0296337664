//! The sender's bytes of an event: out of the envelope, or from the file that the envelope refers to.

use crate::error::CliError;
use labelrelay_event::Envelope;
use labelrelay_local::file_of;
use std::borrow::Cow;

/// The bytes, checked against the envelope's digest. `None` when only a cloud's tools reach them.
pub(super) fn read<'a>(envelope: &Envelope<'a>) -> Result<Option<Cow<'a, [u8]>>, CliError> {
    let body = if let Some(body) = envelope.data.bytes().map_err(CliError::failed)? {
        body
    } else {
        let Some(file) = envelope.attributes.dataref.as_deref().and_then(file_of) else {
            return Ok(None);
        };
        let body = std::fs::read(&file).map_err(|error| {
            CliError::failed(format_args!("cannot read {}: {error}", file.display()))
        })?;
        Cow::Owned(body)
    };
    if !envelope.matches_digest(&body) {
        return Err(CliError::failed(format_args!(
            "event {}: the body's digest is not the one that the envelope names",
            envelope.attributes.id
        )));
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

    fn claimed(dataref: &str, body: &[u8]) -> Vec<u8> {
        let digest = Digest::of(body);
        let mut attributes = Attributes::new(
            "1",
            "/x",
            &EventType::from_static("a.b"),
            &digest,
            "2026-01-01T00:00:00Z",
        );
        attributes.dataref = Some(dataref.to_owned());
        encode(&attributes, DataEncoding::Reference, 0, [])
    }

    #[test]
    fn a_claimed_body_is_fetched_and_checked() {
        let directory = tempfile::Builder::new()
            .prefix("with space ")
            .tempdir()
            .unwrap();
        let file = directory.path().join("body");
        std::fs::write(&file, b"the body").unwrap();
        let uri = format!("file://{}", file.display().to_string().replace(' ', "%20"));
        let envelope = claimed(&uri, b"the body");
        let fetched = read(&Envelope::decode(&envelope).unwrap()).unwrap();
        assert_eq!(fetched.as_deref(), Some(&b"the body"[..]));
        let changed = claimed(&uri, b"another body");
        assert!(read(&Envelope::decode(&changed).unwrap()).is_err());
        let elsewhere = claimed("s3://bucket/key", b"the body");
        assert!(
            read(&Envelope::decode(&elsewhere).unwrap())
                .unwrap()
                .is_none()
        );
    }
}
