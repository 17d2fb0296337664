//! Event types that a body of Labelbox can become.

use labelrelay_event::EventType;

/// Types that a body of Labelbox can become, for checking what somebody wrote into a filter.
pub(in crate::provider) const KNOWN_TYPES: &str = "\
    com.labelbox.label.created com.labelbox.label.updated com.labelbox.label.deleted \
    com.labelbox.label.unrecognized com.labelbox.review.created com.labelbox.review.updated \
    com.labelbox.review.deleted com.labelbox.review.unrecognized com.labelbox.model_run.created \
    com.labelbox.workflow.move com.labelbox.workflow.unrecognized com.labelbox.unrecognized";

/// Beginning of types that end in the platform's own word.
pub(in crate::provider) const OPEN_TYPES: &str = "com.labelbox.workflow.";

/// A body that nothing is understood of.
pub(super) const UNRECOGNIZED: EventType = EventType::from_static("com.labelbox.unrecognized");

/// A move whose action makes no name.
pub(super) const WORKFLOW_UNRECOGNIZED: EventType =
    EventType::from_static("com.labelbox.workflow.unrecognized");
