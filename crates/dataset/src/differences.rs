//! Differences of a dataset from the platform.

use std::collections::BTreeMap;
use std::fmt;

/// Names an annotation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AnnotationId {
    pub source: String,
    pub kind: String,
    pub id: String,
}

impl fmt::Display for AnnotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.source, self.kind, self.id)
    }
}

/// Differences of a dataset from the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// Annotations that the platform has, and the dataset has not.
    pub missing: Vec<AnnotationId>,
    /// Annotations that the dataset has, and the platform has not.
    pub extra: Vec<AnnotationId>,
    /// Annotations of which the two say different things.
    pub different: Vec<AnnotationId>,
    /// Annotations of which they say the same.
    pub equal: u64,
    /// What they say differently of each of these.
    parts: BTreeMap<AnnotationId, Vec<&'static str>>,
    /// Nobody can tell what is extra.
    is_extra_unknown: bool,
    /// Revision of the dataset when it was compared.
    pub(crate) revision: Option<i64>,
}

impl Differences {
    /// None so far, of a dataset in this revision.
    pub(crate) fn of(revision: i64) -> Self {
        Self {
            revision: Some(revision),
            ..Self::default()
        }
    }

    pub(crate) fn add_different(&mut self, id: AnnotationId, parts: Vec<&'static str>) {
        self.parts.insert(id.clone(), parts);
        self.different.push(id);
    }

    /// What the two say differently of an annotation: `task`, `data` (of the task), `version`, `skipped`, `ground truth`,
    /// `deletion`, `regions`, `answers`. Nothing, if it is not [different](Self::different).
    pub fn parts_of(&self, id: &AnnotationId) -> &[&'static str] {
        self.parts.get(id).map_or(&[], Vec::as_slice)
    }

    /// Tells whether there are none.
    pub fn are_none(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.different.is_empty()
    }

    /// Forgets what is extra: the platform does not show all that it has, so what it does not show may well be there.
    pub fn forget_extra(&mut self) {
        self.extra.clear();
        self.is_extra_unknown = true;
    }

    /// Tells whether what the platform does not show is gone there.
    pub fn deletions_checked(&self) -> bool {
        !self.is_extra_unknown
    }
}

/// Part of a dataset that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The attribute `source` of the events: `/label-studio`.
    pub source: String,
    /// Ids of projects; all, if there are none.
    pub projects: Vec<String>,
}
