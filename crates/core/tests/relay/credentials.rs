//! Nothing forged gets in: every way in which a credential can be wrong has its answer.

use crate::test_bench::{Bench, PREVIOUS, SECRET};
use http::Method;
use labelrelay_core::signature::{sign_sha1, sign_sha256};
use labelrelay_testkit::fixtures::fixtures;
use labelrelay_testkit::request::{TestRequest, basic};
use serde_json::Value;

const BODY: &[u8] = br#"{"id":"ckfgcfsbi00003h5ziwnd8qt7","label":"{}","deleted":false,"createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z","dataRow":{"id":"d"},"project":{"id":"p"}}"#;

fn labelbox(signature: &[(&str, &str)]) -> TestRequest {
    signature.iter().fold(
        TestRequest::new(Method::POST, "/labelbox", BODY),
        |request, (name, value)| request.header(name, value),
    )
}

type Headers<'a> = Vec<(&'a str, &'a str)>;

#[test]
fn signature_headers() {
    let good = sign_sha1(SECRET.as_bytes(), BODY);
    let good_256 = sign_sha256(SECRET.as_bytes(), BODY);
    let foreign = sign_sha1(b"somebody else's secret", BODY);
    let upper = format!("sha1={}", good[5..].to_uppercase());
    let mut flipped = good.clone().into_bytes();
    let last = flipped.len() - 1;
    flipped[last] = if flipped[last] == b'0' { b'1' } else { b'0' };
    let flipped = String::from_utf8(flipped).unwrap();
    let twice = format!("{good}, {good}");
    let (long, not_hex) = (format!("{good}00"), format!("sha1=zz{}", &good[7..]));
    let cases: Vec<(&str, u16, Headers)> = vec![
        ("right", 200, vec![("x-hub-signature", &good)]),
        ("upper-case hex", 200, vec![("x-hub-signature", &upper)]),
        ("sha256", 200, vec![("x-hub-signature-256", &good_256)]),
        (
            "both right",
            200,
            vec![
                ("x-hub-signature", &good),
                ("x-hub-signature-256", &good_256),
            ],
        ),
        (
            "one of both wrong",
            401,
            vec![
                ("x-hub-signature", &foreign),
                ("x-hub-signature-256", &good_256),
            ],
        ),
        ("missing", 401, vec![]),
        ("foreign secret", 401, vec![("x-hub-signature", &foreign)]),
        (
            "one digit flipped",
            401,
            vec![("x-hub-signature", &flipped)],
        ),
        (
            "truncated",
            400,
            vec![("x-hub-signature", &good[..good.len() - 8])],
        ),
        ("too long", 400, vec![("x-hub-signature", &long)]),
        ("no algorithm", 400, vec![("x-hub-signature", &good[5..])]),
        (
            "sha256 in the sha1 header",
            400,
            vec![("x-hub-signature", &good_256)],
        ),
        ("empty", 400, vec![("x-hub-signature", "")]),
        (
            "only the algorithm",
            400,
            vec![("x-hub-signature", "sha1=")],
        ),
        ("not hex", 400, vec![("x-hub-signature", &not_hex)]),
        (
            "doubled lines",
            400,
            vec![("x-hub-signature", &good), ("x-hub-signature", &good)],
        ),
        (
            "doubled, one foreign",
            400,
            vec![("x-hub-signature", &foreign), ("x-hub-signature", &good)],
        ),
        ("joined by a proxy", 400, vec![("x-hub-signature", &twice)]),
        (
            "a Bearer secret instead",
            401,
            vec![("authorization", "Bearer current-secret-0123456789")],
        ),
    ];
    for (name, status, headers) in cases {
        let bench = Bench::new();
        assert_eq!(
            bench.status(&labelbox(&headers)),
            status,
            "{name}: {}",
            bench.reason()
        );
        assert_eq!(
            bench.queue.messages().len(),
            usize::from(status == 200),
            "{name}"
        );
    }
}

#[test]
fn every_single_bit_of_body_and_signature_counts() {
    let bench = Bench::new();
    let good = sign_sha1(SECRET.as_bytes(), BODY);
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let request =
            TestRequest::new(Method::POST, "/labelbox", &body).header("x-hub-signature", &good);
        assert_eq!(bench.status(&request), 401, "body bit {bit}");
    }
    for digit in 5..good.len() {
        for bit in 0..4 {
            let nibble = u8::from_str_radix(&good[digit..=digit], 16).unwrap() ^ 1 << bit;
            let forged = format!("{}{nibble:x}{}", &good[..digit], &good[digit + 1..]);
            assert_eq!(
                bench.status(&labelbox(&[("x-hub-signature", &forged)])),
                401,
                "digit {digit} bit {bit}"
            );
        }
    }
    assert!(bench.queue.messages().is_empty());
}

#[test]
fn the_previous_secret_is_accepted_until_its_end() {
    let bench = Bench::new();
    let request = TestRequest::labelbox(PREVIOUS, "LABEL_CREATED", "d1", BODY);
    assert_eq!(bench.status(&request), 200);
    assert_eq!(
        bench.seen.reports()[0].verified_by.as_deref(),
        Some("env:PREVIOUS")
    );
    bench.clock.set_time_of_day("2026-02-01T00:00:01Z");
    assert_eq!(bench.status(&request), 401);
}

#[test]
fn label_studio_headers() {
    let body = br#"{"action":"PROJECT_CREATED","project":{"id":1}}"#;
    let request = |value: &str| {
        TestRequest::new(Method::POST, "/label-studio", body).header("authorization", value)
    };
    let cases = [
        (format!("Bearer {SECRET}"), 200),
        (format!("bearer {SECRET}"), 200),
        (format!("BEARER  {SECRET} "), 200),
        (basic("labelstudio", SECRET), 200),
        (basic("", SECRET), 200),
        (basic(SECRET, ""), 401),
        (basic(SECRET, "other"), 401),
        (format!("Bearer {SECRET}x"), 401),
        (format!("Bearer {}", &SECRET[1..]), 401),
        ("Bearer ".to_owned(), 401),
        ("Bearer".to_owned(), 401),
        (format!("Token {SECRET}"), 401),
        (SECRET.to_owned(), 401),
        ("Basic !!!".to_owned(), 400),
        ("Basic bm9jb2xvbg==".to_owned(), 400),
    ];
    for (value, status) in cases {
        let bench = Bench::new();
        assert_eq!(
            bench.status(&request(&value)),
            status,
            "{value}: {}",
            bench.reason()
        );
        assert_eq!(
            bench.queue.messages().len(),
            usize::from(status == 200),
            "{value}"
        );
    }
    let bench = Bench::new();
    assert_eq!(
        bench.status(&request(&format!("Bearer {SECRET}")).header("authorization", "Bearer x")),
        400
    );
    assert_eq!(bench.status(&request("x").without("authorization")), 401);
}

#[test]
fn a_named_header_replaces_authorization() {
    let toml = "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\nheader = \"X-Token\"\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    let request = TestRequest::new(Method::POST, "/ls", br#"{"action":"X"}"#);
    assert_eq!(
        bench.status(&request.clone().header("x-token", SECRET)),
        200
    );
    assert_eq!(
        bench.status(&request.clone().header("x-token", "wrong")),
        401
    );
    assert_eq!(
        bench.status(
            &request
                .clone()
                .header("authorization", &format!("Bearer {SECRET}"))
        ),
        401
    );
    assert_eq!(
        bench.status(&request.header("x-token", SECRET).header("x-token", SECRET)),
        400
    );
}

#[test]
fn a_password_may_hold_colons() {
    let toml = "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"file:tests/relay/colons.secret\"\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    let request = TestRequest::new(Method::POST, "/ls", br#"{"action":"X"}"#);
    assert_eq!(
        bench.status(
            &request
                .clone()
                .header("authorization", &basic("user", "a:b:secret:with:colons"))
        ),
        200
    );
    assert_eq!(
        bench.status(&request.header("authorization", &basic("user", "b:secret:with:colons"))),
        401
    );
}

#[test]
fn a_sender_is_not_told_why_secrets_cannot_be_read() {
    let toml = "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"file:no/such/secret\"\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    for path in ["/ls", "/misspelt"] {
        let answer = bench.deliver(&TestRequest::label_studio("x", b"{}").at(path));
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.outcome.status().as_u16(), 503, "{path}");
        assert!(!told.contains("no/such") && !told.contains("URL"), "{told}");
        assert!(bench.reason().contains("no/such"), "{}", bench.reason());
    }
}

#[test]
fn a_refusal_says_what_arrived_and_what_was_tried_but_no_secret() {
    let bench = Bench::new();
    let request = labelbox(&[(
        "x-hub-signature",
        &sign_sha1(b"somebody else's secret", BODY),
    )]);
    let answer = bench.deliver(&request);
    let report = &bench.seen.reports()[0];
    assert_eq!(report.credential_headers, ["x-hub-signature"]);
    assert_eq!(report.secrets_tried.len(), 2);
    assert!(report.secrets_tried[0].starts_with("env:SECRET ("));
    assert_eq!(report.body_bytes, BODY.len() as u64);
    assert!(report.digest.is_some());
    let shown = format!("{report:?} {answer:?}");
    assert!(
        !shown.contains(SECRET)
            && !shown.contains(PREVIOUS)
            && !shown.contains("ckfgcfsbi00003h5ziwnd8qt7")
    );
}

/// Wycheproof: whole tags are accepted or refused as it says; truncated tags are always refused.
#[test]
fn wycheproof() {
    let mut checked = 0;
    for (file, header, algorithm, bits) in [
        ("wycheproof_hmac_sha1.json", "x-hub-signature", "sha1", 160),
        (
            "wycheproof_hmac_sha256.json",
            "x-hub-signature-256",
            "sha256",
            256,
        ),
    ] {
        let text = std::fs::read(fixtures().join("hmac").join(file))
            .expect("the vectors are part of the repository");
        let vectors: Value = serde_json::from_slice(&text).unwrap();
        for group in vectors["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let key = hex(test["key"].as_str().unwrap());
                let msg = hex(test["msg"].as_str().unwrap());
                let whole = group["tagSize"] == bits;
                let valid = whole && test["result"] == "valid";
                if key.is_empty() {
                    continue;
                }
                let line = format!("{algorithm}={}", test["tag"].as_str().unwrap());
                let accepted = check(header, &line, &key, &msg);
                assert_eq!(accepted, valid, "{file} {}", test["tcId"]);
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked} vectors");
}

fn check(header: &str, line: &str, key: &[u8], msg: &[u8]) -> bool {
    use labelrelay_core::signature::{ClaimedSignature, SignatureCheck};
    let clock = labelrelay_testkit::clock::FakeClock::at("2026-01-01T00:00:00Z");
    let head = TestRequest::new(Method::POST, "/", msg)
        .header(header, line)
        .head(&clock);
    let Ok(claimed) = ClaimedSignature::from_head(&head) else {
        return false;
    };
    let mut check = SignatureCheck::new(
        claimed,
        &[labelrelay_core::Secret::new("test", key).unwrap()],
    );
    check.update(msg);
    check.matched().is_some()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
