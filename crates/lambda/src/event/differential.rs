//! Our reading of an event against the reader of `lambda_http`, for one event of each kind.

use super::{Event, Front, HttpEvent};
use http::HeaderMap;
use labelrelay_tests::fixture;
use lambda_http::Body;
use lambda_http::aws_lambda_events::alb::AlbTargetGroupRequest;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::request::LambdaRequest;

/// The members of `theirs` that a delivery needs.
fn of_payload_v2(theirs: ApiGatewayV2httpRequest) -> ApiGatewayV2httpRequest {
    let mut needed = ApiGatewayV2httpRequest::default();
    needed.raw_path = theirs.raw_path;
    needed.headers = theirs.headers;
    let (ours, theirs) = (&mut needed.request_context, theirs.request_context);
    ours.stage = theirs.stage;
    ours.time_epoch = theirs.time_epoch;
    ours.http.method = theirs.http.method;
    ours.http.source_ip = theirs.http.source_ip;
    needed
}

/// The same. All of these fixtures have a route that tells the path; theirs keeps the base path of a domain in front.
fn of_payload_v1(theirs: ApiGatewayProxyRequest) -> ApiGatewayV2httpRequest {
    let mut needed = ApiGatewayV2httpRequest::default();
    needed.headers = lines(theirs.multi_value_headers, theirs.headers);
    let proxy = theirs.path_parameters.get("proxy");
    needed.raw_path = match proxy {
        Some(below) => Some(format!("/{below}")),
        None => theirs.path,
    };
    let (ours, theirs) = (&mut needed.request_context, theirs.request_context);
    ours.time_epoch = theirs.request_time_epoch;
    ours.http.method = theirs.http_method;
    ours.http.source_ip = theirs.identity.source_ip;
    needed
}

fn of_load_balancer(theirs: AlbTargetGroupRequest) -> ApiGatewayV2httpRequest {
    let mut needed = ApiGatewayV2httpRequest::default();
    needed.raw_path = theirs.path;
    needed.headers = lines(theirs.multi_value_headers, theirs.headers);
    let http = &mut needed.request_context.http;
    http.method = theirs.http_method;
    let forwarded = needed.headers.get("x-forwarded-for");
    http.source_ip = forwarded.map(|one| one.to_str().unwrap().to_owned());
    needed
}

fn lines(several: HeaderMap, single: HeaderMap) -> HeaderMap {
    if several.is_empty() { single } else { several }
}

#[test]
fn both_readers_find_the_same() {
    let (mut served, mut others) = (Vec::new(), 0);
    for path in fixture::files(&fixture::folder().join("lambda"), "json") {
        let bytes = std::fs::read(&path).unwrap();
        let ours: Event = serde_json::from_slice(&bytes).unwrap();
        let theirs: LambdaRequest = serde_json::from_slice(&bytes).unwrap();
        let name = path.display();
        let (front, text, is_base64, needed) = match theirs {
            LambdaRequest::ApiGatewayV2(mut theirs) => {
                let (text, is_base64) = (theirs.body.take(), theirs.is_base64_encoded);
                (Front::PayloadV2, text, is_base64, of_payload_v2(theirs))
            }
            LambdaRequest::ApiGatewayV1(mut theirs) => {
                let (text, is_base64) = (theirs.body.take(), theirs.is_base64_encoded);
                (Front::PayloadV1, text, is_base64, of_payload_v1(theirs))
            }
            LambdaRequest::Alb(mut theirs) => {
                let multi_value = !theirs.multi_value_headers.is_empty();
                let (text, is_base64) = (theirs.body.take(), theirs.is_base64_encoded);
                let front = Front::LoadBalancer { multi_value };
                (front, text, is_base64, of_load_balancer(theirs))
            }
            LambdaRequest::WebSocket(_) => {
                let Event::OtherHttp(whose) = ours else {
                    panic!("{name}: {ours:?}");
                };
                assert!(whose.contains("WebSocket"), "{name}: {whose}");
                others += 1;
                continue;
            }
            other => panic!("{name}: {other:?}"),
        };
        let Event::Http(ours) = ours else {
            panic!("{name}: {ours:?}");
        };
        let HttpEvent {
            front: found,
            request,
            body,
        } = *ours;
        let sent = Body::from_maybe_encoded(is_base64, &text.unwrap_or_default());
        assert_eq!(body.as_deref(), Ok(&*sent), "{name}");
        assert_eq!((found, request), (front, needed), "{name}");
        served.push(front);
    }
    for (front, count) in [
        (Front::PayloadV2, 5),
        (Front::PayloadV1, 4),
        (Front::LoadBalancer { multi_value: false }, 2),
        (Front::LoadBalancer { multi_value: true }, 2),
    ] {
        let found = served.iter().filter(|served| **served == front).count();
        assert!(found >= count, "{found} events of {front:?}");
    }
    assert!(others > 0, "an event that is not served");
}

/// A reason for a reader of our own: each of these loses a delivery in theirs.
#[test]
fn ours_reads_what_theirs_refuses() {
    let event = |members: &str| {
        format!(
            r#"{{"version":"2.0","rawPath":"/","requestContext":{{"http":{{"method":"POST"}},"timeEpoch":0}},{members}}}"#
        )
    };
    for members in [
        r#""headers":{"x-b":"\n"}"#,
        r#""headers":{"no name":"x"}"#,
        r#""isBase64Encoded":null"#,
    ] {
        let event = event(members);
        assert!(
            serde_json::from_str::<ApiGatewayV2httpRequest>(&event).is_err(),
            "theirs reads {members} now: is a reader of our own still needed?"
        );
        let ours = serde_json::from_str(&event);
        assert!(matches!(ours, Ok(Event::Http(_))), "{members}");
    }
}

/// Another reason: theirs takes the line that stands last for all.
#[test]
fn ours_keeps_both_lines_of_a_header() {
    let event = r#"{"resource":"/labelbox","path":"/labelbox","httpMethod":"POST","headers":{"x-hub-signature":"sha1=11"},
        "multiValueHeaders":{"x-hub-signature":["sha1=00","sha1=11"]},
        "requestContext":{"httpMethod":"POST","identity":{},"stage":"prod"},"body":"{}","isBase64Encoded":false}"#;
    let count = |headers: &HeaderMap| headers.get_all("x-hub-signature").iter().count();
    let theirs = lambda_http::request::from_str(event).unwrap();
    assert_eq!(
        count(theirs.headers()),
        1,
        "is a reader of our own still needed?"
    );
    let Ok(Event::Http(ours)) = serde_json::from_str(event) else {
        panic!("no request");
    };
    assert_eq!(count(&ours.request.headers), 2);
}
