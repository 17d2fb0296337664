//! Choice between several annotations of one task.

/// Annotations of a task that are exported, if it has several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// The one of the newest version.
    #[default]
    Latest,
    /// Those by which others are measured. A task without one is left out, and counted.
    GroundTruth,
    /// All of them.
    All,
}

impl Which {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Latest, Self::GroundTruth, Self::All];

    /// The name: `ground-truth`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::GroundTruth => "ground-truth",
            Self::All => "all",
        }
    }
}
