//! The members of an event, found in one pass and left as they are written.

use super::body::{self, Undecodable};
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
    path: Option<&'de RawValue>,
    headers: Option<&'de RawValue>,
    context: Option<&'de RawValue>,
    body: Option<&'de RawValue>,
    is_base64: Option<&'de RawValue>,
    pub(super) has_http_method: bool,
}

/// `requestContext`, as far as it matters.
#[derive(Default)]
pub(super) struct Context {
    pub(super) http: Option<Http>,
    pub(super) stage: Option<String>,
    pub(super) time_epoch: Option<i64>,
    pub(super) elb: bool,
    pub(super) websocket: bool,
}

/// `requestContext.http`.
pub(super) struct Http {
    pub(super) method: Option<String>,
    pub(super) source_ip: Option<String>,
}

impl Fields<'_> {
    pub(super) fn version(&self) -> Option<String> {
        text(self.version)
    }

    pub(super) fn path(&self) -> Option<String> {
        text(self.path)
    }

    /// Names in any case are one header, with all of its lines. What is no header is left out: the rest of the
    /// request counts.
    pub(super) fn headers(&self) -> HeaderMap {
        let members = members(self.headers);
        let mut headers = HeaderMap::new();
        for (name, value) in members {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = text(Some(value)).map(|value| HeaderValue::from_bytes(value.as_bytes()));
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                // More than a map holds is more than any front lets through.
                let _ = headers.try_append(name, value);
            }
        }
        headers
    }

    pub(super) fn context(&self) -> Option<Context> {
        self.context?;
        let mut context = Context::default();
        for (name, value) in members(self.context) {
            match name.as_str() {
                "http" => context.http = http(value),
                "stage" => context.stage = text(Some(value)),
                "timeEpoch" => context.time_epoch = serde_json::from_str(value.get()).ok(),
                "elb" => context.elb = true,
                "connectionId" => context.websocket = true,
                _ => {}
            }
        }
        Some(context)
    }

    pub(super) fn body(&self) -> Result<Bytes, Undecodable> {
        let is_base64 = self.is_base64.is_some_and(|raw| raw.get() == "true");
        match self.body.map(RawValue::get) {
            None | Some("null") => Ok(Bytes::new()),
            Some(raw) => body::decode(raw, is_base64).map(Bytes::from),
        }
    }
}

fn http(raw: &RawValue) -> Option<Http> {
    // `null` stands for what is not there.
    if !raw.get().starts_with('{') {
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

/// A member that is text; anything else is as if it were not there.
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
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
                "rawPath" => &mut fields.path,
                "headers" => &mut fields.headers,
                "requestContext" => &mut fields.context,
                "body" => &mut fields.body,
                "isBase64Encoded" => &mut fields.is_base64,
                name => {
                    fields.has_http_method |= name == "httpMethod";
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
