//! The members of an envelope, read once from the first byte to the last: attributes, and where the data stands.

use crate::attributes::TypeFrom;
use crate::json::{self, Document, Fault, Halves, MAX_LEVELS, Parser};
use crate::{Attributes, ErrorKind, EventError, SPEC_VERSION};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An envelope, and what its data is.
pub(crate) struct Message<'a> {
    pub(crate) attributes: Attributes,
    pub(crate) extensions: BTreeMap<String, String>,
    /// The data, read in the same pass that finds its end.
    pub(crate) data: Option<Document<'a>>,
    pub(crate) base64: Option<Cow<'a, str>>,
}

/// Members that this crate knows, but for `data`.
const KNOWN: [&str; 22] = [
    "specversion",
    "id",
    "source",
    "type",
    "datasha256",
    "receivedtime",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "deliveryid",
    "project",
    "task",
    "partitionkey",
    "sequence",
    "typefrom",
    "traceparent",
    "tracestate",
    "origin",
    "replayedtime",
    "dataref",
    "data_base64",
];

/// A member's value, as far as an attribute has one.
enum Held<'a> {
    Text(Cow<'a, str>),
    Null,
    Odd,
}

struct Members<'a> {
    /// What was found under each name of [`KNOWN`].
    known: [Option<Held<'a>>; KNOWN.len()],
    extensions: BTreeMap<String, String>,
    data: Option<Document<'a>>,
    /// A name that stands there twice.
    twice: Option<&'static str>,
}

/// Reads a message: the attributes, and where the data is.
pub(crate) fn read(message: &[u8]) -> Result<Message<'_>, EventError> {
    let malformed = |why: String| EventError::new(ErrorKind::MalformedEnvelope, None, why);
    let text = std::str::from_utf8(message).map_err(|error| {
        let at = error.valid_up_to();
        malformed(format!("it is not UTF-8 (at byte {at})"))
    })?;
    let members =
        members(text).map_err(|fault| malformed(format!("it is no JSON object: {fault}")))?;
    members.read()
}

fn members(text: &str) -> Result<Members<'_>, Fault> {
    let mut found = Members {
        known: std::array::from_fn(|_| None),
        extensions: BTreeMap::new(),
        data: None,
        twice: None,
    };
    let mut parser = Parser::new(text);
    if !parser.take(b'{') {
        return parser.fault("'{' is missing");
    }
    if !parser.take(b'}') {
        loop {
            let (_, start, end) = parser.key()?;
            let name = text_of(text.get(start..end).unwrap_or_default()).unwrap_or_default();
            if name == "data" && found.data.is_none() {
                found.data = Some(Document::part(text, &mut parser)?);
            } else if name == "data" {
                // No second document is built: there may be millions.
                found.twice = Some("data");
                parser.skip_value(MAX_LEVELS)?;
            } else {
                let (start, end) = parser.skip_value(MAX_LEVELS)?;
                found.keep(name, text.get(start..end).unwrap_or_default());
            }
            if parser.take(b'}') {
                break;
            }
            if !parser.take(b',') {
                return parser.fault("',' or an end is missing");
            }
        }
    }
    parser.end()?;
    Ok(found)
}

/// The text of a checked JSON string, if it is one.
fn text_of(written: &str) -> Option<Cow<'_, str>> {
    let quoted = written.strip_prefix('"')?.strip_suffix('"')?;
    if !quoted.contains('\\') {
        return Some(Cow::Borrowed(quoted));
    }
    let bytes = json::decode(quoted, Halves::Escaped);
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Place of a name in [`KNOWN`]. Most names differ in their length, so to compare them all is cheaper than a hash.
fn place_of(name: &str) -> Option<usize> {
    KNOWN.iter().position(|known| *known == name)
}

impl<'a> Members<'a> {
    fn keep(&mut self, name: Cow<'a, str>, written: &'a str) {
        let held = match text_of(written) {
            Some(text) => Held::Text(text),
            None if written == "null" => Held::Null,
            None => Held::Odd,
        };
        if let Some(at) = place_of(&name) {
            let place = self.known.get_mut(at);
            if place.is_some_and(|place| place.replace(held).is_some()) {
                self.twice = KNOWN.get(at).copied();
            }
        } else if let Held::Text(text) = held {
            self.extensions.insert(name.into_owned(), text.into_owned());
        } else {
            self.extensions.remove(&*name);
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.known.get(place_of(name)?) {
            Some(Some(Held::Text(text))) => Some(text),
            _ => None,
        }
    }

    fn read(mut self) -> Result<Message<'a>, EventError> {
        let attributes = self.attributes()?;
        let base64 = place_of("data_base64").and_then(|at| self.known.get_mut(at)?.take());
        let base64 = match base64 {
            Some(Held::Text(text)) => Some(text),
            Some(Held::Odd) if self.data.is_none() => {
                let (kind, id) = (ErrorKind::MalformedEnvelope, Some(attributes.id.as_str()));
                return Err(EventError::new(kind, id, "data_base64 is no text"));
            }
            Some(Held::Odd) => Some(Cow::Borrowed("")), // excludes data, whatever it is
            Some(Held::Null) | None => None,
        };
        Ok(Message {
            attributes,
            extensions: self.extensions,
            data: self.data,
            base64,
        })
    }

    fn attributes(&self) -> Result<Attributes, EventError> {
        let error = |kind, why| EventError::new(kind, self.text("id"), why);
        let malformed = |why| error(ErrorKind::MalformedEnvelope, why);
        if let Some(name) = self.twice {
            return Err(malformed(format!("it has {name} twice")));
        }
        let Some(version) = self.text("specversion") else {
            let why = "it has no specversion: this is no envelope".to_owned();
            return Err(malformed(why));
        };
        if version != SPEC_VERSION {
            let why = format!("specversion is {version:?}, this crate knows {SPEC_VERSION:?}");
            return Err(error(ErrorKind::LaterEnvelope, why));
        }
        for (name, held) in KNOWN.into_iter().zip(&self.known) {
            if name != "data_base64" && matches!(held, Some(Held::Odd)) {
                return Err(malformed(format!("the attribute {name} is no text")));
            }
        }
        let optional = |name: &str| self.text(name).map(str::to_owned);
        let required = |name: &str| {
            optional(name).ok_or_else(|| malformed(format!("the attribute {name} is missing")))
        };
        Ok(Attributes {
            specversion: SPEC_VERSION.to_owned(),
            id: required("id")?,
            source: required("source")?,
            event_type: required("type")?,
            datasha256: required("datasha256")?,
            receivedtime: required("receivedtime")?,
            subject: optional("subject"),
            time: optional("time"),
            datacontenttype: optional("datacontenttype"),
            dataschema: optional("dataschema"),
            deliveryid: optional("deliveryid"),
            project: optional("project"),
            task: optional("task"),
            partitionkey: optional("partitionkey"),
            sequence: optional("sequence"),
            typefrom: match self.text("typefrom") {
                None => None,
                Some("body") => Some(TypeFrom::Body),
                Some("header") => Some(TypeFrom::Header),
                Some(other) => {
                    let why = format!("typefrom is {other:?}, this crate knows body and header");
                    return Err(error(ErrorKind::LaterEnvelope, why));
                }
            },
            traceparent: optional("traceparent"),
            tracestate: optional("tracestate"),
            origin: self
                .text("origin")
                .map(|word| Box::<str>::from(word).into()),
            replayedtime: optional("replayedtime"),
            dataref: optional("dataref"),
        })
    }
}
