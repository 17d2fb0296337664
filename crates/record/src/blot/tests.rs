use super::*;

fn credential(name: &str, value: &[u8]) -> String {
    let mut out = String::new();
    push_credential(&mut out, name, value);
    out
}

#[test]
fn plain_names_have_no_part_of_a_credentials() {
    for name in PLAIN_NAMES {
        assert!(
            !CREDENTIALS.iter().any(|part| name.contains(part)),
            "{name}"
        );
        assert!(is_credential(name, &[name.to_owned()]), "{name}");
    }
}

#[test]
fn what_must_not_be_kept_is_gone() {
    for (before, after) in [
        (
            "https://a.example/b?token=x&c=d",
            "https://a.example/b?[blotted out]",
        ),
        ("/done#access_token=x", "/done#[blotted out]"),
        (
            "see <https://a.example/?q=1>, please",
            "see <https://a.example/?[blotted out]>, please",
        ),
        ("From: Ann <ann@example.org>", "From: Ann <[blotted out]>"),
        ("ann%40example.org", "[blotted out]"),
        (
            "https://ann:pass@a.example/x",
            "https://ann:[blotted out]/x",
        ),
        ("Bearer abc, and more", "Bearer [blotted out], and more"),
        ("by Token 0123abc", "by Token [blotted out]"),
        ("token=abc&page=2", "token=[blotted out]&page=2"),
        ("0123456789abcdef0123456789abcdef01234567", "[blotted out]"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "[blotted out]",
        ),
        ("(AbCdEfGh01234567AbCdEfGh01234567)", "([blotted out])"),
    ] {
        assert_eq!(text(before), after);
    }
}

#[test]
fn what_helps_to_find_a_delivery_stays() {
    for same in [
        "",
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "application/json; charset=utf-8",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "python-requests/2.32.3",
        "203.0.113.7, 198.51.100.2",
        "what?",
        "@",
        "é @ ü",
    ] {
        assert!(matches!(text(same), Cow::Borrowed(_)), "{same}");
    }
}

#[test]
fn a_credential_leaves_its_length_and_its_fingerprint() {
    let secret = b"a secret of 22 bytes..";
    let whole = fingerprint(secret);
    let basic = format!("Basic {}", STANDARD.encode("any:a secret of 22 bytes.."));
    for (name, value, before) in [
        ("authorization", "Bearer a secret of 22 bytes..", "Bearer "),
        ("authorization", basic.as_str(), "Basic "),
        ("x-webhook-token", "a secret of 22 bytes..", ""),
    ] {
        let line = credential(name, value.as_bytes());
        assert!(!line.contains("a secret"), "{line}");
        let read = Blotted::read(&line).unwrap();
        assert_eq!(
            (read.before, read.fingerprint),
            (before, whole.as_str()),
            "{line}"
        );
        assert_eq!(read.bytes, 22, "{line}");
    }
    let line = credential("x-hub-signature", b"sha1=0123ABCD");
    let read = Blotted::read(&line).unwrap();
    assert_eq!((read.before, read.bytes), ("sha1=", 8));
    assert_eq!(read.fingerprint, fingerprint(b"0123abcd"));
    let line = credential("x-hub-signature", b"hush=and so on");
    assert!(!line.contains("hush"), "{line}");
    for value in [
        &b""[..],
        b"=",
        b"a very long name=0123",
        b"\xff\xfe",
        b"Basic ",
        b"Basic !",
    ] {
        for name in ["x-hub-signature", "authorization", "cookie"] {
            let line = credential(name, value);
            assert!(Blotted::read(&line).is_some(), "{name}: {line}");
        }
    }
}

#[test]
fn headers_that_carry_credentials() {
    let more = ["x-studio".to_owned()];
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-api-key",
        "x-sign",
        "x-hmac-sha256",
        "x-amz-security-token",
        "x-studio",
    ] {
        assert!(is_credential(name, &more), "{name}");
    }
    for name in [
        "content-type",
        "user-agent",
        "x-labelbox-id",
        "x-forwarded-for",
        "x-studio-2",
    ] {
        assert!(!is_credential(name, &more), "{name}");
    }
}

/// Texts of pieces that mean something, in every order that a small generator finds.
#[test]
fn what_is_plain_would_not_have_been_changed() {
    const PIECES: [&str; 28] = [
        "a",
        "token",
        "Bearer",
        "basic",
        "secret",
        "api_key",
        "eyJ",
        "ann",
        "a.example",
        "17",
        "=",
        ":",
        "/",
        "&",
        " ",
        ",",
        ";",
        "\"",
        "-",
        ".",
        "_",
        "@",
        "%40",
        "?",
        "#",
        "\u{e9}",
        "0123456789abcdef0123456789abcdef",
        "x0123456789",
    ];
    let mut state = 7_u64;
    let mut plain = 0;
    for _ in 0..200_000 {
        let mut text = String::new();
        for _ in 0..6 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = usize::try_from((state >> 33) % 28).unwrap();
            text.push_str(PIECES[at]);
        }
        if plain::is_plain(&text) {
            plain += 1;
            assert!(matches!(rewritten(&text), Cow::Borrowed(_)), "{text}");
        }
    }
    assert!(plain > 1000, "{plain}");
}
