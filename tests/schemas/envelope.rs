//! The schema of the envelope.

use crate::{DIALECT, File};
use labelrelay_event::Attributes;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

pub(crate) const FILE: &str = "envelope.schema.json";

pub(crate) fn file() -> File {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Attributes>().to_value();
    schema["$schema"] = DIALECT.into();
    schema["$id"] = "urn:labelrelay:schema:envelope:1".into();
    schema["title"] = "Event of labelrelay".into();
    schema["description"] = "A CloudEvents 1.0 envelope in JSON, as it lies on a queue. The sender's bytes are its last \
        member, verbatim. Members that this schema does not name are allowed."
        .into();
    let members = schema["properties"].as_object_mut().expect("a struct");
    members["specversion"] = json!({ "const": labelrelay_event::SPEC_VERSION });
    for (name, pattern) in [
        ("datasha256", "^[0-9a-f]{64}$"),
        ("source", "^/"),
        ("type", "^(com\\.labelbox|io\\.labelstud)\\."),
        ("dataschema", "^urn:labelrelay:schema:"),
    ] {
        members[name]["pattern"] = pattern.into();
    }
    for name in ["time", "receivedtime", "replayedtime"] {
        members[name]["format"] = "date-time".into();
    }
    members["id"]["minLength"] = 1.into();
    // Attributes are left out and never null.
    for member in members.values_mut() {
        without_null(member);
    }
    // A word of a later version is no error.
    open(
        &mut schema,
        "origin",
        "reconcile, derived, or a word of a later version",
    );
    schema["properties"]["data"] = json!({
        "description": "The sender's body: one JSON object or array that every parser reads to the same data.",
        "type": ["object", "array"],
    });
    schema["properties"]["data_base64"] = json!({
        "description": "The sender's body in base64: no JSON, or JSON that some parsers refuse or change.",
        "type": "string",
        "contentEncoding": "base64",
    });
    schema["oneOf"] = json!([
        { "required": ["data"] },
        { "required": ["data_base64"] },
        { "required": ["dataref"], "not": { "anyOf": [{ "required": ["data"] }, { "required": ["data_base64"] }] } },
    ]);
    (FILE.to_owned(), schema)
}

fn without_null(member: &mut Value) {
    if let Some(kinds) = member.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = &kinds[..] {
            member["type"] = only.clone();
        }
    }
    if let Some(choices) = member.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = &choices[..] {
            let only = only.clone();
            let members = member.as_object_mut().expect("a schema");
            members.remove("anyOf");
            members.extend(only.as_object().expect("a schema").clone());
        }
    }
}

fn open(schema: &mut Value, name: &str, description: &str) {
    schema["properties"][name] = json!({
        "description": format!("How the event reached the relay, when not as a delivery: {description}."),
        "type": "string",
    });
}
