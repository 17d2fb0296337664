//! JSON for comparing: each number as the double that it is, since `serde_json` rounds some of them.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The value with its numbers as text: an integer in its digits, any other with all digits of its double.
pub(crate) fn exact(text: &str) -> Value {
    let text = text.trim();
    match text.bytes().next() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
            let members = members
                .into_iter()
                .map(|(name, held)| (name, exact(held.get())));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            items.into_iter().map(|held| exact(held.get())).collect()
        }
        Some(b'-' | b'0'..=b'9') => {
            let number: f64 = text.parse().unwrap();
            let is_integer = text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_digit());
            if is_integer {
                json!({ "integer": text })
            } else {
                json!({ "double": format!("{number:?}") })
            }
        }
        _ => serde_json::from_str(text).unwrap(),
    }
}
