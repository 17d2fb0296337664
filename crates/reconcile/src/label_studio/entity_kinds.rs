//! The kinds of Label Studio's entities.

pub(super) const TASK: &str = "task";
pub(super) const ANNOTATION: &str = "annotation";
