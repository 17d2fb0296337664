//! The credential of a recorded delivery: which of its headers is held against a secret.

use labelrelay_record::Blotted;

/// A header that is examined: its value, and which one it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// A signature, which is of the whole body.
    Signature(&'a str),
    /// A header that holds the secret itself, by its name.
    Header(&'a str, &'a str),
}

/// The credential that is examined, out of the lines of a head.
pub(crate) fn credential(head: &str) -> Option<Credential<'_>> {
    let headers = || head.lines().filter_map(|line| line.split_once(": "));
    let named = |wanted: &str| headers().find(|(name, _)| *name == wanted);
    ["x-hub-signature", "x-hub-signature-256", "authorization"]
        .into_iter()
        .find_map(named)
        .or_else(|| {
            headers().find(|(name, value)| *name != "cookie" && Blotted::read(value).is_some())
        })
        .map(|(name, value)| {
            if name.starts_with("x-hub-signature") {
                Credential::Signature(value)
            } else {
                Credential::Header(name, value)
            }
        })
}
