//! Events of Lambda function URLs, API Gateway and load balancers. Input: an event. Whatever it is, it is read without a
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
use event::{Event, Front, HttpEvent, Undecodable};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
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
                let is_known = is_payload_v2(&tree)
                    || is_load_balancer(&tree)
                    || tree["version"].is_null() && is_payload_v1(&tree);
                assert!(!is_known, "a request was not recognised");
            }
        }
        Err(_) => assert!(tree.is_none(), "JSON was not read"),
    }
});

fn is_payload_v2(tree: &Value) -> bool {
    tree["version"] == "2.0" && tree["requestContext"]["http"].is_object()
}

fn is_load_balancer(tree: &Value) -> bool {
    tree["requestContext"]["elb"].is_object()
}

fn is_payload_v1(tree: &Value) -> bool {
    let is_web_socket = tree["requestContext"].get("connectionId").is_some();
    !is_web_socket && tree.get("httpMethod").is_some()
}

fn assert_same(event: &HttpEvent, tree: &Value) {
    let context = &tree["requestContext"];
    let (request, read) = (&event.request, &event.request.request_context.http);
    let method = match event.front {
        Front::PayloadV2 => {
            assert!(is_payload_v2(tree));
            assert_eq!(request.raw_path.as_deref(), tree["rawPath"].as_str());
            assert_eq!(
                read.source_ip.as_deref(),
                context["http"]["sourceIp"].as_str()
            );
            assert_header_lines(&request.headers, &tree["headers"]);
            &context["http"]["method"]
        }
        Front::PayloadV1 => {
            assert!(is_payload_v1(tree));
            // What stands in front of the route is left out, and nothing else.
            let path = tree["path"].as_str();
            match (&request.raw_path, path) {
                (Some(read), Some(path)) => assert!(path.ends_with(read.as_str()) || read == "/"),
                (read, path) => assert_eq!((read.is_none(), path), (true, None)),
            }
            assert_eq!(
                read.source_ip.as_deref(),
                context["identity"]["sourceIp"].as_str()
            );
            assert_all_header_lines(&request.headers, tree);
            &tree["httpMethod"]
        }
        Front::LoadBalancer { multi_value } => {
            assert!(is_load_balancer(tree));
            assert_eq!(multi_value, tree["multiValueHeaders"].is_object());
            assert_eq!(request.raw_path.as_deref(), tree["path"].as_str());
            assert_all_header_lines(&request.headers, tree);
            &tree["httpMethod"]
        }
    };
    let method = method.as_str().map(str::parse);
    assert_eq!(
        read.method,
        method.and_then(Result::ok).unwrap_or(Method::TRACE)
    );
    let text = match &tree["body"] {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if tree["isBase64Encoded"] == true => {
            STANDARD.decode(text).map_err(|_| Undecodable::Base64)
        }
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        _ => Err(Undecodable::NotText),
    };
    assert_eq!(event.body.as_deref(), text.as_deref());
}

/// All lines of the one member, and of the other only where the first is not there. A name that stands twice in the
/// first has a line that the tree does not show, so that nothing can be said where the tree shows none.
fn assert_all_header_lines(read: &HeaderMap, tree: &Value) {
    assert_header_lines(read, &tree["multiValueHeaders"]);
    if !tree["multiValueHeaders"].is_object() {
        assert_header_lines(read, &tree["headers"]);
    }
}

fn assert_header_lines(read: &HeaderMap, headers: &Value) {
    for (name, value) in lines(headers) {
        assert!(read.get_all(name).iter().any(|line| *line == value));
    }
}

/// The lines in a member that are lines.
fn lines(headers: &Value) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let members = headers.as_object().into_iter().flatten();
    members.flat_map(|(name, value)| {
        let texts = match value {
            Value::Array(texts) => texts.as_slice(),
            value => std::slice::from_ref(value),
        };
        texts.iter().filter_map(move |text| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let line = HeaderValue::from_bytes(text.as_str()?.as_bytes()).ok()?;
            Some((name, line))
        })
    })
}
