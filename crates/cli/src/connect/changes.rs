//! Changes on a platform, compared with what is known of the events that came.

use serde::Serialize;

/// Changes on the platform against what came.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// Nothing is known of what came before.
    pub(crate) since: String,
    /// Deliveries since then, where the queue tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries: Option<u64>,
    /// Changes of which nothing came; `None` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<u64>,
    /// Changes that may have come, or not: see [`not_known`](Self::not_known).
    pub(crate) uncertain: u64,
    /// `true` if there may be more of either.
    pub(crate) at_least: bool,
    /// Why it is not known which changes came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_known: Option<String>,
    /// Projects of which it is not known if something is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unclear_projects: Vec<u64>,
    /// Projects that were compared, and all that there are.
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
