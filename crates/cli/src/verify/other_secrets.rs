//! Secrets that the other side may have used instead of this one.

use super::secret_forms;
use super::signature_claim::{hex, unhex};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The secret in other forms, each with the mistake that makes it that one. Usual ones first.
pub(super) fn others(secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |mistake: &str, form: Vec<u8>| {
        if !form.is_empty() && form != secret && !all.iter().any(|(_, known)| *known == form) {
            all.push((mistake.to_owned(), form));
        }
    };
    for (end, name) in [
        (&b"\r\n"[..], "a CR and a line break"),
        (b"\n", "a line break"),
        (b"\r", "a CR"),
    ] {
        if let Some(rest) = secret.strip_suffix(end) {
            add(
                &format!("the secret here ends in {name}, which is not part of the other side's"),
                rest.to_vec(),
            );
        }
        let with = [secret, end].concat();
        add(
            &format!("the other side's secret ends in {name}, which the one here has not"),
            with,
        );
    }
    for quote in *b"\"'`" {
        let quoted = [&[quote], secret, &[quote]].concat();
        add("the other side's secret has quotes around it", quoted);
    }
    for (mistakes, form) in secret_forms::forms(secret) {
        add(&mistakes, form);
    }
    let trimmed = secret.trim_ascii();
    add(
        "the other side's secret has angle brackets around it: they only mark the place for it",
        [b"<", secret, b">"].concat(),
    );
    add(
        "the other side's secret has a space in front",
        [b" ", secret].concat(),
    );
    add(
        "the other side's secret has a space at its end",
        [secret, b" "].concat(),
    );
    add(
        "the other side's secret begins with a byte order mark, which the one here has not: take it away there",
        [b"\xef\xbb\xbf", secret].concat(),
    );
    if let Ok(text) = std::str::from_utf8(trimmed) {
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            if let Ok(decoded) = engine.decode(text) {
                add("the secret here is base64 of the other side's", decoded);
            }
        }
        if let Some(decoded) = unhex(text) {
            add(
                "the secret here is hexadecimal of the other side's",
                decoded,
            );
        }
    }
    add(
        "the other side's secret is base64 of the one here",
        STANDARD.encode(secret).into_bytes(),
    );
    add(
        "the other side's secret is hexadecimal of the one here",
        hex(secret).into_bytes(),
    );
    all
}
