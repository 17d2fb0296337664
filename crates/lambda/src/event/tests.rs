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
fn a_rest_api_has_all_lines_and_the_base_path_of_its_domain() {
    let event = http(
        r#"{"resource":"/{proxy+}","path":"/hooks/prod/label%2Dstudio","httpMethod":"POST","headers":{"X-A":"2","X-B":"3"},
        "multiValueHeaders":{"X-A":["1","2"],"X-B":["3"]},"pathParameters":{"proxy":"label-studio"},
        "requestContext":{"stage":"prod","path":"/hooks/prod/label%2Dstudio","requestTimeEpoch":1583349317135,"httpMethod":"POST",
        "identity":{"sourceIp":"192.0.2.1","userAgent":null}},"body":"e30=","isBase64Encoded":true}"#,
    );
    assert_eq!(event.front, Front::PayloadV1);
    let (request, context) = (&event.request, &event.request.request_context);
    assert_eq!(context.http.method, Method::POST);
    assert_eq!(request.raw_path.as_deref(), Some("/label%2Dstudio"));
    assert_eq!(context.stage, None, "the path has no stage any more");
    assert_eq!(context.time_epoch, 1_583_349_317_135);
    assert_eq!(context.http.source_ip.as_deref(), Some("192.0.2.1"));
    let lines: Vec<_> = request.headers.get_all("x-a").iter().collect();
    assert_eq!(lines, ["1", "2"]);
    assert_eq!(request.headers["x-b"], "3");
    assert_eq!(event.body.as_deref(), Ok(&b"{}"[..]));
}

/// Red if somebody who maps `label-studio` of a domain to the API, and enters that as the URL, reaches the default source.
#[test]
fn a_base_path_that_is_all_of_the_path_stays() {
    for path in ["/label-studio", "/label-studio/"] {
        let event = http(&format!(
            r#"{{"resource":"/","path":"{path}","httpMethod":"POST","pathParameters":null,"requestContext":{{"stage":"prod"}}}}"#
        ));
        assert_eq!(event.request.raw_path.as_deref(), Some(path));
    }
}

#[test]
fn where_no_route_tells_the_stage_does() {
    for route in [r#""resource":"$default""#, r#""resource":"/{proxy+}""#] {
        let event = http(&format!(
            r#"{{"version":"1.0","httpMethod":"POST",{route},"path":"/prod/labelbox","pathParameters":null,
            "requestContext":{{"stage":"prod"}},"headers":{{"x-a":"1"}}}}"#
        ));
        assert_eq!(event.front, Front::PayloadV1, "{route}");
        let request = &event.request;
        assert_eq!(request.raw_path.as_deref(), Some("/prod/labelbox"));
        assert_eq!(request.request_context.stage.as_deref(), Some("prod"));
        assert_eq!(request.headers["x-a"], "1", "{route}");
    }
}

#[test]
fn a_load_balancer_has_headers_of_either_kind() {
    for (members, multi_value, forwarded, expected) in [
        (
            r#""headers":{"x-forwarded-for":"6.6.6.6, 192.0.2.1"}"#,
            false,
            1,
            Some("192.0.2.1"),
        ),
        (
            r#""multiValueHeaders":{"x-forwarded-for":["6.6.6.6, 192.0.2.1:47"]}"#,
            true,
            1,
            Some("192.0.2.1:47"),
        ),
        // Nobody says which of the two the balancer has written to.
        (
            r#""multiValueHeaders":{"x-forwarded-for":["192.0.2.1","6.6.6.6"]}"#,
            true,
            2,
            None,
        ),
        (
            r#""multiValueHeaders":{"x-forwarded-for":[""]}"#,
            true,
            1,
            None,
        ),
        (r#""multiValueHeaders":{}"#, true, 0, None),
        (r#""multiValueHeaders":null,"headers":null"#, false, 0, None),
        // What they say counts, and not what is beside them.
        (
            r#""multiValueHeaders":{"x-a":[]},"headers":{"x-forwarded-for":"192.0.2.1"}"#,
            true,
            1,
            Some("192.0.2.1"),
        ),
        (
            r#""multiValueHeaders":{"x-a":["1"]},"headers":{"x-forwarded-for":"192.0.2.1"}"#,
            true,
            0,
            None,
        ),
    ] {
        let event = http(&format!(
            r#"{{"requestContext":{{"elb":{{"targetGroupArn":"x"}}}},"httpMethod":"POST","path":"/a%20b",{members},
            "queryStringParameters":{{"a":"%20"}},"body":"","isBase64Encoded":false}}"#
        ));
        assert_eq!(
            event.front,
            Front::LoadBalancer { multi_value },
            "{members}"
        );
        let http = &event.request.request_context.http;
        assert_eq!(http.method, Method::POST);
        assert_eq!(http.source_ip.as_deref(), expected, "{members}");
        assert_eq!(event.request.raw_path.as_deref(), Some("/a%20b"));
        let lines = event.request.headers.get_all("x-forwarded-for").iter();
        assert_eq!(lines.count(), forwarded, "{members}");
        assert_eq!(event.body, Ok(Bytes::new()));
    }
}

#[test]
fn a_list_of_lines_has_all_that_are_text() {
    let event = http(
        r#"{"httpMethod":"POST","multiValueHeaders":{"X-A":["1",null,{"a":[2]},"3"],"x-a":"4","x-b":7,"x-c":[["5"]],"no name":["6"]}}"#,
    );
    let lines: Vec<_> = event.request.headers.get_all("x-a").iter().collect();
    assert_eq!(lines, ["1", "3", "4"]);
    assert_eq!(event.request.headers.len(), 3);
}

#[test]
fn the_members_of_other_fronts_are_absent_or_of_another_kind() {
    for json in [
        r#"{"httpMethod":null,"path":null,"resource":null,"requestContext":null,"headers":[],"multiValueHeaders":[],"body":null}"#,
        r#"{"httpMethod":"no method","path":{},"resource":7,"pathParameters":[],"requestContext":{"identity":null,"stage":1,"requestTimeEpoch":"now"},"multiValueHeaders":"x"}"#,
        r#"{"httpMethod":7,"requestContext":{"elb":{},"identity":{"sourceIp":"192.0.2.1"},"stage":"prod"},"path":7,"headers":7}"#,
    ] {
        let event = http(json);
        assert_eq!(event.body, Ok(Bytes::new()), "{json}");
        let mut nothing = ApiGatewayV2httpRequest::default();
        nothing.request_context.http.method = Method::TRACE;
        assert_eq!(event.request, nothing, "{json}");
    }
}

#[test]
fn few_members_tell_the_front() {
    let v1 = Front::PayloadV1;
    let cases = [
        (
            r#"{"version":"2.0","requestContext":{"http":{}}}"#,
            Front::PayloadV2,
        ),
        (
            r#"{"version":"2.0","httpMethod":"POST","requestContext":{"http":{},"elb":{}}}"#,
            Front::PayloadV2,
        ),
        (
            r#"{"httpMethod":"POST","resource":"/","requestContext":{"stage":"prod"},"headers":{}}"#,
            v1,
        ),
        (
            r#"{"version":"1.0","httpMethod":"POST","requestContext":{}}"#,
            v1,
        ),
        (r#"{"httpMethod":"POST"}"#, v1),
        (r#"{"httpMethod":"POST","requestContext":{"elb":null}}"#, v1),
        (
            r#"{"httpMethod":"POST","requestContext":{"elb":{"targetGroupArn":"x"}}}"#,
            Front::LoadBalancer { multi_value: false },
        ),
        (
            r#"{"requestContext":{"elb":{}},"multiValueHeaders":{}}"#,
            Front::LoadBalancer { multi_value: true },
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(http(json).front, expected, "{json}");
    }
}

#[test]
fn everything_else_is_named() {
    let cases = [
        (
            r#"{"requestContext":{"connectionId":"x","routeKey":"$connect"}}"#,
            Some("WebSocket"),
        ),
        (
            r#"{"version":"3.0","httpMethod":"POST","requestContext":{}}"#,
            Some("not known"),
        ),
        (
            r#"{"version":"2.0","httpMethod":"POST","requestContext":{"http":null}}"#,
            Some("not known"),
        ),
        (
            r#"{"version":"2.0","path":"/labelbox","method":"POST","headers":{"host":["x"]},"requestContext":{"serviceNetworkArn":"arn:aws:vpc-lattice:x","identity":{},"timeEpoch":"1"}}"#,
            Some("VPC Lattice"),
        ),
        (
            r#"{"raw_path":"/labelbox","method":"POST","headers":{},"body":"{}","is_base64_encoded":false}"#,
            Some("VPC Lattice"),
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
