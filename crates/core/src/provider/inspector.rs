//! One pass over a body of either platform.

use super::{label_studio, labelbox};
use crate::describe::Inspection;

/// Reads one body, in pieces, in one pass: checks that it is JSON and picks what the envelope needs.
pub enum Inspector {
    /// A body from Labelbox.
    Labelbox(labelbox::Inspector),
    /// A body from Label Studio.
    LabelStudio(label_studio::Inspector),
}

impl Inspector {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Labelbox(inspector) => inspector.update(bytes),
            Self::LabelStudio(inspector) => inspector.update(bytes),
        }
    }

    /// Result of the whole body.
    pub fn finish(self) -> Inspection {
        match self {
            Self::Labelbox(inspector) => inspector.finish(),
            Self::LabelStudio(inspector) => inspector.finish(),
        }
    }
}
