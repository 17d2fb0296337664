//! A change as a handler gets it.

use labelrelay_event::Attributes;
use labelrelay_event::changes::{Change, Key};
use std::sync::Arc;

/// A change, and the attributes of the event that brought it. A clone of it costs little.
#[derive(Debug, Clone)]
pub struct Incoming {
    change: Arc<Change<'static>>,
    attributes: Arc<Attributes>,
}

impl Incoming {
    pub(crate) fn new(change: Change<'static>, attributes: Arc<Attributes>) -> Self {
        Self {
            change: Arc::new(change),
            attributes,
        }
    }

    /// The change. `by` of a removal that follows from another is `Parent`, or `Header` if that one's was.
    pub fn change(&self) -> &Change<'static> {
        &self.change
    }

    /// The key of the thing that it is a change of.
    pub fn key(&self) -> &Key<'static> {
        self.change.key()
    }

    /// The attributes of the event.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}
