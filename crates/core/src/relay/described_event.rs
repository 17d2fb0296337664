//! A described event, between its verified body and its message.

use crate::payload::Payload;
use crate::queue::OutboundMessage;
use crate::signature::Verified;
use crate::transfer_allowance::transfer_allowance;
use labelrelay_event::{Attributes, DataEncoding, encode};
use labelrelay_json::Check;
use std::sync::Arc;
use std::time::Duration;

/// A described event.
pub(super) struct DescribedEvent<'a> {
    pub(super) attributes: Arc<Attributes>,
    pub(super) check: Check,
    pub(super) body: &'a Verified<Payload>,
}

impl DescribedEvent<'_> {
    pub(super) fn bytes(&self) -> u64 {
        self.body.get().len()
    }

    pub(super) fn is_spooled(&self) -> bool {
        self.body.get().spooled().is_some()
    }

    /// Time that its body may take to copy on top of a small one.
    pub(super) fn transfer_allowance(&self) -> Duration {
        if self.is_spooled() {
            transfer_allowance(self.bytes())
        } else {
            Duration::ZERO
        }
    }

    /// A message without the data, which is stored at `uri`.
    pub(super) fn reference(&self, uri: String) -> OutboundMessage {
        let mut attributes = Attributes::clone(&self.attributes);
        attributes.dataref = Some(uri);
        let envelope = encode(&attributes, DataEncoding::Reference, 0, []);
        OutboundMessage::new(attributes, envelope)
    }
}
