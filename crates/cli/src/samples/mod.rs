//! Built-in deliveries: recorded ones of Label Studio, and those of Labelbox's documents.

mod fresh_ids;
mod table;

pub(crate) use fresh_ids::labelbox_id;
pub(crate) use table::{SAMPLES, named};

use labelrelay_core::provider::Provider;

/// One delivery that can be sent.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Name on the command line: kind and action.
    pub(crate) event: &'static str,
    /// Whose it is.
    pub(crate) provider: Provider,
    /// Value of the unsigned header `X-Labelbox-Event`.
    pub(crate) topic: Option<&'static str>,
    /// Path that the platform adds to the source's URL.
    pub(crate) path: &'static str,
    /// Purpose of the sample.
    pub(crate) about: &'static str,
    /// The sender's bytes.
    pub(crate) body: &'static [u8],
    /// Places that make it an event of its own: text, and what stands there instead.
    fresh: &'static [(&'static str, &'static str)],
}
