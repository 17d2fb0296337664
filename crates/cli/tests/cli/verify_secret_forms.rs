//! Secrets that have other bytes here than on the other side.

use crate::support::{Place, Ran};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::signature::sign_sha1;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const PLAIN: &str = "example-secret-0123456789";
const ACCENTS: &str = "beispiel-p\u{e4}ssw\u{f6}rt-0123456789";

fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Content of the file, and the doubt about it.
fn doubtful() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (ACCENTS.into(), "is not printable ASCII"),
        (latin_1(ACCENTS), "is no UTF-8"),
        (
            format!("\u{feff}{PLAIN}\r\n").into(),
            "begins with a byte order mark",
        ),
        (utf_16(&format!("\u{feff}{PLAIN}\r\n")), "is in UTF-16"),
        (format!("\"{PLAIN}\"\n").into(), "has quotes around it"),
        (format!("SECRET={PLAIN}\n").into(), "looks like NAME=value"),
        (
            format!("{PLAIN}  \r\n").into(),
            "begins or ends with white space",
        ),
    ]
}

#[test]
fn check_and_the_start_warn_and_show_nothing_of_them() {
    for (bytes, words) in doubtful() {
        let place = Place::new();
        place.write("doubtful", &bytes);
        place.write(
            "labelrelay.toml",
            "queue='sqlite:q.db'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='file:doubtful'\n",
        );
        let check = place.run(&["status"]);
        check.failed(0, &["source `a`: the secret file:", words]);
        assert_eq!(place.serve(&[]).stop(), 0);
        for said in [check.stderr, place.read("serve.log")] {
            assert!(said.contains(words), "{said}");
            assert!(
                !said.contains("0123456789") && !said.contains("beispiel"),
                "{said}"
            );
        }
    }
}

#[test]
fn verify_names_the_mistake() {
    for (bytes, words) in [
        (
            format!("\u{feff}{PLAIN}\r\n").into_bytes(),
            "byte order mark",
        ),
        (utf_16(&format!("\u{feff}{PLAIN}\r\n")), "UTF-16"),
        (
            format!("LABELBOX_WEBHOOK_SECRET=\"{PLAIN}\"\n").into(),
            "NAME=value",
        ),
        (format!("'{PLAIN}'\r\n").into(), "quotes around it"),
        (format!("{PLAIN} \n").into(), "white space around it"),
    ] {
        let place = Place::new();
        place.write("secret", &bytes);
        place.write("body", "{\"id\":\"x\"}");
        let signature = sign_sha1(PLAIN.as_bytes(), b"{\"id\":\"x\"}");
        let bearer = format!("Bearer {PLAIN}");
        for shown in [
            &["--file", "body", "--signature", &signature][..],
            &["--authorization", &bearer],
        ] {
            let line = [&["verify", "--secret", "file:secret"], shown].concat();
            let ran = place.run(&line);
            assert_eq!(ran.code, 1, "{ran:?}");
            let (_, mistakes) = ran.stdout.split_once("does not match:\n").unwrap();
            let mistakes = mistakes.split("note:").next().unwrap();
            assert!(mistakes.contains(words), "no {words:?} in {}", ran.stdout);
            assert!(!ran.stdout.contains(PLAIN), "{}", ran.stdout);
        }
    }
}

#[test]
fn accents_that_differ_are_named() {
    let place = Place::new();
    place.write("body", "{}");
    for (here, there, words) in [
        (
            ACCENTS.as_bytes().to_vec(),
            latin_1(ACCENTS),
            "in UTF-8, and the other side's in Latin-1",
        ),
        (
            "p\u{e4}sswort-0123456789".into(),
            "pa\u{308}sswort-0123456789".into(),
            "(NFD)",
        ),
        (
            "pa\u{308}sswort-0123456789".into(),
            "p\u{e4}sswort-0123456789".into(),
            "(NFC)",
        ),
    ] {
        place.write("secret", here);
        let signature = sign_sha1(&there, b"{}");
        let ran = place.run(&[
            "verify",
            "--file",
            "body",
            "--signature",
            &signature,
            "--secret",
            "file:secret",
        ]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
}

#[test]
fn a_secret_with_accents_is_taken_in_the_encoding_that_label_studio_sends() {
    let place = Place::new().with("LABEL_STUDIO_WEBHOOK_SECRET", ACCENTS);
    let serving = place.serve(&[]);
    let post = |authorization: &[u8], n: u8| -> String {
        let body = format!("{{\"action\":\"X\",\"n\":{n}}}");
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        stream
            .write_all(b"POST /label-studio HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ")
            .unwrap();
        stream.write_all(authorization).unwrap();
        stream
            .write_all(format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    let basic = |password: &[u8]| {
        let pair = [b"anybody:", password].concat();
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    };
    for (n, form) in [latin_1(ACCENTS), ACCENTS.into()].into_iter().enumerate() {
        let n = u8::try_from(n).unwrap();
        assert_eq!(post(&[b"Bearer ", form.as_slice()].concat(), n), "200");
        assert_eq!(post(&basic(&form), n + 10), "200");
    }
    for wrong in [
        "beispiel-passwort-0123456789",
        "beispiel-p?ssw?rt-0123456789",
        "",
    ] {
        assert_eq!(post(format!("Bearer {wrong}").as_bytes(), 99), "401");
        assert_eq!(post(&basic(wrong.as_bytes()), 99), "401");
    }

    assert_eq!(serving.stop(), 0);
    place.write("secret", ACCENTS);
    let value = String::from_utf8(basic(&latin_1(ACCENTS))).unwrap();
    let ran = place.run(&[
        "verify",
        "--authorization",
        &value,
        "--secret",
        "file:secret",
    ]);
    let said = ran.good();
    assert!(
        said.starts_with("matches\n") && said.contains("another encoding"),
        "{said}"
    );
}

/// A shell in Latin-1, or `$'…\xe4…'`, hands over bytes that are no text: the relay takes them, and so does `verify`.
#[cfg(unix)]
#[test]
fn values_that_are_no_utf_8_are_taken_as_bytes() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let shown =
        |front: &str, secret: &[u8]| OsString::from_vec([front.as_bytes(), secret].concat());
    let verify = |place: &Place, reference: &str, secret: &[u8], flag: &str, value: OsString| {
        let mut command = place.command(&["verify", "--secret", reference, flag]);
        command.arg(value);
        command.env("SECRET", OsString::from_vec(secret.to_vec()));
        Ran::from(command.output().unwrap())
    };
    let sent = latin_1(ACCENTS);
    for secret in [sent.clone(), ACCENTS.into()] {
        let place = Place::new();
        place.write("secret", &secret);
        for reference in ["file:secret", "env:SECRET"] {
            for (flag, front) in [("--authorization", "Bearer "), ("--header", "X-Token: ")] {
                verify(&place, reference, &secret, flag, shown(front, &sent)).good();
                let other = shown(front, &[&sent[..], b"\xff"].concat());
                let ran = verify(&place, reference, &secret, flag, other);
                assert_eq!(ran.code, 1, "{ran:?}");
                assert!(ran.stdout.contains("does not match"), "{ran:?}");
            }
        }
    }
    let place = Place::new();
    place.write("body", "{}");
    let mut command = place.command(&["verify", "--secret", "env:SECRET", "--file", "body"]);
    command.arg("--signature").arg(shown("sha1=", b"\xff\xfe"));
    command.env("SECRET", PLAIN);
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("is no signature"), "{ran:?}");
}
