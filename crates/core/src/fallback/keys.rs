//! Keys and names of envelopes and bodies.

use jiff::Timestamp;

/// Scheme of the `dataref` of an envelope whose body is beside it.
pub(crate) const FALLBACK_SCHEME: &str = "fallback:";

/// The key of an event that is stored now: keys sort by time, so that the oldest is moved first.
pub(crate) fn key(now: Timestamp, event_id: &str) -> String {
    format!("{}-{event_id}", now.strftime("%Y%m%dT%H%M%S%.9fZ"))
}

/// The name of the body that belongs to the envelope under `key`: one for each event, though two may have
/// the same bytes, so that each can be removed alone.
pub fn body_name(key: &str, digest: &str) -> String {
    format!("{BODIES}/{key}/{digest}")
}

/// The folder that all names of bodies begin with. It sorts after all keys, which begin with a digit.
pub const BODIES: &str = "bodies";

/// Key of a claimed body. By day first, so that a person finds it and a lifecycle rule can be checked
/// by eye.
pub(crate) fn claim_key(now: Timestamp, source: &str, digest: &str) -> String {
    format!("{}/{source}/{digest}", now.strftime("%Y/%m/%d"))
}
