use super::*;

fn of(json: &str) -> Event {
    // The way the runtime does it: from bytes.
    serde_json::from_slice(json.as_bytes()).unwrap()
}

fn http(json: &str) -> HttpEvent {
    match of(json) {
        Event::Http(event) => *event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request() {
    let event = http(
        r#"{"version":"2.0","routeKey":"$default","rawPath":"/labelbox","rawQueryString":"a=b",
        "headers":{"X-Hub-Signature":"sha1=00","accept":"*/*"},
        "requestContext":{"accountId":"anonymous","http":{"method":"POST","path":"/labelbox","sourceIp":"192.0.2.1"},"stage":"$default","timeEpoch":1583348638390},
        "body":"{\"a\":1}","isBase64Encoded":false}"#,
    );
    let context = &event.request.request_context;
    assert_eq!(context.http.method, Method::POST);
    assert_eq!(event.request.raw_path.as_deref(), Some("/labelbox"));
    assert_eq!(context.time_epoch, 1_583_348_638_390);
    assert_eq!(event.request.headers["x-hub-signature"], "sha1=00");
    assert_eq!(context.http.source_ip.as_deref(), Some("192.0.2.1"));
    assert_eq!(event.body.as_deref(), Ok(&br#"{"a":1}"#[..]));
    assert!(!format!("{event:?}").contains("sha1"));
}

#[test]
fn members_that_are_null_or_of_another_kind_are_absent() {
    for more in [
        r#""headers":null,"rawPath":null,"body":null,"isBase64Encoded":null,"requestContext":{"http":{"method":null,"sourceIp":null},"stage":null,"timeEpoch":null}"#,
        r#""headers":[],"rawPath":7,"requestContext":{"http":{"method":[],"sourceIp":{}},"stage":1,"timeEpoch":"now"}"#,
        r#""requestContext":{"http":{}}"#,
    ] {
        let event = http(&format!(r#"{{"version":"2.0",{more}}}"#));
        assert_eq!(event.body, Ok(Bytes::new()));
        let mut nothing = ApiGatewayV2httpRequest::default();
        nothing.request_context.http.method = Method::TRACE;
        assert_eq!(event.request, nothing);
    }
}

#[test]
fn names_in_any_case_are_one_header_and_what_is_no_header_is_left_out() {
    let event = http(
        r#"{"version":"2.0","requestContext":{"http":{}},
        "headers":{"X-A":"1","x-a":"2","no name":"3","x-b":"\n","x-c":7,"x-d":"\u00e9"}}"#,
    );
    let headers = event.request.headers;
    let lines: Vec<_> = headers.get_all("x-a").iter().collect();
    assert_eq!(lines, ["1", "2"]);
    assert_eq!(headers["x-d"].as_bytes(), "\u{e9}".as_bytes());
    assert_eq!(headers.len(), 3);
}

#[test]
fn the_flag_counts_wherever_it_stands() {
    for members in [
        r#""isBase64Encoded":true,"body":"e30=""#,
        r#""body":"e30=","isBase64Encoded":true"#,
        r#""body":"no","isBase64Encoded":false,"body":"e30=","isBase64Encoded":true"#,
    ] {
        let event = http(&format!(
            r#"{{"version":"2.0","requestContext":{{"http":{{}}}},{members}}}"#
        ));
        assert_eq!(event.body.as_deref(), Ok(&b"{}"[..]), "{members}");
    }
}

#[test]
fn everything_else_is_named() {
    let cases = [
        (
            r#"{"httpMethod":"POST","resource":"/","requestContext":{"stage":"prod"},"headers":{}}"#,
            Some("1.0"),
        ),
        (
            r#"{"version":"1.0","httpMethod":"POST","requestContext":{}}"#,
            Some("1.0"),
        ),
        (
            r#"{"httpMethod":"POST","requestContext":{"elb":{"targetGroupArn":"x"}}}"#,
            Some("load balancer"),
        ),
        (
            r#"{"requestContext":{"connectionId":"x","routeKey":"$connect"}}"#,
            Some("WebSocket"),
        ),
        (r#"{"key1":"value1"}"#, None),
        (
            r#"{"version":"0","source":"aws.scheduler","detail":{}}"#,
            None,
        ),
        (r#"{"version":"2.0","requestContext":{"http":null}}"#, None),
        (r#"{"version":"2.0","requestContext":null}"#, None),
        ("[1,{}]", None),
        ("\"text\"", None),
        ("1", None),
        ("-1", None),
        ("0.5", None),
        ("true", None),
        ("null", None),
    ];
    for (json, expected) in cases {
        match (of(json), expected) {
            (Event::OtherHttp(whose), Some(part)) => assert!(whose.contains(part), "{whose}"),
            (Event::NotHttp, None) => {}
            (other, _) => panic!("{json}: {other:?}"),
        }
    }
}
