//! `verify`: it finds each usual mistake, and none where there is none.

use crate::support::{Place, Ran};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::signature::{sign_sha1, sign_sha256};

const SECRET: &[u8] = b"a secret of 26 characters!";
const BODY: &[u8] = "{\"id\": \"cl0\",\"text\": \"caf\u{e9}\", \"n\": [1.0, 2]}\r\n".as_bytes();

fn verify(signature: &str, body: &[u8], secret: &[u8]) -> Ran {
    let place = Place::new();
    place.write("body", body);
    // Through the environment, a line break at the end of a secret is part of it.
    let place = place.with("SECRET", std::str::from_utf8(secret).unwrap());
    place.run(&[
        "verify",
        "--file",
        "body",
        "--signature",
        signature,
        "--secret",
        "env:SECRET",
    ])
}

#[track_caller]
fn explained(signature: &str, body: &[u8], secret: &[u8], words: &[&str]) {
    let ran = verify(signature, body, secret);
    assert_eq!(ran.code, 1, "{ran:?}");
    for word in words {
        assert!(ran.stdout.contains(word), "no {word:?} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("a secret of"), "{}", ran.stdout);
}

#[test]
fn a_right_credential_matches() {
    assert!(
        verify(&sign_sha1(SECRET, BODY), BODY, SECRET)
            .good()
            .starts_with("matches\n")
    );
    assert!(
        verify(&sign_sha256(SECRET, BODY), BODY, SECRET)
            .good()
            .starts_with("matches\n")
    );
    let upper = sign_sha1(SECRET, BODY)
        .to_ascii_uppercase()
        .replace("SHA1", "sha1");
    assert!(verify(&upper, BODY, SECRET).good().starts_with("matches\n"));
}

#[test]
fn a_forgery_is_not_explained_away() {
    let ran = verify(&sign_sha1(b"another secret", BODY), BODY, SECRET);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("no usual mistake explains it"),
        "{}",
        ran.stdout
    );
}

#[test]
fn mistakes_with_the_secret() {
    let sign = |secret: &[u8]| sign_sha1(secret, BODY);
    let with = |secret: &[u8], end: &str| [secret, end.as_bytes()].concat();
    explained(
        &sign(SECRET),
        BODY,
        &with(SECRET, "\n"),
        &["the secret here ends in a line break"],
    );
    explained(
        &sign(SECRET),
        BODY,
        &with(SECRET, "\r\n"),
        &["the secret here ends in a CR and a line break"],
    );
    explained(
        &sign(&with(SECRET, "\n")),
        BODY,
        SECRET,
        &["the other side's secret ends in a line break"],
    );
    explained(
        &sign(SECRET),
        BODY,
        &with(SECRET, "  "),
        &["white space around it"],
    );
    explained(
        &sign(SECRET),
        BODY,
        &[b"\"", SECRET, b"\""].concat(),
        &["the secret here has quotes"],
    );
    explained(
        &sign(&[b"'", SECRET, b"'"].concat()),
        BODY,
        SECRET,
        &["the other side's secret has quotes"],
    );
    let base64 = STANDARD.encode(SECRET);
    explained(
        &sign(SECRET),
        BODY,
        base64.as_bytes(),
        &["the secret here is base64"],
    );
    explained(
        &sign(base64.as_bytes()),
        BODY,
        SECRET,
        &["the other side's secret is base64"],
    );
    let hex = SECRET
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    explained(
        &sign(SECRET),
        BODY,
        hex.as_bytes(),
        &["the secret here is hexadecimal"],
    );
}

#[test]
fn mistakes_with_the_body() {
    let sign = |body: &[u8]| sign_sha1(SECRET, body);
    let text = std::str::from_utf8(BODY).unwrap();
    let lf = text.replace("\r\n", "\n");
    for (signed, words) in [
        (
            text.trim_end().to_owned(),
            "a CR and a line break were added at the end",
        ),
        (
            format!("{text}\n"),
            "the line break at the end of the body was removed",
        ),
        (lf, "LF line breaks of the body were turned into CRLF"),
        (
            format!("\u{feff}{text}"),
            "the byte order mark in front of the body was removed",
        ),
        (
            "{\"id\":\"cl0\",\"text\":\"café\",\"n\":[1.0,2]}".to_owned(),
            "signed as compact JSON",
        ),
        (
            "{\"id\": \"cl0\", \"text\": \"café\", \"n\": [1.0, 2]}".to_owned(),
            "Python's json.dumps",
        ),
        (
            "{\"id\": \"cl0\", \"text\": \"caf\\u00e9\", \"n\": [1.0, 2]}".to_owned(),
            "escaped as \\uXXXX",
        ),
        (
            "{\n  \"id\": \"cl0\",\n  \"text\": \"café\",\n  \"n\": [\n    1.0,\n    2\n  ]\n}"
                .to_owned(),
            "JSON indented by 2",
        ),
        (String::new(), "that of an empty body"),
    ] {
        explained(&sign(signed.as_bytes()), BODY, SECRET, &[words]);
    }
    // Latin-1 on the way, and base64 that nobody decoded.
    explained(
        &sign(BODY),
        text.replace('é', "Ã©").as_bytes(),
        SECRET,
        &["decoded as Latin-1"],
    );
    explained(
        &sign(BODY),
        STANDARD.encode(BODY).as_bytes(),
        SECRET,
        &["not decoded from base64"],
    );
    let marked = [b"\xef\xbb\xbf", BODY].concat();
    explained(
        &sign(BODY),
        &marked,
        SECRET,
        &["a byte order mark was put in front"],
    );
}

#[test]
fn mistakes_with_the_header() {
    let good = sign_sha1(SECRET, BODY);
    let hex = good.strip_prefix("sha1=").unwrap();
    let bytes: Vec<u8> = (0..20)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let sha256 = sign_sha256(SECRET, BODY).replace("sha256=", "sha1=");
    for (value, words) in [
        (hex.to_owned(), "no `sha1=` in front"),
        (good.replace("sha1", "SHA1"), "has to be `sha1=`"),
        (format!("\"{good}\""), "quotes or white space around it"),
        (
            format!("sha1={}", STANDARD.encode(&bytes)),
            "written in base64",
        ),
        (sha256, "wrong hash"),
        (format!("{good}, {good}"), "stands more than once"),
        (good[..good.len() - 1].to_owned(), "it was cut"),
        (sign_sha1(BODY, SECRET), "key and message are swapped"),
    ] {
        explained(&value, BODY, SECRET, &[words]);
    }
    // Two mistakes at once.
    let value = sign_sha1(SECRET, b"{\"a\":1}").replace("sha1=", "");
    explained(
        &value,
        b"{\"a\": 1}\n",
        &[SECRET, b"\n"].concat(),
        &["no `sha1=`", "line break", "compact JSON"],
    );
}

#[test]
fn plain_hashes_are_no_signatures() {
    let digest = labelrelay_event::Digest::of(BODY).to_hex();
    explained(
        &format!("sha256={digest}"),
        BODY,
        SECRET,
        &["plain hash of the body"],
    );
    let digest = labelrelay_event::Digest::of(&[SECRET, BODY].concat()).to_hex();
    explained(
        &format!("sha256={digest}"),
        BODY,
        SECRET,
        &["plain hash of secret and body"],
    );
}

#[test]
fn the_header_of_label_studio() {
    let place = Place::new();
    place.write("secret", "the-secret-of-label-studio\n");
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let verify = |value: &str| {
        place.run(&[
            "verify",
            "--authorization",
            value,
            "--secret",
            "file:secret",
        ])
    };
    verify("Bearer the-secret-of-label-studio").good();
    verify(&basic("anybody:the-secret-of-label-studio")).good();
    for (value, words) in [
        (
            "the-secret-of-label-studio".to_owned(),
            "`Bearer` and a space are missing",
        ),
        (
            "Token the-secret-of-label-studio".to_owned(),
            "the header says `Token`",
        ),
        (
            "Bearer Bearer the-secret-of-label-studio".to_owned(),
            "stands twice",
        ),
        (
            "Bearer \"the-secret-of-label-studio\"".to_owned(),
            "has quotes around it",
        ),
        (
            basic("the-secret-of-label-studio:"),
            "the secret stands as the user",
        ),
        (
            basic("the-secret-of-label-studio"),
            "base64 of the secret alone",
        ),
        (
            "Basic the-secret-of-label-studio".to_owned(),
            "stands the secret itself",
        ),
        (
            basic("user:the-secret-of-label-studio\n"),
            "ends in a line break",
        ),
        (
            "Bearer something-else".to_owned(),
            "no usual mistake explains it",
        ),
    ] {
        let ran = verify(&value);
        assert_eq!(ran.code, 1, "{value}");
        assert!(
            ran.stdout.contains(words),
            "no {words:?} for {value:?} in {}",
            ran.stdout
        );
    }
    let named = |value: &str| {
        place.run(&[
            "verify",
            "--header",
            value,
            "--secret",
            "file:secret",
            "--json",
        ])
    };
    named("X-Token: the-secret-of-label-studio").good();
    let ran = named("X-Token: Bearer the-secret-of-label-studio");
    assert_eq!(ran.code, 1);
    assert!(
        ran.json()[0]["mistakes"][0]
            .as_str()
            .unwrap()
            .contains("Authorization alone")
    );
}

#[test]
fn a_recorded_request_is_taken_apart() {
    let place = Place::new();
    place.write("secret", SECRET);
    let body = std::str::from_utf8(BODY).unwrap();
    let request = |signature: &str, length: usize| {
        format!(
            "POST /x HTTP/1.1\r\nHost: y\r\nX-Hub-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    place.write("good.http", request(&sign_sha1(SECRET, BODY), BODY.len()));
    place
        .run(&[
            "verify",
            "--request",
            "good.http",
            "--secret",
            "file:secret",
        ])
        .good();
    // An editor has removed the line break at the end.
    let cut = request(&sign_sha1(SECRET, BODY), BODY.len());
    place.write("cut.http", cut.trim_end());
    let ran = place.run(&["verify", "--request", "cut.http", "--secret", "file:secret"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("were removed") && ran.stdout.contains("Content-Length says"),
        "{}",
        ran.stdout
    );
    place.write("none.http", "POST / HTTP/1.1\r\nHost: y\r\n\r\n{}");
    place
        .run(&[
            "verify",
            "--request",
            "none.http",
            "--secret",
            "file:secret",
        ])
        .failed(1, &["neither X-Hub-Signature nor"]);
    place
        .run(&["verify", "--secret", "file:secret"])
        .failed(2, &["--request"]);
}
