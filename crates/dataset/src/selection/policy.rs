//! What the user chose.

use crate::media_copy::MediaCopy;
use crate::redact::Addresses;
use crate::split::Splits;
use crate::which::Which;

/// Choice of annotations.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) which: Which,
    pub(crate) splits: Splits,
    /// A state that an annotation has to be in.
    pub(crate) state: Option<String>,
    /// Copies of the media that the user has.
    pub(crate) media: Vec<MediaCopy>,
    pub(crate) addresses: Addresses,
    pub(crate) authors: bool,
}
