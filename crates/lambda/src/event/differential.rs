//! Our reading of an event against the reader of `lambda_http`, for one event of each kind.

use super::{Event, HttpEvent};
use labelrelay_tests::fixture;
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;

/// The members of `theirs` that a delivery needs.
fn needed(theirs: ApiGatewayV2httpRequest) -> ApiGatewayV2httpRequest {
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

#[test]
fn both_readers_find_the_same() {
    let (mut served, mut others) = (0, 0);
    for path in fixture::files(&fixture::folder().join("lambda"), "json") {
        let bytes = std::fs::read(&path).unwrap();
        let ours: Event = serde_json::from_slice(&bytes).unwrap();
        let theirs: LambdaRequest = serde_json::from_slice(&bytes).unwrap();
        let name = path.display();
        let kind = match theirs {
            LambdaRequest::ApiGatewayV2(mut theirs) => {
                let Event::Http(ours) = ours else {
                    panic!("{name}: {ours:?}");
                };
                let HttpEvent { request, body } = *ours;
                let text = theirs.body.take().unwrap_or_default();
                let sent = Body::from_maybe_encoded(theirs.is_base64_encoded, &text);
                assert_eq!(body.as_deref(), Ok(&*sent), "{name}");
                assert_eq!(request, needed(theirs), "{name}");
                served += 1;
                continue;
            }
            LambdaRequest::ApiGatewayV1(_) => "payload format 1.0",
            LambdaRequest::Alb(_) => "load balancer",
            LambdaRequest::WebSocket(_) => "WebSocket",
            other => panic!("{name}: {other:?}"),
        };
        let Event::OtherHttp(whose) = ours else {
            panic!("{name}: {ours:?}");
        };
        assert!(whose.contains(kind), "{name}: {whose}, not {kind}");
        others += 1;
    }
    assert!(served >= 5 && others >= 5, "{served} and {others} events");
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
