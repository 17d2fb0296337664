//! Looks for the mistake that explains a signature.

use super::signature_claim::{Claimed, hash_of, hex, read};
use super::{Verdict, changed_bodies, other_secrets, request_head};
use http::{HeaderMap, HeaderName, HeaderValue};
use labelrelay_core::Secret;
use labelrelay_core::signature::{
    ClaimedSignature, CredentialError, SignatureCheck, sign_sha1, sign_sha256,
};
use labelrelay_event::Digest;
use labelrelay_record::{Blotted, fingerprint};
use sha1::{Digest as _, Sha1};

/// Up to this size a mistake with the secret and one with the body are looked for together: some
/// hundred hashes over the body.
const MAX_BOTH_BYTES: usize = 4 * 1024 * 1024;

const NO_SIGNATURE: &str = "the header's value is no signature: `sha1=` and 40 hexadecimal digits; it was cut or is of another kind";

/// Looks for a signature of `body` in the lines, as the relay sees it; else finds out why none is one.
pub(super) fn signature(lines: &[Vec<u8>], body: &[u8], secret: &[u8]) -> Verdict {
    let refusal = match as_the_relay(lines, body, secret) {
        Ok(()) => {
            return Verdict {
                matches: true,
                ..Verdict::default()
            };
        }
        Err(refusal) => refusal,
    };
    let mut verdict = Verdict::default();
    verdict.notes.push(format!("labelrelay answers: {refusal}"));
    let mut values: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let joined = matches!(values.as_slice(), [one] if one.contains(&b','));
    if joined {
        values = values
            .iter()
            .flat_map(|line| line.split(|&byte| byte == b','))
            .collect();
    }
    if values.len() > 1 {
        verdict.mistakes.push(
            "the header stands more than once: a proxy or the webhook's settings add it again"
                .to_owned(),
        );
    }
    let found = values
        .iter()
        .flat_map(|value| read(value))
        .find_map(|claimed| explain(&claimed, body, secret));
    match found {
        Some(mistakes) => verdict.mistakes.extend(mistakes),
        // A claim that cannot even be read is explained by that alone.
        None if values.iter().all(|value| read(value).is_empty()) => {
            verdict.mistakes.push(NO_SIGNATURE.to_owned());
        }
        None => {}
    }
    verdict
}

/// The relay's own check.
fn as_the_relay(lines: &[Vec<u8>], body: &[u8], secret: &[u8]) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let name = if line.starts_with(b"sha256=") {
            "x-hub-signature-256"
        } else {
            "x-hub-signature"
        };
        let value = HeaderValue::from_bytes(line).map_err(|error| error.to_string())?;
        headers.append(HeaderName::from_static(name), value);
    }
    let claimed = ClaimedSignature::from_head(&request_head::with(headers))
        .map_err(|error| error.to_string())?;
    let secret = Secret::new("given", secret).map_err(|error| error.to_string())?;
    let mut check = SignatureCheck::new(claimed, &[secret]);
    check.update(body);
    match check.matched() {
        Some(_) if body.is_empty() => Err("an empty body is no event".to_owned()),
        Some(_) => Ok(()),
        None => Err(CredentialError::Mismatch.to_string()),
    }
}

/// Looks for the signature of `body` that was blotted out of a record. Where a record has its hash, its length and its
/// fingerprint, nothing else of it is needed.
pub(super) fn blotted(claimed: &Blotted<'_>, body: &[u8], secret: &[u8]) -> Verdict {
    let mut verdict = Verdict::default();
    let hash = match claimed.bytes {
        40 => "sha1",
        64 => "sha256",
        _ => {
            verdict.mistakes.push(NO_SIGNATURE.to_owned());
            return verdict;
        }
    };
    let is_it = |tag: &str| fingerprint(tag.as_bytes()) == claimed.fingerprint;
    let Some(mistakes) = mistakes(hash, &is_it, body, secret) else {
        return verdict;
    };
    if claimed.before.trim_end_matches('=') != hash {
        verdict.mistakes.push(format!(
            "the header's value begins with `{}`; it has to be `{hash}=`",
            claimed.before.escape_debug()
        ));
    }
    verdict.mistakes.extend(mistakes);
    verdict.matches = verdict.mistakes.is_empty() && !body.is_empty();
    verdict
}

/// The mistakes that together make `claimed` right; the fewest that do.
fn explain(claimed: &Claimed, body: &[u8], secret: &[u8]) -> Option<Vec<String>> {
    let hash = hash_of(&claimed.tag)?;
    let tag = hex(&claimed.tag);
    let found = mistakes(hash, &|computed: &str| computed == tag, body, secret)?;
    Some([claimed.mistakes.clone(), found].concat())
}

/// The mistakes with secret and body that together make a tag for which `is_it` holds; the fewest that do.
fn mistakes(
    hash: &str,
    is_it: &dyn Fn(&str) -> bool,
    body: &[u8],
    secret: &[u8],
) -> Option<Vec<String>> {
    let signs = |key: &[u8], message: &[u8]| {
        let signature = if hash == "sha1" {
            sign_sha1(key, message)
        } else {
            sign_sha256(key, message)
        };
        signature.split_once('=').is_some_and(|(_, hex)| is_it(hex))
    };
    let plain = |message: &[u8]| {
        let digest = match hash {
            "sha1" => hex(&Sha1::digest(message)),
            _ => Digest::of(message).to_hex(),
        };
        is_it(&digest)
    };
    let with = |mistakes: &[&str]| -> Option<Vec<String>> {
        Some(mistakes.iter().map(|&text| text.to_owned()).collect())
    };
    if signs(secret, body) {
        return with(&[]);
    }
    let (keys, changes) = (other_secrets::others(secret), changed_bodies::changes(body));
    for (mistake, key) in &keys {
        if signs(key, body) {
            return with(&[mistake]);
        }
    }
    for change in &changes {
        if change.undone().is_some_and(|form| signs(secret, &form)) {
            return with(&[&change.words]);
        }
    }
    if !body.is_empty() && signs(body, secret) {
        return with(&["key and message are swapped: the secret was hashed with the body as key"]);
    }
    for (form, mistake) in [
        (
            body.to_vec(),
            "it is the plain hash of the body, without any secret: an HMAC is needed",
        ),
        (
            [secret, body].concat(),
            "it is the plain hash of secret and body: an HMAC is needed",
        ),
        (
            [body, secret].concat(),
            "it is the plain hash of body and secret: an HMAC is needed",
        ),
    ] {
        if plain(&form) {
            return with(&[mistake]);
        }
    }
    if body.len() > MAX_BOTH_BYTES {
        return None;
    }
    for change in &changes {
        let Some(form) = change.undone() else {
            continue;
        };
        for (mistake, key) in &keys {
            if signs(key, &form) {
                return with(&[mistake, &change.words]);
            }
        }
    }
    None
}
