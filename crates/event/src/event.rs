use crate::json::{Document, Fault, Source, Value};
use crate::payload::Payload;
use crate::{
    Attributes, Data, Digest, Envelope, ErrorKind, EventError, Origin, S3Pointer, base64, changes,
    message,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An event of the queue as a consumer reads it, without any I/O: its attributes, the sender's bytes, and the changes
/// that it brings.
///
/// [`Envelope`] is the form on the queue, which whoever passes events on needs. An `Event` is read by the rules of
/// [`docs/changes.md`](https://github.com/labelrelay/labelrelay/blob/main/docs/changes.md), as the Python package reads
/// it.
///
/// ```
/// use labelrelay_event::Event;
/// use labelrelay_event::changes::Change;
///
/// let queued = br#"{"specversion":"1.0","id":"1","source":"/label-studio","type":"io.labelstud.task.deleted","datasha256":"ee9ba6f0be61bc0d2ad5b2f6cdd33e9e62c8f52deaab5dd27b1baf5ad77b5a3a","receivedtime":"2026-11-21T09:47:12Z","data":{"action":"TASKS_DELETED","tasks":[{"id":7}]}}"#;
/// let event = Event::parse(queued)?;
/// for change in event.changes()? {
///     let Change::Removed(removed) = change else { continue };
///     assert_eq!((removed.key.kind.as_str(), &*removed.key.id), ("task", "7"));
/// }
/// # Ok::<(), labelrelay_event::EventError>(())
/// ```
#[derive(Clone)]
pub struct Event<'a> {
    attributes: Attributes,
    extensions: BTreeMap<String, String>,
    body: Body<'a>,
}

#[derive(Clone)]
enum Body<'a> {
    /// Read with the message.
    Read(Arc<Document<'a>>),
    Text(Source<'a>),
    /// No UTF-8, so no JSON; the sender's bytes all the same.
    Bytes(Cow<'a, [u8]>),
    Claimed,
}

impl<'a> Body<'a> {
    fn of(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        match bytes.into() {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(Source::Borrowed(text)),
                Err(_) => Self::Bytes(Cow::Borrowed(bytes)),
            },
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Self::Text(Source::Shared(text.into())),
                Err(error) => Self::Bytes(Cow::Owned(error.into_bytes())),
            },
        }
    }
}

impl<'a> Event<'a> {
    /// Reads a message of the queue. What is wrong with its body is said by [`changes`](Self::changes) and
    /// [`verify`](Self::verify), so that an event whose body nobody can read still says which event it is.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedEnvelope`], [`ErrorKind::LaterEnvelope`] and [`ErrorKind::EnvelopeClaimed`].
    pub fn parse(message: &'a [u8]) -> Result<Self, EventError> {
        if let Some(pointer) = S3Pointer::parse(message) {
            let place = pointer.uri();
            let why = format!("the envelope is at {place}: fetch it, and read that");
            return Err(EventError::new(ErrorKind::EnvelopeClaimed, None, why));
        }
        let read = message::read(message)?;
        let id = Some(read.attributes.id.as_str());
        let malformed = |why: &str| EventError::new(ErrorKind::MalformedEnvelope, id, why);
        let body = match (read.data, read.base64) {
            (Some(_), Some(_)) => {
                return Err(malformed("data and data_base64 exclude each other"));
            }
            (Some(data), None) => Body::Read(Arc::new(data)),
            (None, Some(text)) => {
                let bytes = base64::decode(text.as_bytes());
                Body::of(bytes.ok_or_else(|| malformed("data_base64 is not base64"))?)
            }
            (None, None) if read.attributes.dataref.is_some() => Body::Claimed,
            (None, None) => {
                return Err(malformed("it has neither data, data_base64 nor dataref"));
            }
        };
        Ok(Self {
            attributes: read.attributes,
            extensions: read.extensions,
            body,
        })
    }

    /// The event of these attributes and the sender's body.
    pub fn of(attributes: Attributes, body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            attributes,
            extensions: BTreeMap::new(),
            body: Body::of(body),
        }
    }

    /// The attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Attributes that this crate does not know: those of later versions, and of whoever passed the event on.
    pub fn extensions(&self) -> &BTreeMap<String, String> {
        &self.extensions
    }

    /// Tells whether the body is in the blob store, and not here.
    pub fn is_claimed(&self) -> bool {
        matches!(self.body, Body::Claimed)
    }

    /// The sender's bytes, exactly.
    ///
    /// # Errors
    /// [`ErrorKind::BodyClaimed`].
    pub fn raw(&self) -> Result<&[u8], EventError> {
        match &self.body {
            Body::Read(document) => Ok(document.root().written().as_bytes()),
            Body::Text(source) => Ok(source.as_str().as_bytes()),
            Body::Bytes(bytes) => Ok(bytes),
            Body::Claimed => {
                let place = self.attributes.dataref.as_deref().unwrap_or_default();
                let why = format!("its body is at {place}: fetch it, and give it to with_body");
                Err(self.error(ErrorKind::BodyClaimed, why))
            }
        }
    }

    /// Checks that the body is what the sender sent.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`] and [`ErrorKind::BodyClaimed`].
    pub fn verify(&self) -> Result<(), EventError> {
        let digest = Digest::of(self.raw()?).to_hex();
        let told = &self.attributes.datasha256;
        if digest == *told {
            return Ok(());
        }
        let why = format!("its body has SHA-256 {digest}, datasha256 is {told}");
        Err(self.error(ErrorKind::DigestMismatch, why))
    }

    /// The same event with a body that was fetched from the blob store.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`].
    pub fn with_body<'b>(&self, body: impl Into<Cow<'b, [u8]>>) -> Result<Event<'b>, EventError> {
        let event = Event {
            attributes: self.attributes.clone(),
            extensions: self.extensions.clone(),
            body: Body::of(body),
        };
        event.verify()?;
        Ok(event)
    }

    /// The body as the platform's own types.
    ///
    /// # Errors
    /// [`ErrorKind::LaterEnvelope`], [`ErrorKind::BodyClaimed`], [`ErrorKind::NotJson`], [`ErrorKind::TooDeep`] and
    /// [`ErrorKind::UnknownPayload`]. That is also told of a body that `serde_json` does not read: one of 128 levels and
    /// more, or with half of a surrogate pair. [`changes`](Self::changes) reads both.
    pub fn payload(&self) -> Result<Payload, EventError> {
        self.check_origin()?;
        Payload::read(&self.attributes, self.raw()?).map_err(|error| {
            // A body that is no JSON is told by an error of its own.
            let unreadable = self.document().err();
            unreadable.unwrap_or_else(|| self.error(ErrorKind::UnknownPayload, error.cause()))
        })
    }

    /// The changes that it brings, one for each thing that it names.
    ///
    /// # Errors
    /// All kinds from [`ErrorKind::LaterEnvelope`] to [`ErrorKind::PayloadMissing`], but for
    /// [`ErrorKind::DigestMismatch`].
    pub fn changes(&self) -> Result<Vec<changes::Change<'a>>, EventError> {
        self.check_origin()?;
        let reader = changes::reader_of(&self.attributes)?;
        let document = self.document()?;
        reader.read(&self.attributes, &document)
    }

    /// Members of the body as they were sent, in the order of `names`: the last of each name, unless it is `null`. A body that is
    /// no object has none. They say what
    /// [`changes`](Self::changes) leaves out, such as what stands beside the thing that an event is about.
    ///
    /// ```
    /// use labelrelay_event::Event;
    ///
    /// let queued = br#"{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.annotation.created","datasha256":"00","receivedtime":"2026-01-01T00:00:00Z","data":{"annotation":{"id":7},"task":{"id":5}}}"#;
    /// let [task, project] = Event::parse(queued)?.members(["task", "project"])?;
    /// assert_eq!(task.unwrap().get(), r#"{"id":5}"#);
    /// assert!(project.is_none());
    /// # Ok::<(), labelrelay_event::EventError>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BodyClaimed`], [`ErrorKind::NotJson`] and [`ErrorKind::TooDeep`].
    pub fn members<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<changes::Raw<'a>>; N], EventError> {
        let document = self.document()?;
        Ok(names.map(|name| document.root().member(name).map(Value::raw)))
    }

    /// The origin decides how the body is read, so one that is not known must not pass for one that is.
    fn check_origin(&self) -> Result<(), EventError> {
        let Some(Origin::Other(origin)) = &self.attributes.origin else {
            return Ok(());
        };
        let why = format!("origin is {origin:?}, this crate knows reconcile and derived");
        Err(self.error(ErrorKind::LaterEnvelope, why))
    }

    fn document(&self) -> Result<Arc<Document<'a>>, EventError> {
        let source = match &self.body {
            Body::Read(document) => return Ok(Arc::clone(document)),
            Body::Text(source) => source.clone(),
            Body::Bytes(_) | Body::Claimed => {
                self.raw()?;
                let why = "its body cannot be read: it is not UTF-8";
                return Err(self.error(ErrorKind::NotJson, why));
            }
        };
        Document::read(source).map(Arc::new).map_err(|fault| {
            let kind = match fault {
                Fault::NotJson(..) => ErrorKind::NotJson,
                Fault::TooDeep(_) => ErrorKind::TooDeep,
            };
            self.error(kind, format!("its body cannot be read: {fault}"))
        })
    }

    fn error(&self, kind: ErrorKind, why: impl Into<String>) -> EventError {
        EventError::new(kind, Some(&self.attributes.id), why)
    }
}

impl<'a> TryFrom<Envelope<'a>> for Event<'a> {
    type Error = EventError;

    /// # Errors
    /// [`ErrorKind::MalformedEnvelope`] when `data_base64` is not base64.
    fn try_from(envelope: Envelope<'a>) -> Result<Self, EventError> {
        let Envelope { attributes, data } = envelope;
        let body = match data {
            Data::Json(bytes) => Body::of(bytes),
            Data::Base64(text) => {
                let Some(bytes) = base64::decode(text.as_bytes()) else {
                    let (kind, id) = (ErrorKind::MalformedEnvelope, Some(attributes.id.as_str()));
                    return Err(EventError::new(kind, id, "data_base64 is not base64"));
                };
                Body::of(bytes)
            }
            Data::Reference => Body::Claimed,
        };
        Ok(Self {
            attributes,
            extensions: BTreeMap::new(),
            body,
        })
    }
}

impl fmt::Debug for Event<'_> {
    // A body holds tokens and personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.attributes.id)
            .field("type", &self.attributes.event_type)
            .field("subject", &self.attributes.subject)
            .finish_non_exhaustive()
    }
}
