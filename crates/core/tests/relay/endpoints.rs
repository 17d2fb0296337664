//! Routes, methods, questions of the platforms, addresses, sizes.

use crate::test_bench::{BOTH_PLATFORMS, Bench, SECRET};
use http::Method;
use labelrelay_core::QueueLimits;
use labelrelay_core::signature::sign_sha1;
use labelrelay_testkit::request::{TestRequest, basic};
use std::time::Duration;

fn body_of(bench: &Bench, request: &TestRequest) -> String {
    String::from_utf8(bench.deliver(request).body.to_vec()).unwrap()
}

#[test]
fn a_source_owns_its_path_and_the_first_one_every_other() {
    let bench = Bench::new();
    let signed = |path: &str, n: u8| {
        let body = format!("{{\"n\":{n}}}");
        TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body.as_bytes()).at(path)
    };
    for (n, path) in [
        "/labelbox",
        "/labelbox/",
        "/labelbox/deeper/path",
        "/",
        "",
        "/anything",
        "/labelbox2",
        "/webhook-endpoint",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            bench.status(&signed(path, u8::try_from(n).unwrap())),
            200,
            "{path}"
        );
    }
    assert!(
        bench
            .queue
            .messages()
            .iter()
            .all(|message| message.source() == "/labelbox")
    );
    assert_eq!(
        bench.status(&signed("/label-studio", 99)),
        401,
        "the other source wants another credential"
    );
    let second_default = BOTH_PLATFORMS.replace("ml_backend = true", "default = true");
    let bench = Bench::with(&second_default, QueueLimits::bytes(1 << 20), false);
    let request = TestRequest::label_studio(SECRET, br#"{"action":"X"}"#);
    assert_eq!(bench.status(&request.clone().at("/")), 200);
    assert_eq!(
        bench.status(&signed("/labelbox", 1)),
        200,
        "adding a default changes no other source's URL"
    );
}

#[test]
fn methods_and_the_relays_own_path() {
    let bench = Bench::new();
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ] {
        let answer = bench.deliver(&TestRequest::new(method.clone(), "/labelbox", b""));
        assert_eq!(
            (answer.outcome.status().as_u16(), answer.allow),
            (405, Some("POST")),
            "{method}"
        );
    }
    assert_eq!(
        bench.status(&TestRequest::new(Method::GET, "/-/ready", b"")),
        200
    );
    assert_eq!(
        bench.status(&TestRequest::new(Method::POST, "/-/ready", b"")),
        405
    );
    assert_eq!(
        bench.status(&TestRequest::new(Method::GET, "/-/metrics", b"")),
        404
    );
    assert_eq!(
        bench.status(&TestRequest::new(Method::POST, "/-", b"")),
        404
    );
    let reports = bench.seen.reports();
    let refused: Vec<_> = reports.iter().rev().take(3).collect();
    assert!(
        refused.iter().all(|report| report.source.is_none()),
        "each of our own paths that is refused is reported: {reports:?}"
    );
}

#[test]
fn the_log_says_once_why_it_is_not_ready_and_once_that_it_is_again() {
    let bench = Bench::new();
    let ready = || {
        bench.clock.advance(Duration::from_secs(1));
        bench.status(&TestRequest::new(Method::GET, "/-/ready", b""))
    };
    assert_eq!(ready(), 200);
    bench.queue.set_unreachable(true);
    assert_eq!((ready(), ready()), (503, 503));
    bench.queue.set_unreachable(false);
    assert_eq!((ready(), ready()), (200, 200));
    let told = bench.seen.readiness();
    assert!(
        matches!(&told[..], [Some(reason), None] if reason.contains("a fault of the test")),
        "{told:?}"
    );
}

#[test]
fn labelbox_asks_for_models_with_the_signature_of_nothing() {
    let bench = Bench::new();
    let signature = sign_sha1(SECRET.as_bytes(), b"");
    for path in ["/labelbox/models", "/models", "/any/base/models"] {
        let ask = TestRequest::new(Method::GET, path, b"").header("x-hub-signature", &signature);
        assert_eq!(body_of(&bench, &ask), r#"{"sam":{},"yolo":{}}"#, "{path}");
        assert_eq!(bench.status(&TestRequest::new(Method::GET, path, b"")), 401);
        let forged = TestRequest::new(Method::GET, path, b"")
            .header("x-hub-signature", &sign_sha1(b"other", b""));
        assert_eq!(bench.status(&forged), 401);
    }
    let replayed =
        TestRequest::new(Method::POST, "/labelbox", b"").header("x-hub-signature", &signature);
    assert_eq!(
        bench.status(&replayed),
        400,
        "that signature never makes an event"
    );
    assert_eq!(bench.status(&TestRequest::label_studio(SECRET, b"")), 400);
    assert!(bench.queue.messages().is_empty());
}

#[test]
fn an_ml_back_end_answers_and_keeps_no_token() {
    let bench = Bench::new();
    let auth = basic("label-studio", SECRET);
    let ask = |method: Method, path: &str, body: &str| {
        TestRequest::new(method, &format!("/label-studio{path}"), body.as_bytes())
            .header("authorization", &auth)
    };
    let token = r#"{"project":"1.1","access_token":"0123456789abcdef-live"}"#;
    for (method, path, body, expected) in [
        (Method::GET, "/health", "", r#"{"status":"UP"}"#),
        (Method::POST, "/setup", token, "{}"),
        (Method::GET, "/versions", "", r#"{"versions":[]}"#),
        (
            Method::POST,
            "/predict",
            r#"{"tasks":[{"id":1}]}"#,
            r#"{"results":[]}"#,
        ),
    ] {
        assert_eq!(
            body_of(&bench, &ask(method.clone(), path, body)),
            expected,
            "{path}"
        );
        assert_eq!(
            bench.status(&ask(method, path, body).without("authorization")),
            401,
            "{path}"
        );
    }
    assert!(bench.queue.messages().is_empty());
    assert!(!format!("{:?}", bench.seen.reports()).contains("0123456789abcdef-live"));
    assert_eq!(
        bench.status(&ask(
            Method::POST,
            "/webhook",
            r#"{"action":"START_TRAINING","project":{"id":1}}"#
        )),
        200
    );
    assert_eq!(bench.queue.messages().len(), 1);
}

#[test]
fn addresses() {
    let toml = |extra: &str| {
        format!(
            "[[source]]\nname = \"lb\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\nallow = [\"203.0.113.0/24\"]\n{extra}"
        )
    };
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", b"{}").at("/lb");
    let bench = Bench::with(&toml(""), QueueLimits::bytes(1 << 20), false);
    assert_eq!(bench.status(&request), 403);
    assert_eq!(
        bench.status(&request.clone().header("x-forwarded-for", "203.0.113.7")),
        403,
        "anybody can write that header"
    );
    let bench = Bench::with(
        &toml("trusted_proxies = 1"),
        QueueLimits::bytes(1 << 20),
        false,
    );
    assert_eq!(
        bench.status(
            &request
                .clone()
                .header("x-forwarded-for", "6.6.6.6, 203.0.113.7")
        ),
        200
    );
    assert_eq!(
        bench.status(
            &request
                .clone()
                .header("x-forwarded-for", "203.0.113.7, 6.6.6.6")
        ),
        403
    );
    assert_eq!(bench.status(&request), 403, "it came past the proxy");
}

#[test]
fn bodies_that_are_too_large_are_refused_before_they_are_read() {
    let toml = "max_body_bytes = 1000\n[[source]]\nname = \"lb\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\n";
    let bench = Bench::with(toml, QueueLimits::bytes(1 << 20), false);
    let body = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let request = |bytes: usize| {
        TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body(bytes).as_bytes()).at("/lb")
    };
    assert_eq!(bench.status(&request(1000)), 200);
    assert_eq!(bench.status(&request(1001)), 413);
    assert_eq!(
        bench.status(&request(10).header("content-length", "1001")),
        413,
        "on its word"
    );
}
