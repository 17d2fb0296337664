//! The event contract of labelrelay: the form of a message on the queue, and how to read it.
//!
//! Every delivery becomes one [CloudEvents 1.0.2](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)
//! envelope in the JSON format. The sender's bytes are its last member, verbatim:
//!
//! ```
//! use labelrelay_event::{Envelope, Data};
//!
//! # fn main() -> Result<(), labelrelay_event::DecodeError> {
//! let queued = br#"{"specversion":"1.0","id":"1","source":"/labelbox","type":"com.labelbox.label.created","datacontenttype":"application/json","datasha256":"c2ea634c993f050482b4e6243224087f7c23bdd3c07ab1a45e9a21c62fad994e","receivedtime":"2026-01-01T00:00:00Z","data":{"id": 1}}"#;
//! let envelope = Envelope::decode(queued)?;
//! assert_eq!(envelope.attributes.event_type, "com.labelbox.label.created");
//! assert_eq!(envelope.data.bytes()?.as_deref(), Some(&br#"{"id": 1}"#[..]));
//! # Ok(()) }
//! ```
//!
//! Bytes that are no JSON, or JSON that some parser of a consumer's would refuse or change (deep nesting,
//! numbers beyond a double, half of a surrogate pair, raw line separators, a bare scalar), stand as
//! `data_base64` instead; [`Data::bytes`] gives them back in either case.
//!
//! [`Event`] is the same message as a consumer reads it: [`changes`] says what is true of each thing that it names.
//!
//! This crate never touches a network, a clock or a file; consumers depend on it alone.

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example of the specification, too.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/changes.md")]
struct Specification;

mod attributes;
mod base64;
pub mod changes;
mod decode;
mod digest;
mod encode;
mod error;
mod event;
mod event_type;
mod json;
mod limits;
mod message;
mod origin;
pub mod payload;
mod pointer;

pub use attributes::{Attributes, TypeFrom};
pub use decode::{Data, DecodeError, Envelope};
pub use digest::Digest;
pub use encode::{DataEncoding, encode};
pub use error::{ErrorKind, EventError};
pub use event::Event;
pub use event_type::{EventType, InvalidEventType};
pub use limits::MAX_ATTRIBUTE_BYTES;
pub use origin::Origin;
pub use pointer::S3Pointer;

/// Media type of an envelope, as the CloudEvents JSON format registers it.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The CloudEvents version that every envelope names.
pub const SPEC_VERSION: &str = "1.0";
