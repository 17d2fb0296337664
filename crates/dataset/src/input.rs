//! Inputs of a dataset: where its events came from, and how many.

use serde::{Deserialize, Serialize};

/// Events of one source that were taken in from one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Input {
    /// The attribute `source` of the events: `/label-studio`.
    pub source: String,
    /// The queue or the archive, if it was [told](crate::Store::set_queue). Not told: what the platform's API was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Events that were taken in, each as often as it came.
    pub events: u64,
    /// When the relay received the first of them, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When it received the last of them. They may have come in another order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}
