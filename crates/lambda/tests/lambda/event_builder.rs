//! Events, as Lambda makes them of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_testkit::request::TestRequest;
use serde_json::{Map, Value, json};

/// Who puts the event together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    FunctionUrl,
    /// An HTTP API with this stage.
    HttpApi(&'static str),
}

/// Encoding of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As text, where it is text.
    Text,
    Base64,
}

/// The event that Lambda would make of `request`, at `millis` since 1970.
pub(crate) fn event(front: Front, form: Form, request: &TestRequest, millis: i64) -> Value {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let (stage, raw_path) = match front {
        Front::FunctionUrl | Front::HttpApi("$default") => ("$default", path.to_owned()),
        Front::HttpApi(stage) => (stage, format!("/{stage}{path}")),
    };
    let text = std::str::from_utf8(&request.body)
        .ok()
        .filter(|_| form == Form::Text);
    let body = text.map_or_else(|| STANDARD.encode(&request.body), str::to_owned);
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "cookies": ["a=b"],
        "headers": headers(front, request),
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
                "sourceIp": "127.0.0.1",
                "userAgent": null,
            },
            "requestId": "request",
            "routeKey": "$default",
            "stage": stage,
            "time": "21/Nov/2026:09:47:10 +0000",
            "timeEpoch": millis,
        },
        "body": if request.body.is_empty() { Value::Null } else { body.into() },
        "pathParameters": null,
        "stageVariables": null,
        "isBase64Encoded": text.is_none() && !request.body.is_empty(),
    })
}

/// Repeated lines are joined. AWS writes names in lower case; that nobody relies on it shows here.
fn headers(front: Front, request: &TestRequest) -> Map<String, Value> {
    let mut headers = Map::new();
    for name in request.headers.keys() {
        let lines: Vec<_> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let name = match front {
            Front::FunctionUrl => name.to_string(),
            Front::HttpApi(_) => mixed_case(name.as_str()),
        };
        headers.insert(name, lines.join(",").into());
    }
    headers
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
