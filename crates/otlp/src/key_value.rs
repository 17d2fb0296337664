//! Attributes, as the messages have them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    of(key, Value::StringValue(value.into()))
}

pub(crate) fn number(key: &str, value: i64) -> KeyValue {
    of(key, Value::IntValue(value))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Adds an attribute, if it has a value.
pub(crate) fn push(attributes: &mut Vec<KeyValue>, key: &str, value: Option<String>) {
    attributes.extend(value.map(|value| text(key, value)));
}

/// This program.
pub(crate) fn resource(attributes: &[(String, String)]) -> Resource {
    let attributes = attributes.iter();
    Resource {
        attributes: attributes.map(|(key, value)| text(key, value)).collect(),
        ..Resource::default()
    }
}

/// The part of it that tells.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "labelrelay".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
