//! Ids and other attributes made of what came from outside.

use labelrelay_event::{Digest, MAX_ATTRIBUTE_BYTES};
use sha2::{Digest as _, Sha256};

/// What makes two deliveries one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The same source, type and bytes.
    Content,
    /// The same version of the same thing, however its bytes are written: so that what is found
    /// through the provider's API gets the id of the live event.
    Version {
        /// Kind of the thing.
        kind: &'static str,
        /// Its id on the platform.
        id: String,
        /// Its update time, as the platform writes it.
        version: String,
    },
    /// Every delivery is an event of its own: a request to do something, a body that says nothing, or
    /// an update without a version, which may bring back what was there before.
    Delivery,
}

impl Identity {
    /// The event id; `None` when the delivery needs a fresh one.
    ///
    /// `delivery_id` is the sender's, unsigned: it tells two deliveries of the same bytes apart, and
    /// together with the bytes it can never name another event.
    pub fn event_id(
        &self,
        source: &str,
        event_type: &str,
        digest: &Digest,
        delivery_id: Option<&str>,
    ) -> Option<String> {
        match self {
            Self::Content => Some(hash(&[
                b"content",
                source.as_bytes(),
                event_type.as_bytes(),
                digest.as_bytes(),
            ])),
            Self::Version { kind, id, version } => Some(hash(&[
                b"version",
                source.as_bytes(),
                kind.as_bytes(),
                id.as_bytes(),
                version.as_bytes(),
            ])),
            Self::Delivery => delivery_id.map(|delivery| {
                hash(&[
                    b"delivery",
                    source.as_bytes(),
                    event_type.as_bytes(),
                    digest.as_bytes(),
                    delivery.as_bytes(),
                ])
            }),
        }
    }
}

/// SHA-256 over the parts, each preceded by its length, so that no two lists of parts collide.
fn hash(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    Digest::from_bytes(sha.finalize().into()).to_hex()
}

/// `text` when it may stand in an attribute, else a hash of it.
///
/// An attribute ends up in message attributes, group ids, keys and headers of five systems; 1 to 128
/// visible ASCII characters is what all of them take (the narrowest is SQS: letters, digits and
/// punctuation, no space).
pub fn bounded(text: &str) -> String {
    if !text.is_empty() && text.len() <= MAX_ATTRIBUTE_BYTES && is_visible(text) {
        text.to_owned()
    } else {
        format!("sha256:{}", Digest::of(text.as_bytes()))
    }
}

/// Whether `text` is visible ASCII alone, without spaces.
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}
