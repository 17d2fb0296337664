//! A delivery of the record: why was it refused, and would it be refused now?
//!
//! The record has no credential, only its length and its fingerprint. That is enough: every form of the secret that a
//! usual mistake makes, and every signature, is held against the fingerprint.

use super::{Verdict, authorization, header_secret, search, signature};
use crate::error::CliError;
use labelrelay_core::Secret;
use labelrelay_record::{Blotted, Body, Recorded};

/// Takes the credential that the delivery had: a signature first, else the header that may hold the secret.
pub(super) fn examine(
    delivery: &Recorded,
    body: Option<&Body>,
    secret: &Secret,
) -> Result<Verdict, CliError> {
    let row = &delivery.row;
    let head = row.head.as_deref().ok_or_else(|| {
        CliError::failed(format_args!(
            "{} has no head: it never became a request, so there is no credential to look at",
            delivery.name()
        ))
    })?;
    let secret = secret.expose();
    let mut verdict = match credential(head) {
        Some((name, value)) if name.starts_with("x-hub-signature") => {
            of_signature(delivery, value, body, secret)?
        }
        Some((name, value)) => of_header(name, value, secret),
        None => {
            let mut verdict = Verdict::default();
            verdict.mistakes.push(
                "the delivery has no credential: neither X-Hub-Signature, nor Authorization, nor a header that looks like one; enter the secret on the platform, and see that no proxy removes the header".to_owned(),
            );
            verdict
        }
    };
    let reason = row.reason.as_deref().unwrap_or("no reason was needed");
    verdict.notes.push(format!(
        "delivery {}: answered {} ({}): {reason}",
        delivery.name(),
        row.status,
        row.outcome
    ));
    if verdict.matches && row.status == 401 {
        verdict.notes.push(
            "it matches this secret, so labelrelay had another one when it refused the delivery"
                .to_owned(),
        );
    }
    Ok(verdict)
}

/// Name and value of the header that is examined.
fn credential(head: &str) -> Option<(&str, &str)> {
    let headers = || head.lines().filter_map(|line| line.split_once(": "));
    let named = |wanted: &str| headers().find(|(name, _)| *name == wanted);
    ["x-hub-signature", "x-hub-signature-256", "authorization"]
        .into_iter()
        .find_map(named)
        .or_else(|| {
            headers().find(|(name, value)| *name != "cookie" && Blotted::read(value).is_some())
        })
}

fn of_signature(
    delivery: &Recorded,
    value: &str,
    body: Option<&Body>,
    secret: &[u8],
) -> Result<Verdict, CliError> {
    let body = body.filter(|body| body.is_whole).ok_or_else(|| {
        let kept = body.map_or(0, |body| body.start.len());
        CliError::failed(format_args!(
            "the record has {kept} of {} bytes of the body of {}, and a signature is of all of them: take the request from where it was sent, and give it with --request",
            delivery.row.body_bytes,
            delivery.name()
        ))
    })?;
    Ok(match Blotted::read(value) {
        Some(claimed) => search::blotted(&claimed, &body.start, secret),
        None => signature(&[value.as_bytes().to_vec()], &body.start, secret),
    })
}

fn of_header(name: &str, value: &str, secret: &[u8]) -> Verdict {
    let is_authorization = name == "authorization";
    match Blotted::read(value) {
        Some(shown) => header_secret::blotted(&shown, is_authorization, secret),
        None if is_authorization => authorization(&[value.as_bytes().to_vec()], secret),
        None => header_secret::named(&[value.as_bytes().to_vec()], secret),
    }
}
