//! Events of Lambda function URLs and API Gateway. Input: an event. Whatever it is, it is read without a
//! panic, and where `serde_json`'s own tree can hold it, both read the same request out of it.
//!
//! The two modules are the function's own files: its package would bring the AWS SDK along. They name the types of
//! events by `lambda_http`, which is this file here.

#![no_main]
#![allow(dead_code, missing_docs, unreachable_pub)]

extern crate self as lambda_http;

pub use aws_lambda_events;

#[path = "../../crates/lambda/src/event/mod.rs"]
mod event;
#[path = "../../crates/lambda/src/request_head.rs"]
mod request_head;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use event::{Event, HttpEvent, Undecodable};
use http::{HeaderName, HeaderValue, Method};
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
            let head = CLOCK.with(|clock| request_head::head(event.request.clone(), clock));
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
    let (request, read) = (&event.request, &event.request.request_context.http);
    let method = http["method"].as_str().map(str::parse);
    assert_eq!(
        read.method,
        method.and_then(Result::ok).unwrap_or(Method::TRACE)
    );
    assert_eq!(request.raw_path.as_deref(), tree["rawPath"].as_str());
    assert_eq!(read.source_ip.as_deref(), http["sourceIp"].as_str());
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
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = value
                .as_str()
                .map(|value| HeaderValue::from_bytes(value.as_bytes()));
            if let (Ok(name), Some(Ok(value))) = (name, value) {
                assert!(
                    request
                        .headers
                        .get_all(name)
                        .iter()
                        .any(|line| line == value)
                );
            }
        }
    }
}
