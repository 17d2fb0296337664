//! `verify`: what was pasted with a value, and requests in files that are not what they should be.

use crate::support::{Place, Ran};
use labelrelay_core::signature::sign_sha1;

const SECRET: &str = "a secret of 26 characters!";
const BODY: &str = "{\"id\": \"cl0\"}";

fn place() -> Place {
    Place::new().with("SECRET", SECRET)
}

fn verify(place: &Place, words: &[&str]) -> Ran {
    place.run(&[&["verify", "--secret", "env:SECRET"], words].concat())
}

#[track_caller]
fn explained(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 1, "{ran:?}");
    for word in words {
        assert!(ran.stdout.contains(word), "no {word:?} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("no usual mistake"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(SECRET), "{}", ran.stdout);
}

#[test]
fn words_that_were_pasted_with_the_value() {
    let place = place();
    for (value, words) in [
        (
            format!("Authorization: Bearer {SECRET}"),
            &["the header's name stands in its value"][..],
        ),
        (
            format!("authorization = {SECRET}"),
            &["the header's name stands", "`Bearer` and a space"],
        ),
        (
            format!("Bearer <{SECRET}>"),
            &["has angle brackets around it"],
        ),
        (
            "Bearer <secret>".to_owned(),
            &["`<secret>` stands where the secret belongs"],
        ),
    ] {
        explained(&verify(&place, &["--authorization", &value]), words);
    }
    place.write("body", BODY);
    let signature = sign_sha1(SECRET.as_bytes(), BODY.as_bytes());
    let pasted = format!("X-Hub-Signature: {signature}");
    explained(
        &verify(&place, &["--file", "body", "--signature", &pasted]),
        &["the header's name stands in its value"],
    );
    verify(&place, &["--file", "body", "--signature", &signature]).good();
}

#[test]
fn a_body_that_is_empty_is_the_mistake() {
    let place = place();
    place.write("body", "");
    for signed in [BODY, ""] {
        let signature = sign_sha1(SECRET.as_bytes(), signed.as_bytes());
        explained(
            &verify(&place, &["--file", "body", "--signature", &signature]),
            &["the body is empty"],
        );
    }
}

fn request(place: &Place, head: &str, body: &str) -> Ran {
    place.write("request", format!("{head}{body}"));
    verify(place, &["--request", "request"])
}

fn head(more: &str) -> String {
    let signature = sign_sha1(SECRET.as_bytes(), BODY.as_bytes());
    format!("POST /x HTTP/1.1\r\nHost: y\r\nX-Hub-Signature: {signature}\r\n{more}\r\n")
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let place = place();
    let chunked = head("Transfer-Encoding: chunked\r\n");
    let body = format!(
        "3\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        &BODY[..3],
        BODY.len() - 3,
        &BODY[3..]
    );
    let ran = request(&place, &chunked, &body);
    assert!(
        ran.good().contains("put together from its chunks"),
        "{ran:?}"
    );
    // A tool took the chunks away and left the header.
    let ran = request(&place, &chunked, BODY);
    assert!(ran.good().contains("taken as it stands"), "{ran:?}");
}

#[test]
fn missing_parts_of_a_request_are_named() {
    let place = place();
    request(&place, &head(""), BODY).good();
    let without_request_line = head("").replace("POST /x HTTP/1.1\r\n", "");
    request(&place, &without_request_line, BODY).good();
    request(&place, "POST /x HTTP/1.1\r\nHost: y\r\n\r\n", BODY)
        .failed(1, &["neither X-Hub-Signature nor"]);
    request(&place, "POST /x HTTP/1.1\r\nHost: y\r\n", BODY).failed(1, &["no blank line"]);
    request(
        &place,
        "POST /x HTTP/1.1\r\nHost: y\r\n",
        "{\"a\": 1}\n\n{}",
    )
    .failed(1, &["line 3", "is the blank line missing"]);
}
