use crate::{Attributes, Digest, base64};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An envelope as it was read from a queue; the data is borrowed, unparsed.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// Everything but the data.
    pub attributes: Attributes,
    /// The sender's bytes, or a reference to them.
    pub data: Data<'a>,
}

/// The sender's bytes, or where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// One JSON object or array, verbatim, that every parser reads to the same data.
    Json(&'a [u8]),
    /// The bytes in base64: no JSON, or JSON that some parsers refuse.
    Base64(&'a str),
    /// Not in the envelope: fetch what the attribute `dataref` names, then check its digest.
    Reference,
}

impl<'a> Data<'a> {
    /// The sender's bytes, decoded; `None` for a reference.
    ///
    /// ```
    /// use labelrelay_event::Data;
    ///
    /// assert_eq!(Data::Base64("AP8=").bytes()?.as_deref(), Some(&[0, 255][..]));
    /// assert_eq!(Data::Reference.bytes()?, None);
    /// # Ok::<(), labelrelay_event::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When `data_base64` is not base64.
    pub fn bytes(&self) -> Result<Option<Cow<'a, [u8]>>, DecodeError> {
        match *self {
            Self::Json(bytes) => Ok(Some(Cow::Borrowed(bytes))),
            Self::Base64(text) => match base64::decode(text.as_bytes()) {
                Some(bytes) => Ok(Some(Cow::Owned(bytes))),
                None => Err(DecodeError("data_base64 is not base64".into())),
            },
            Self::Reference => Ok(None),
        }
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data_base64: Option<&'a str>, // base64 needs no escapes, so it can always be borrowed
}

/// A body of `null` is data too: `Option` alone would take it for absence.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Envelope<'a> {
    /// Reads an envelope without parsing its data.
    ///
    /// ```
    /// use labelrelay_event::{Data, Envelope};
    ///
    /// let queued = br#"{"specversion":"1.0","id":"1","source":"/x","type":"x.y.z","datasha256":"00","receivedtime":"2026-01-01T00:00:00Z","dataref":"s3://bucket/key"}"#;
    /// let envelope = Envelope::decode(queued)?;
    /// assert_eq!(envelope.data, Data::Reference);
    /// assert_eq!(envelope.attributes.dataref.as_deref(), Some("s3://bucket/key"));
    /// assert!(Envelope::decode(b"{}").is_err());
    /// # Ok::<(), labelrelay_event::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When the bytes are not an envelope of this contract.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let attributes: Attributes =
            serde_json::from_slice(bytes).map_err(|e| DecodeError(e.to_string()))?;
        let wire: Wire<'a> =
            serde_json::from_slice(bytes).map_err(|e| DecodeError(e.to_string()))?;
        let data = match (wire.data, wire.data_base64) {
            (Some(raw), None) => Data::Json(raw.get().as_bytes()),
            (None, Some(text)) => Data::Base64(text),
            (None, None) if attributes.dataref.is_some() => Data::Reference,
            (None, None) => {
                return Err(DecodeError("neither data, data_base64 nor dataref".into()));
            }
            _ => {
                return Err(DecodeError(
                    "data and data_base64 exclude each other".into(),
                ));
            }
        };
        Ok(Self { attributes, data })
    }

    /// Tells whether `body` is what the sender sent: its SHA-256 equals `datasha256`.
    ///
    /// ```
    /// # use labelrelay_event::{Attributes, Data, Digest, Envelope, EventType};
    /// # let event_type = EventType::from_static("x.y.z");
    /// let attributes = Attributes::new("1", "/x", &event_type, &Digest::of(b"{}"), "2026-01-01T00:00:00Z");
    /// let envelope = Envelope { attributes, data: Data::Json(b"{}") };
    /// assert!(envelope.matches_digest(b"{}"));
    /// assert!(!envelope.matches_digest(b"{ }"));
    /// ```
    pub fn matches_digest(&self, body: &[u8]) -> bool {
        Digest::of(body).to_hex() == self.attributes.datasha256
    }
}

/// Why bytes are not an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an envelope: {}", self.0)
    }
}

impl std::error::Error for DecodeError {}
