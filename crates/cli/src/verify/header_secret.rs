//! Header secrets, as Label Studio sends them.

use super::{Verdict, other_secrets, request_head};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use labelrelay_core::Secret;
use labelrelay_core::signature::SecretHeader;
use labelrelay_record::{Blotted, fingerprint};

/// `Authorization`: Bearer, or Basic with the secret as password.
pub(super) fn authorization(lines: &[Vec<u8>], secret: &[u8]) -> Verdict {
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(http::header::AUTHORIZATION, value);
        }
    }
    let mut verdict = match as_the_relay(&SecretHeader::Authorization, headers, secret) {
        Ok(()) => return matches(lines, secret),
        Err(verdict) => verdict,
    };
    let [line] = lines else { return verdict };
    let text = line.trim_ascii();
    // Before it is taken apart at a space: a secret may hold one.
    if let Some(mistakes) = differs(text, secret) {
        verdict
            .mistakes
            .push("the word `Bearer` and a space are missing in front of the secret".to_owned());
        verdict.mistakes.extend(mistakes);
        return verdict;
    }
    let (scheme, rest) = match text.iter().position(|&byte| byte == b' ') {
        Some(at) => {
            let (scheme, rest) = text.split_at(at);
            (scheme, rest.trim_ascii())
        }
        None => (&b""[..], text),
    };
    if scheme.eq_ignore_ascii_case(b"basic") {
        basic(rest, secret, &mut verdict);
        return verdict;
    }
    let bearer = scheme.eq_ignore_ascii_case(b"bearer");
    // `Bearer Bearer x`, when the platform's field for it adds the word by itself.
    let (rest, twice) = match rest.strip_prefix(b"Bearer ") {
        Some(inner) if bearer => (inner, true),
        _ => (rest, false),
    };
    if let Some(mistakes) = differs(rest, secret) {
        if twice {
            verdict
                .mistakes
                .push("the word `Bearer` stands twice".to_owned());
        } else if !bearer {
            let scheme = String::from_utf8_lossy(scheme).escape_debug().to_string();
            verdict
                .mistakes
                .push(format!("the header says `{scheme}`; it has to be `Bearer`"));
        }
        verdict.mistakes.extend(mistakes);
    }
    verdict
}

/// Any other header: its whole value is the secret.
pub(super) fn named(lines: &[Vec<u8>], secret: &[u8]) -> Verdict {
    // Which header it is makes no difference to the comparison.
    let name = http::HeaderName::from_static("x-secret");
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name.clone(), value);
        }
    }
    let mut verdict = match as_the_relay(&SecretHeader::Named(name), headers, secret) {
        Ok(()) => return matches(lines, secret),
        Err(verdict) => verdict,
    };
    if let [line] = lines {
        if let Some(inner) = line.strip_prefix(b"Bearer ")
            && let Some(mistakes) = differs(inner, secret)
        {
            verdict
                .mistakes
                .push("the word `Bearer` belongs into the header Authorization alone".to_owned());
            verdict.mistakes.extend(mistakes);
        } else if let Some(mistakes) = differs(line, secret) {
            verdict.mistakes.extend(mistakes);
        }
    }
    verdict
}

/// A secret that was blotted out of a record: by its fingerprint, which the record has.
pub(super) fn blotted(shown: &Blotted<'_>, is_authorization: bool, secret: &[u8]) -> Verdict {
    let is_it = |form: &[u8]| fingerprint(form) == shown.fingerprint;
    let mut verdict = Verdict::default();
    let mistake = if is_it(secret) {
        None
    } else {
        let mut others = other_secrets::others(secret).into_iter();
        match others.find(|(_, form)| is_it(form)) {
            Some((mistake, _)) => Some(mistake),
            None => return verdict,
        }
    };
    let scheme = shown.before.trim_ascii();
    let is_known = ["bearer", "basic"].contains(&scheme.to_ascii_lowercase().as_str());
    if is_authorization && scheme.is_empty() {
        verdict
            .mistakes
            .push("the word `Bearer` and a space are missing in front of the secret".to_owned());
    } else if is_authorization && !is_known {
        let scheme = scheme.escape_debug();
        verdict
            .mistakes
            .push(format!("the header says `{scheme}`; it has to be `Bearer`"));
    } else if !is_authorization && !scheme.is_empty() {
        verdict
            .mistakes
            .push("the word `Bearer` belongs into the header Authorization alone".to_owned());
    }
    verdict.mistakes.extend(mistake);
    verdict.matches = verdict.mistakes.is_empty();
    verdict
}

/// Secret that the relay accepts, and the encoding in which it came.
fn matches(lines: &[Vec<u8>], secret: &[u8]) -> Verdict {
    let mut verdict = Verdict {
        matches: true,
        ..Verdict::default()
    };
    let is_exact = lines.iter().any(|line| {
        let last = line.rsplit(|&byte| byte == b' ').next();
        let decoded = last.and_then(|word| STANDARD.decode(word).ok());
        line.trim_ascii().ends_with(secret)
            || decoded.is_some_and(|decoded| decoded.ends_with(secret))
    });
    if !is_exact {
        verdict.notes.push(
            "it came in another encoding than the secret here has (Label Studio sends Latin-1); labelrelay takes both"
                .to_owned(),
        );
    }
    verdict
}

fn as_the_relay(scheme: &SecretHeader, headers: HeaderMap, secret: &[u8]) -> Result<(), Verdict> {
    let head = request_head::with(headers);
    let answer = |error: &dyn std::fmt::Display| Verdict {
        notes: vec![
            format!("labelrelay answers: {error}").replace("x-secret", "that carries the secret"),
        ],
        ..Verdict::default()
    };
    let secret = Secret::new("given", secret).map_err(|error| answer(&error))?;
    let shown = scheme.shown(&head).map_err(|error| {
        let mut verdict = answer(&error);
        if head.headers.len() > 1 {
            verdict
                .mistakes
                .push("the header stands more than once".to_owned());
        }
        verdict
    })?;
    shown
        .check(&[secret])
        .map(drop)
        .map_err(|error| answer(&error))
}

fn basic(rest: &[u8], secret: &[u8], verdict: &mut Verdict) {
    let Ok(decoded) = STANDARD.decode(rest) else {
        if differs(rest, secret).is_some() {
            verdict.mistakes.push(
                "after `Basic` stands the secret itself; it has to be base64 of `user:secret`"
                    .to_owned(),
            );
        }
        return;
    };
    let Some(colon) = decoded.iter().position(|&byte| byte == b':') else {
        if differs(&decoded, secret).is_some() {
            verdict.mistakes.push(
                "after `Basic` stands base64 of the secret alone; it has to be of `user:secret`"
                    .to_owned(),
            );
        }
        return;
    };
    let (user, password) = decoded.split_at(colon);
    let password = password.get(1..).unwrap_or_default();
    if let Some(mistakes) = differs(password, secret) {
        verdict.mistakes.extend(mistakes);
    } else if differs(user, secret).is_some() {
        verdict.mistakes.push(
            "the secret stands as the user; it has to be the password: http://any:SECRET@host/"
                .to_owned(),
        );
    }
}

/// Nothing when `shown` is no form of the secret; else the mistakes that make it that form, if any.
fn differs(shown: &[u8], secret: &[u8]) -> Option<Vec<String>> {
    if shown == secret {
        return Some(Vec::new());
    }
    let (mistake, _) = other_secrets::others(secret)
        .into_iter()
        .find(|(_, form)| form == shown)?;
    Some(vec![mistake])
}
