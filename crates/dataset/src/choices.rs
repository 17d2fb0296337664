//! Choices of what is in a snapshot, as it says them itself.

use crate::options::Options;
use serde::{Deserialize, Serialize};

/// Choices of what is in a snapshot, in the words of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choices {
    /// Formats: `coco`.
    pub formats: Vec<String>,
    /// Annotations of a task that are in it: `latest`.
    pub which: String,
    /// State that an annotation has to be in, if one was asked for: `approved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Percent for training, validation and test.
    pub split: [u16; 3],
    /// Part of addresses that is exported.
    pub addresses: String,
    /// `true` if it says who made an annotation.
    pub authors: bool,
    /// Addresses of which there are copies on the disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
}

impl Choices {
    pub(crate) fn of(options: &Options) -> Self {
        let formats = options.formats.iter();
        let media = options.media.iter();
        Self {
            formats: formats.map(|it| it.as_str().to_owned()).collect(),
            which: options.which.as_str().to_owned(),
            state: options.state.clone(),
            split: options.splits.percents(),
            addresses: options.addresses.as_str().to_owned(),
            authors: options.authors,
            media: media.map(|it| it.address.clone()).collect(),
        }
    }
}
