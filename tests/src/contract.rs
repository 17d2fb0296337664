//! The contract's files, and events held to them.

use crate::export::Exported;
use jsonschema::Validator;
use labelrelay_event::Envelope;
use labelrelay_event::payload::DataSchema;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The JSON Schemas of the folder `schemas`.
pub struct Contract {
    envelope: Validator,
    data: HashMap<String, Validator>,
}

impl Contract {
    /// Reads them; each must be a schema.
    pub fn read() -> Self {
        let data = DataSchema::ALL.into_iter().map(|schema| {
            let name = schema.urn().trim_start_matches("urn:labelrelay:schema:");
            let file = format!("{}.schema.json", name.replace(':', "-"));
            (schema.urn().to_owned(), validator(&file))
        });
        Self {
            envelope: validator("envelope.schema.json"),
            data: data.collect(),
        }
    }

    /// The envelope is as its schema says, and its data as the one that it names; the types read it, too.
    pub fn check(&self, name: &str, event: &Exported) {
        // A body that a consumer's parser refuses is in base64, and is held to nothing.
        let envelope: Value = serde_json::from_slice(&event.envelope).unwrap();
        valid(&self.envelope, name, &envelope);
        let read = Envelope::decode(&event.envelope).unwrap().payload();
        let Some(urn) = &event.attributes.dataschema else {
            assert!(read.is_err(), "{name}: no shape, and yet it was read");
            return;
        };
        read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let data = &self.data[urn];
        if let Some(value) = envelope.get("data") {
            valid(data, name, value);
        }
    }
}

fn valid(validator: &Validator, name: &str, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

fn validator(file: &str) -> Validator {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Path of the contract's files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}
