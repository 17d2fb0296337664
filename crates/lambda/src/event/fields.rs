//! The members of an event, found in one pass and left as they are written.

use super::body::{self, Undecodable};
use super::mapping;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// Members of a request's event. If one stands twice, the last one counts.
#[derive(Default)]
pub(super) struct Fields<'de> {
    version: Option<&'de RawValue>,
    raw_path: Option<&'de RawValue>,
    lattice_path: Option<&'de RawValue>,
    path: Option<&'de RawValue>,
    method: Option<&'de RawValue>,
    resource: Option<&'de RawValue>,
    path_parameters: Option<&'de RawValue>,
    headers: Option<&'de RawValue>,
    multi_value_headers: Option<&'de RawValue>,
    context: Option<&'de RawValue>,
    body: Option<&'de RawValue>,
    is_base64: Option<&'de RawValue>,
}

/// `requestContext`, as far as it matters.
#[derive(Default)]
pub(super) struct Context {
    pub(super) http: Option<Http>,
    /// Of `identity`, which stands for `http` in payload format 1.0.
    pub(super) source_ip: Option<String>,
    pub(super) stage: Option<String>,
    /// `timeEpoch`, or `requestTimeEpoch` as payload format 1.0 calls it.
    pub(super) time_epoch: Option<i64>,
    pub(super) elb: bool,
    pub(super) websocket: bool,
    pub(super) lattice: bool,
}

/// `requestContext.http`.
#[derive(Default)]
pub(super) struct Http {
    pub(super) method: Option<String>,
    pub(super) source_ip: Option<String>,
}

impl Fields<'_> {
    pub(super) fn version(&self) -> Option<String> {
        text(self.version)
    }

    /// `rawPath`, of payload format 2.0.
    pub(super) fn raw_path(&self) -> Option<String> {
        text(self.raw_path)
    }

    /// `path`, of all others.
    pub(super) fn path(&self) -> Option<String> {
        text(self.path)
    }

    /// `path` as the API's own route has it, without the base path of a custom domain; `None` where no route tells.
    pub(super) fn path_of_route(&self) -> Option<String> {
        let (path, resource) = (self.path()?, text(self.resource)?);
        let parameter = |name: &str| member(self.path_parameters?, name);
        mapping::below(&path, &resource, parameter).map(str::to_owned)
    }

    /// Tells whether there is a `raw_path`, by which the older form of VPC Lattice's events is known.
    pub(super) fn has_lattice_path(&self) -> bool {
        self.lattice_path.is_some()
    }

    /// Tells whether there is an `httpMethod`, whatever it is.
    pub(super) fn has_method(&self) -> bool {
        self.method.is_some()
    }

    /// `httpMethod`, which payload format 2.0 has elsewhere.
    pub(super) fn method(&self) -> Option<String> {
        text(self.method)
    }

    /// `headers`: one text for each name.
    pub(super) fn headers(&self) -> HeaderMap {
        header_lines(self.headers)
    }

    /// Tells whether there are `multiValueHeaders`, if only none.
    pub(super) fn has_multi_value_headers(&self) -> bool {
        is_object(self.multi_value_headers)
    }

    /// `multiValueHeaders`, and `headers` only where these say nothing: of a header that stands twice `headers` may
    /// have one line, so that two signatures would pass for one.
    pub(super) fn all_header_lines(&self) -> HeaderMap {
        let lines = header_lines(self.multi_value_headers);
        if lines.is_empty() {
            self.headers()
        } else {
            lines
        }
    }

    pub(super) fn context(&self) -> Context {
        let mut context = Context::default();
        for (name, value) in members(self.context) {
            match name.as_str() {
                "http" => context.http = http(value),
                "identity" => context.source_ip = member(value, "sourceIp"),
                "stage" => context.stage = text(Some(value)),
                "timeEpoch" | "requestTimeEpoch" => {
                    context.time_epoch = serde_json::from_str(value.get()).ok();
                }
                "elb" => context.elb = is_object(Some(value)),
                "connectionId" => context.websocket = true,
                "serviceNetworkArn" => context.lattice = true,
                _ => {}
            }
        }
        context
    }

    pub(super) fn body(&self) -> Result<Bytes, Undecodable> {
        let is_base64 = self.is_base64.is_some_and(|raw| raw.get() == "true");
        match self.body.map(RawValue::get) {
            None | Some("null") => Ok(Bytes::new()),
            Some(raw) => body::decode(raw, is_base64).map(Bytes::from),
        }
    }
}

/// Names in any case are one header, with all of its lines. What is no header is left out: the rest of the request
/// counts.
fn header_lines(raw: Option<&RawValue>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in members(raw) {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        for line in texts(value) {
            if let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) {
                // More than a map holds is more than any front lets through.
                let _ = headers.try_append(&name, line);
            }
        }
    }
    headers
}

fn http(raw: &RawValue) -> Option<Http> {
    if !is_object(Some(raw)) {
        return None;
    }
    let (mut method, mut source_ip) = (None, None);
    for (name, value) in members(Some(raw)) {
        match name.as_str() {
            "method" => method = text(Some(value)),
            "sourceIp" => source_ip = text(Some(value)),
            _ => {}
        }
    }
    Some(Http { method, source_ip })
}

/// Tells an object from `null`, which stands for what is not there, and from all else.
fn is_object(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| raw.get().starts_with('{'))
}

/// A member that is text; anything else is as if it were not there.
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// A text, or those of a list.
fn texts(raw: &RawValue) -> Vec<String> {
    if let Some(one) = text(Some(raw)) {
        return vec![one];
    }
    let list = serde_json::from_str::<Vec<&RawValue>>(raw.get()).unwrap_or_default();
    list.into_iter().filter_map(|raw| text(Some(raw))).collect()
}

/// The text `wanted` in an object. If it stands twice, the last one counts.
fn member(raw: &RawValue, wanted: &str) -> Option<String> {
    let (_, value) = members(Some(raw))
        .into_iter()
        .rfind(|(name, _)| name == wanted)?;
    text(Some(value))
}

/// The members of an object, in order; none of anything else.
fn members(raw: Option<&RawValue>) -> Vec<(String, &RawValue)> {
    raw.and_then(|raw| serde_json::from_str::<Members<'_>>(raw.get()).ok())
        .map(|members| members.0)
        .unwrap_or_default()
}

struct Members<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

/// Takes any value: what is not an object has no members.
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<String>()? {
            let place = match name.as_str() {
                "version" => &mut fields.version,
                "rawPath" => &mut fields.raw_path,
                "raw_path" => &mut fields.lattice_path,
                "path" => &mut fields.path,
                "httpMethod" => &mut fields.method,
                "resource" => &mut fields.resource,
                "pathParameters" => &mut fields.path_parameters,
                "headers" => &mut fields.headers,
                "multiValueHeaders" => &mut fields.multi_value_headers,
                "requestContext" => &mut fields.context,
                "body" => &mut fields.body,
                "isBase64Encoded" => &mut fields.is_base64,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(fields)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Fields::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Fields::default())
    }
}
