//! Deliveries that must not get in, each with the status that refuses it.

use super::label_delivery::{LABEL, label};
use super::{Case, SECRET, WRONG_SECRET};
use crate::request::{TestRequest, basic};
use http::Method;
use labelrelay_core::signature::{sign_sha1, sign_sha256};
use labelrelay_tests::fixture;

pub(super) fn forgeries() -> Vec<Case> {
    let mut cases = signatures();
    cases.extend(header_secrets());
    for sample in fixture::labelbox() {
        let signature = sign_sha1(SECRET.as_bytes(), &sample.body);
        let mut body = sample.body.clone();
        if let Some(byte) = body.last_mut() {
            *byte ^= 1;
        }
        let request = TestRequest::parse(&sample.request_with(&signature, &body));
        cases.push(Case::one(
            format!("{}, one bit changed", sample.name),
            request,
            401,
        ));
        let foreign = sample.request(&sign_sha1(WRONG_SECRET.as_bytes(), &sample.body));
        let request = TestRequest::parse(&foreign);
        cases.push(Case::one(
            format!("{}, another's secret", sample.name),
            request,
            401,
        ));
    }
    cases
}

fn signatures() -> Vec<Case> {
    let right = sign_sha1(SECRET.as_bytes(), LABEL);
    let wrong = sign_sha1(WRONG_SECRET.as_bytes(), LABEL);
    let right_256 = sign_sha256(SECRET.as_bytes(), LABEL);
    let unsigned = || label(LABEL).without("x-hub-signature");
    let signed = |value: &str| unsigned().header("x-hub-signature", value);
    vec![
        Case::one("no signature", unsigned(), 401),
        Case::one("an empty signature", signed(""), 400),
        Case::one(
            "a signature cut short",
            signed(&right[..right.len() - 1]),
            400,
        ),
        Case::one(
            "no hexadecimal digits",
            signed(&right.replace(['a', 'b', 'c', 'd', 'e', 'f'], "g")),
            400,
        ),
        Case::one(
            "another algorithm",
            signed(&right.replace("sha1", "md5")),
            400,
        ),
        Case::one(
            "the right one twice",
            signed(&right).header("x-hub-signature", &right),
            400,
        ),
        Case::one(
            "a wrong one first",
            signed(&wrong).header("x-hub-signature", &right),
            400,
        ),
        Case::one("two in one line", signed(&format!("{right},{right}")), 400),
        Case::one(
            "one right, one wrong algorithm",
            signed(&wrong).header("x-hub-signature-256", &right_256),
            401,
        ),
        Case::one(
            "the signature of nothing",
            TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", b""),
            400,
        ),
        Case::one(
            "Label Studio's proof for Labelbox",
            unsigned().header("authorization", &format!("Bearer {SECRET}")),
            401,
        ),
    ]
}

fn header_secrets() -> Vec<Case> {
    let bare = || TestRequest::new(Method::POST, "/label-studio", br#"{"action": "X"}"#);
    let shown = |value: &str| bare().header("authorization", value);
    let bearer = format!("Bearer {SECRET}");
    let token = |value: &str| bare().at("/named-header").header("x-webhook-token", value);
    vec![
        Case::one("no secret", bare(), 401),
        Case::one(
            "another's secret",
            shown(&format!("Bearer {WRONG_SECRET}")),
            401,
        ),
        Case::one("a secret and more", shown(&format!("{bearer}0")), 401),
        Case::one(
            "less than a secret",
            shown(&bearer[..bearer.len() - 1]),
            401,
        ),
        Case::one(
            "another's secret, Basic",
            shown(&basic("user", WRONG_SECRET)),
            401,
        ),
        Case::one("Basic of something else", shown("Basic %%%"), 400),
        Case::one("no scheme", shown(SECRET), 401),
        Case::one("another scheme", shown(&format!("Token {SECRET}")), 401),
        Case::one(
            "twice",
            shown(&bearer).header("authorization", &bearer),
            400,
        ),
        Case::one(
            "two different ones",
            shown(&basic("user", SECRET)).header("authorization", &bearer),
            400,
        ),
        Case::one(
            "Labelbox's proof for Label Studio",
            {
                let body = br#"{"action": "X"}"#;
                bare().header("x-hub-signature", &sign_sha1(SECRET.as_bytes(), body))
            },
            401,
        ),
        Case::one(
            "no header of the user's choice",
            bare().at("/named-header"),
            401,
        ),
        Case::one(
            "a wrong header of the user's choice",
            token(WRONG_SECRET),
            401,
        ),
        Case::one(
            "the usual header instead",
            bare().at("/named-header").header("authorization", &bearer),
            401,
        ),
    ]
}
