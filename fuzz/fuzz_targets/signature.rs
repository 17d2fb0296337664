//! Credential headers. Input: one header a line, named by its first character, in which `*` stands for what
//! is right there; the body is fixed. Nothing that a second, simpler reading calls wrong may be accepted,
//! and nothing that it calls right refused.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::Secret;
use labelrelay_core::signature::{
    ClaimedSignature, CredentialError, SIGNATURE_256_HEADER, SIGNATURE_HEADER, SecretHeader,
    SignatureCheck, credential_headers, sign_sha1, sign_sha256,
};
use labelrelay_fuzz::{LABEL_STUDIO_SECRET, LABELBOX_SECRET, head};
use libfuzzer_sys::fuzz_target;

const BODY: &[u8] = br#"{"id": "ckfgcfsbi00003h5ziwnd8qt7"}"#;
const TOKEN: &str = "x-webhook-token";

fuzz_target!(|data: &[u8]| {
    let mut lines = Vec::new();
    for line in data.split(|byte| *byte == b'\n').take(6) {
        let Some((kind, value)) = line.split_first() else {
            continue;
        };
        let (name, right) = match kind {
            b'1' => (
                SIGNATURE_HEADER,
                hex_of(&sign_sha1(LABELBOX_SECRET.as_bytes(), BODY)),
            ),
            b'2' => (
                SIGNATURE_256_HEADER,
                hex_of(&sign_sha256(LABELBOX_SECRET.as_bytes(), BODY)),
            ),
            b'b' => (
                "authorization",
                STANDARD.encode(format!("user:{LABEL_STUDIO_SECRET}")),
            ),
            b't' => (TOKEN, LABEL_STUDIO_SECRET.to_owned()),
            _ => ("authorization", LABEL_STUDIO_SECRET.to_owned()),
        };
        lines.push((name, replace(value, right.as_bytes())));
    }
    let head = head(
        "/labelbox",
        lines.iter().map(|(name, value)| (*name, value.as_slice())),
    );
    let of = |name: &str| -> Vec<&[u8]> {
        head.headers
            .get_all(name)
            .iter()
            .map(http::HeaderValue::as_bytes)
            .collect()
    };

    let (sha1, sha256) = (of(SIGNATURE_HEADER), of(SIGNATURE_256_HEADER));
    let claimed = ClaimedSignature::from_head(&head);
    let expected = match (
        well_formed(&sha1, "sha1=", 40),
        well_formed(&sha256, "sha256=", 64),
    ) {
        (Some(first), Some(second)) => !first.is_empty() || !second.is_empty(),
        _ => false,
    };
    assert_eq!(
        claimed.is_ok(),
        expected,
        "{:?} {:?}",
        claimed,
        head.headers
    );
    match claimed {
        Ok(claimed) => {
            let secret = Secret::new("labelbox", LABELBOX_SECRET).expect("it is not empty");
            let mut check = SignatureCheck::new(claimed, &[secret]);
            check.update(BODY);
            let right = |lines: &[&[u8]], right: &str| {
                lines
                    .iter()
                    .all(|line| line.eq_ignore_ascii_case(right.as_bytes()))
            };
            let both = right(&sha1, &sign_sha1(LABELBOX_SECRET.as_bytes(), BODY))
                && right(&sha256, &sign_sha256(LABELBOX_SECRET.as_bytes(), BODY));
            assert_eq!(check.matched().is_some(), both, "{:?}", head.headers);
        }
        Err(error) => assert_says_nothing(&error),
    }

    let secret = Secret::new("label-studio", LABEL_STUDIO_SECRET).expect("it is not empty");
    for scheme in [
        SecretHeader::Authorization,
        SecretHeader::Named(http::HeaderName::from_static(TOKEN)),
    ] {
        let accepted = match scheme.shown(&head) {
            Ok(shown) => match shown.check(std::slice::from_ref(&secret)) {
                Ok(_proof) => true,
                Err(error) => {
                    assert_eq!(error, CredentialError::Mismatch);
                    false
                }
            },
            Err(error) => {
                assert_says_nothing(&error);
                false
            }
        };
        let right = match (
            &scheme,
            of("authorization").as_slice(),
            of(TOKEN).as_slice(),
        ) {
            (SecretHeader::Authorization, [line], _) => is_authorization(line),
            (SecretHeader::Named(_), _, [line]) => *line == LABEL_STUDIO_SECRET.as_bytes(),
            _ => false,
        };
        assert_eq!(accepted, right, "{scheme:?} {:?}", head.headers);
        let _names = credential_headers(&head, Some(&scheme));
    }
});

fn hex_of(signature: &str) -> String {
    signature
        .split_once('=')
        .expect("algorithm and digits")
        .1
        .to_owned()
}

fn replace(value: &[u8], right: &[u8]) -> Vec<u8> {
    let mut parts = value.split(|byte| *byte == b'*');
    let mut out = parts.next().unwrap_or_default().to_vec();
    for part in parts.take(2) {
        out.extend_from_slice(right);
        out.extend_from_slice(part);
    }
    out
}

/// The lines of a header that stands at most once and is well formed; `None` when it is not.
fn well_formed<'a>(lines: &'a [&'a [u8]], prefix: &str, digits: usize) -> Option<&'a [&'a [u8]]> {
    let good = |line: &&[u8]| {
        line.strip_prefix(prefix.as_bytes())
            .is_some_and(|hex| hex.len() == digits && hex.iter().all(u8::is_ascii_hexdigit))
    };
    (lines.len() <= 1 && lines.iter().all(good)).then_some(lines)
}

/// RFC 6750 and RFC 7617, with the secret as token or password.
fn is_authorization(line: &[u8]) -> bool {
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let (scheme, rest) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let rest = rest.trim_ascii();
    match scheme.to_ascii_lowercase().as_slice() {
        b"bearer" => rest == LABEL_STUDIO_SECRET.as_bytes(),
        b"basic" => STANDARD.decode(rest).is_ok_and(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b':');
            halves.next();
            halves.next() == Some(LABEL_STUDIO_SECRET.as_bytes())
        }),
        _ => false,
    }
}

fn assert_says_nothing(error: &CredentialError) {
    let text = error.to_string();
    assert!(
        !text.contains(LABEL_STUDIO_SECRET) && !text.contains(LABELBOX_SECRET),
        "{text}"
    );
}
