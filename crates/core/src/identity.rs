//! Ids and other attributes made of what came from outside.
//!
//! # When are two deliveries one event?
//!
//! A second delivery of one event is a *repeat*, and a consumer drops what has the `id` of an event that it has
//! seen. So an id may be made of what a body says only where that tells any two changes apart: one that is lost
//! is worse than one that is told twice. What tells changes apart:
//!
//! - A time of change that is *written* with a fraction of a second, in which a digit is not zero. Whole seconds
//!   do not: A, B and A again fit into one. `.000` is what a program writes that counts in seconds. (A time that
//!   falls on a whole second by chance costs an event too many, once in a million.)
//! - An id that is never used again, in the report of a creation or a deletion: a thing is created once, and
//!   deleted once. A list of them has to be the list that we know, though: not empty, each with an id, none twice.
//!   Ids of Label Studio's tasks and annotations do not count in a deletion. On `SQLite`, its default, an import gives
//!   out the highest id that is there plus one (`tasks/serializers.py` of 1.20.0 to 1.23.2): after the newest task was
//!   deleted, the next one has its id, and the two deletions may have the same bytes. Two creations have not: in each
//!   of these versions their bodies hold the times of what was created.
//!
//! | platform | event | identity |
//! |---|---|---|
//! | Label Studio | an annotation created or updated, `updated_at` with a fraction | version |
//! | Label Studio | a task created, `created_at` with a fraction | version |
//! | Label Studio | anything else created, every id there, none twice | content |
//! | Label Studio | one project, task, label link or review updated, `updated_at` with a fraction | content |
//! | Label Studio | updated in any other way | delivery |
//! | Label Studio | tasks or annotations deleted | delivery |
//! | Label Studio | a project, label link or review deleted, every id there, none twice | content |
//! | Label Studio | created or deleted, without a list, or with one that is empty, misses an id or has one twice | delivery |
//! | Label Studio | `START_TRAINING` | delivery |
//! | Label Studio | nothing but the action: *Send payload* is off | delivery |
//! | Label Studio | an action of the user's own, or of a newer version | delivery |
//! | Label Studio | no action, or no JSON | delivery |
//! | Labelbox | v1: a label created or updated, `updatedAt` with a fraction | content |
//! | Labelbox | v1: a label that says `"deleted": true` | content |
//! | Labelbox | v1: any other label | delivery |
//! | Labelbox | a review as an object of its own, `updatedAt` with a fraction, or `"deleted": true` | content |
//! | Labelbox | any other review | delivery |
//! | Labelbox | v2: created or updated, one label, `updated_at` with a fraction | content |
//! | Labelbox | v2: created or updated, in any other way | delivery |
//! | Labelbox | v2: deleted, or the header does not say what happened | delivery |
//! | Labelbox | workflow: rows, and a `timestamp` with a fraction | content |
//! | Labelbox | workflow: in any other way | delivery |
//! | Labelbox | a model run | delivery |
//! | Labelbox | any other shape, or no JSON | delivery |
//!
//! *Version*: the same version of one thing is one event, whatever the bytes around it, so that two webhooks with
//! different settings, or a webhook and the platform's API, report one event. *Content*: the same bytes are.
//! *Delivery*: the same bytes are if the platform says that it repeats its own delivery; each delivery of a
//! platform without delivery ids, such as Label Studio, is an event. `tests/fixtures/identity` has bodies for each
//! row, and a test holds both to this table.

use labelrelay_event::{Digest, MAX_ATTRIBUTE_BYTES};
use sha2::{Digest as _, Sha256};

/// Sameness of two deliveries as one event. The table above says where which applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The same source, type and bytes.
    Content,
    /// The same version of the same thing, however its bytes are written: so that what is found
    /// through the provider's API gets the id of the live event.
    Version {
        /// Kind of the thing.
        kind: &'static str,
        /// Id on the platform.
        id: String,
        /// Mark of this version, as the platform writes it.
        version: String,
    },
    /// The same delivery of the platform, by its own id and with the same bytes. Without such an id every
    /// delivery is an event of its own.
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
    if is_bounded(text) {
        text.to_owned()
    } else {
        hashed(text)
    }
}

/// The same of a text that nobody else needs.
pub(crate) fn into_bounded(text: String) -> String {
    if is_bounded(&text) {
        text
    } else {
        hashed(&text)
    }
}

/// Tells whether `text` may stand in an attribute as it is.
fn is_bounded(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ATTRIBUTE_BYTES && is_visible(text)
}

fn hashed(text: &str) -> String {
    format!("sha256:{}", Digest::of(text.as_bytes()))
}

/// Tells whether `text` is visible ASCII alone, without spaces.
pub(crate) fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}
