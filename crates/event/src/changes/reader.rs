//! From the attributes to the reader that knows the platform's bodies.

use super::context::Context;
use super::{Change, label_studio, labelbox};
use crate::json::Document;
use crate::payload::DataSchema;
use crate::{Attributes, ErrorKind, EventError};

/// The reader of a body.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    LabelStudio,
    Labelbox,
    /// The body is read as JSON, and no further: the relay did not know its shape either.
    Unrecognized,
}

/// The reader of the bodies of such events.
pub(crate) fn reader_of(attributes: &Attributes) -> Result<Reader, EventError> {
    let context = Context::new(attributes);
    if let Some(schema) = &attributes.dataschema
        && DataSchema::of(schema).is_none()
    {
        let why = format!("the shape {schema} is not known");
        return Err(context.error(ErrorKind::UnknownPayload, why));
    }
    if attributes.dataschema.is_none() && context.action() == "unrecognized" {
        return Ok(Reader::Unrecognized);
    }
    if attributes.event_type.starts_with(label_studio::PREFIX) {
        return Ok(Reader::LabelStudio);
    }
    if attributes.event_type.starts_with(labelbox::PREFIX) {
        return Ok(Reader::Labelbox);
    }
    Err(context.unknown_type())
}

impl Reader {
    pub(crate) fn read<'a>(
        self,
        attributes: &Attributes,
        document: &Document<'a>,
    ) -> Result<Vec<Change<'a>>, EventError> {
        let context = Context::new(attributes);
        let body = document.root();
        let unknown = |why| Err(context.error(ErrorKind::UnknownPayload, why));
        if matches!(self, Self::Unrecognized) {
            return unknown("the relay did not know its shape either; it was verified");
        }
        if !body.is_object() {
            return unknown("the body is no JSON object");
        }
        match self {
            Self::LabelStudio => label_studio::changes(&context, body),
            _ => labelbox::changes(&context, body),
        }
    }
}
