//! Events of Lambda function URLs and API Gateway. Input: an event. Whatever it is, it is read without a
//! panic, and where `serde_json`'s own tree can hold it, both read the same request out of it.
//!
//! The two modules are the function's own files: its package would bring the AWS SDK along.

#![no_main]
#![allow(dead_code, missing_docs, unreachable_pub)]

#[path = "../../crates/lambda/src/event/mod.rs"]
mod event;
#[path = "../../crates/lambda/src/head.rs"]
mod head;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use event::{Event, HttpEvent, Undecodable};
use labelrelay_testkit::clock::FakeClock;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

thread_local! {
    static CLOCK: FakeClock = FakeClock::at("2026-01-15T12:00:00Z");
}

fuzz_target!(|data: &[u8]| {
    let event = serde_json::from_slice::<Event>(data);
    let tree = serde_json::from_slice::<Value>(data).ok();
    match event {
        Ok(Event::Http(event)) => {
            let head = CLOCK.with(|clock| head::head(&event, clock));
            assert!(!head.path.is_empty());
            if let Some(tree) = tree {
                assert_same(&event, &tree);
            }
        }
        Ok(Event::OtherHttp(_) | Event::NotHttp) => {
            if let Some(tree) = tree {
                let is_ours =
                    tree["version"] == "2.0" && tree["requestContext"]["http"].is_object();
                assert!(!is_ours, "a request was not recognised");
            }
        }
        Err(_) => assert!(tree.is_none(), "JSON was not read"),
    }
});

fn assert_same(event: &HttpEvent, tree: &Value) {
    assert_eq!(tree["version"], "2.0");
    let http = &tree["requestContext"]["http"];
    assert_eq!(event.method, http["method"].as_str().unwrap_or_default());
    assert_eq!(event.path, tree["rawPath"].as_str().unwrap_or_default());
    assert_eq!(event.source_ip.as_deref(), http["sourceIp"].as_str());
    let text = match &tree["body"] {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if tree["isBase64Encoded"] == true => {
            STANDARD.decode(text).map_err(|_| Undecodable::Base64)
        }
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        _ => Err(Undecodable::NotText),
    };
    assert_eq!(event.body.as_deref(), text.as_deref());
    if let Value::Object(headers) = &tree["headers"] {
        for (name, value) in headers {
            // Of two lines with one name the tree keeps the last.
            if let Some(value) = value.as_str() {
                let mut lines = event.headers.iter().rev().filter(|(line, _)| line == name);
                assert_eq!(lines.next().map(|(_, line)| line.as_str()), Some(value));
            }
        }
    }
}
