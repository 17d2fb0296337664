//! The sender's bytes, wherever they are.

use crate::data::{BodyPart, Delivery};
use labelrelay_event::Envelope;
use std::borrow::Cow;

/// A body that is shown.
pub(super) enum Found<'d> {
    Whole(Cow<'d, [u8]>),
    Start(&'d [u8]),
    /// Why it is not here.
    Missing(String),
}

pub(super) fn find<'d>(delivery: &'d Delivery, envelope: Option<&Envelope<'d>>) -> Found<'d> {
    match &delivery.body {
        BodyPart::Whole(bytes) => return Found::Whole(Cow::Borrowed(bytes)),
        BodyPart::Start(bytes) => return Found::Start(bytes),
        BodyPart::Missing(words) => return Found::Missing(words.clone()),
        BodyPart::None => {}
    }
    let Some(envelope) = envelope else {
        let words = "The body is not kept: this delivery became no event, or its event is gone.";
        return Found::Missing(words.to_owned());
    };
    match envelope.data.bytes() {
        Ok(Some(bytes)) => Found::Whole(bytes),
        Ok(None) => {
            let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
            Found::Missing(format!("The body is in the blob store, at {place}"))
        }
        Err(error) => Found::Missing(format!("The body cannot be read: {error}")),
    }
}

/// The bytes for who saves them; else why there are none.
pub(super) fn bytes_of(delivery: &Delivery) -> Result<Vec<u8>, String> {
    let message = delivery.message.as_deref();
    let envelope = message.and_then(|message| Envelope::decode(message).ok());
    match find(delivery, envelope.as_ref()) {
        Found::Whole(bytes) => Ok(bytes.into_owned()),
        Found::Start(bytes) => Ok(bytes.to_vec()),
        Found::Missing(words) => Err(words),
    }
}
