//! Events, as Lambda makes them of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_testkit::request::TestRequest;
use serde_json::{Map, Value, json};

/// Who puts the event together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    FunctionUrl,
    /// An HTTP API with this stage, and payload format 2.0.
    HttpApi(&'static str),
    /// An HTTP API with this stage, its route `$default`, and payload format 1.0.
    HttpApiV1(&'static str),
    /// A REST API behind this base path of a custom domain; the empty one is its own address.
    RestApi(&'static str),
    LoadBalancer {
        multi_value: bool,
    },
}

/// Encoding of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As text, where it is text.
    Text,
    Base64,
}

/// Address of all senders.
const SENDER: &str = "127.0.0.1";

/// The event that Lambda would make of `request`, at `millis` since 1970.
pub(crate) fn event(front: Front, form: Form, request: &TestRequest, millis: i64) -> Value {
    let mut event = match front {
        Front::FunctionUrl => payload_v2("$default", front, request, millis),
        Front::HttpApi(stage) => payload_v2(stage, front, request, millis),
        Front::HttpApiV1(stage) => http_api_v1(stage, request, millis),
        Front::RestApi(base) => rest_api(base, request, millis),
        Front::LoadBalancer { multi_value } => load_balancer(multi_value, request),
    };
    let text = std::str::from_utf8(&request.body)
        .ok()
        .filter(|_| form == Form::Text);
    let body = text.map_or_else(|| STANDARD.encode(&request.body), str::to_owned);
    let is_empty = request.body.is_empty();
    let is_null = is_empty && !matches!(front, Front::LoadBalancer { .. });
    event["body"] = if is_null { Value::Null } else { body.into() };
    event["isBase64Encoded"] = (text.is_none() && !is_empty).into();
    event
}

fn payload_v2(stage: &str, front: Front, request: &TestRequest, millis: i64) -> Value {
    let (path, query) = path_and_query(request);
    let raw_path = below_stage(stage, path);
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "cookies": ["a=b"],
        "headers": joined_headers(front, request),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghij",
            "authentication": null,
            "authorizer": null,
            "domainName": "abcdefghij.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abcdefghij",
            "http": {
                "method": request.method.as_str(),
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": SENDER,
                "userAgent": null,
            },
            "requestId": "request",
            "routeKey": "$default",
            "stage": stage,
            "time": "21/Nov/2026:09:47:10 +0000",
            "timeEpoch": millis,
        },
        "pathParameters": null,
        "stageVariables": null,
    })
}

fn http_api_v1(stage: &str, request: &TestRequest, millis: i64) -> Value {
    let path = below_stage(stage, path_and_query(request).0);
    let mut event = payload_v1(&path, stage, request, millis);
    event["version"] = "1.0".into();
    event["resource"] = "$default".into();
    event["pathParameters"] = Value::Null;
    event
}

/// Its own address has the stage in front, and not in `path`; a custom domain has its base path in both.
fn rest_api(base: &str, request: &TestRequest, millis: i64) -> Value {
    let (path, _) = path_and_query(request);
    let mut event = payload_v1(&format!("{base}{path}"), "prod", request, millis);
    if base.is_empty() {
        event["requestContext"]["path"] = format!("/prod{path}").into();
    }
    let below = path.trim_start_matches('/');
    if below.is_empty() {
        event["resource"] = "/".into();
        event["pathParameters"] = Value::Null;
    } else {
        let decoded = below.replace("%20", " ");
        event["resource"] = "/{proxy+}".into();
        event["pathParameters"] = json!({"proxy": decoded});
    }
    event
}

/// Without the members that tell the route.
fn payload_v1(path: &str, stage: &str, request: &TestRequest, millis: i64) -> Value {
    let query = query(request, |value| value.replace("%20", " "));
    json!({
        "path": path,
        "httpMethod": request.method.as_str(),
        "headers": last_lines(request, mixed_case),
        "multiValueHeaders": all_lines(request, mixed_case),
        "queryStringParameters": query.clone().map(single),
        "multiValueQueryStringParameters": query,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "authorizer": null,
            "domainName": "hooks.example.com",
            "httpMethod": request.method.as_str(),
            "identity": { "accessKey": null, "sourceIp": SENDER, "userAgent": null },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "request",
            "requestTime": "21/Nov/2026:09:47:10 +0000",
            "requestTimeEpoch": millis,
            "resourceId": null,
            "stage": stage,
        },
        "stageVariables": null,
    })
}

/// The sender's address is in a header alone, behind what the sender has written there.
fn load_balancer(multi_value: bool, request: &TestRequest) -> Value {
    let forwarded = request.headers.get("x-forwarded-for");
    let forwarded = match forwarded.and_then(|value| value.to_str().ok()) {
        Some(claimed) => format!("{claimed}, {SENDER}"),
        None => SENDER.to_owned(),
    };
    let request = request
        .clone()
        .without("x-forwarded-for")
        .header("x-forwarded-for", &forwarded);
    let target_group =
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/relay/49e9d65c45c6791a";
    let mut event = json!({
        "requestContext": { "elb": { "targetGroupArn": target_group } },
        "httpMethod": request.method.as_str(),
        "path": path_and_query(&request).0,
    });
    // Still encoded.
    let query = query(&request, str::to_owned).unwrap_or_default();
    if multi_value {
        event["multiValueQueryStringParameters"] = query.into();
        event["multiValueHeaders"] = all_lines(&request, str::to_owned).into();
    } else {
        event["queryStringParameters"] = single(query).into();
        event["headers"] = last_lines(&request, str::to_owned).into();
    }
    event
}

fn path_and_query(request: &TestRequest) -> (&str, &str) {
    request.path.split_once('?').unwrap_or((&request.path, ""))
}

fn below_stage(stage: &str, path: &str) -> String {
    match stage {
        "$default" => path.to_owned(),
        stage => format!("/{stage}{path}"),
    }
}

/// The query's members, each with a list of values that `decoded` has made; nothing without a query.
fn query(request: &TestRequest, decoded: fn(&str) -> String) -> Option<Map<String, Value>> {
    let (_, query) = path_and_query(request);
    if query.is_empty() {
        return None;
    }
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), json!([decoded(value)]))
    });
    Some(pairs.collect())
}

/// The last value of each list.
fn single(lists: Map<String, Value>) -> Map<String, Value> {
    let last = |list: Value| list.as_array().and_then(|list| list.last()).cloned();
    lists
        .into_iter()
        .map(|(name, list)| (name, last(list).unwrap()))
        .collect()
}

/// Repeated lines are joined. AWS writes names in lower case; that nobody relies on it shows here.
fn joined_headers(front: Front, request: &TestRequest) -> Map<String, Value> {
    let name: fn(&str) -> String = match front {
        Front::FunctionUrl => str::to_owned,
        _ => mixed_case,
    };
    let joined = |lines: Value| {
        let lines: Vec<_> = lines.as_array().unwrap().iter().map(text).collect();
        Value::from(lines.join(","))
    };
    let lines = all_lines(request, name).into_iter();
    lines.map(|(name, lines)| (name, joined(lines))).collect()
}

/// The last line of each header.
fn last_lines(request: &TestRequest, name: fn(&str) -> String) -> Map<String, Value> {
    single(all_lines(request, name))
}

/// All lines of each header.
fn all_lines(request: &TestRequest, shown: fn(&str) -> String) -> Map<String, Value> {
    let mut headers = Map::new();
    for name in request.headers.keys() {
        let lines = request.headers.get_all(name).iter();
        let lines: Vec<_> = lines
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers.insert(shown(name.as_str()), json!(lines));
    }
    headers
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn mixed_case(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let shown = if upper { c.to_ascii_uppercase() } else { c };
            upper = c == '-';
            shown
        })
        .collect()
}
