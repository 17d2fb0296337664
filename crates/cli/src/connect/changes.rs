//! Changes on a platform, compared with the events that the queue got.

use serde::Serialize;

/// Changes on the platform against what the queue got.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// Nothing is known of what came before.
    pub(crate) since: String,
    /// Deliveries that the queue got since then.
    pub(crate) deliveries: u64,
    /// Changes of which nothing came, and whether there may be more.
    pub(crate) missing: u64,
    pub(crate) at_least: bool,
    /// Projects that were asked, and all that there are.
    pub(crate) asked: usize,
    pub(crate) projects: usize,
    /// Contents of all projects, where Label Studio tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<u64>,
    #[serde(skip)]
    pub(crate) fault: Option<String>,
}
