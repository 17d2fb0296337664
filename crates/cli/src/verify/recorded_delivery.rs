//! A delivery of the record: why was it refused, and would it be refused now?
//!
//! The record has no credential, only its length and its fingerprint. That is enough: every form of the secret that a
//! usual mistake makes, and every signature, is held against the fingerprint.

use super::{Verdict, authorization, header_secret, search, signature};
use crate::error::CliError;
use crate::recorded_credential::{Credential, credential};
use labelrelay_core::Secret;
use labelrelay_record::{Blotted, Recorded};

/// Takes the credential that the delivery had: a signature first, else the header that may hold the secret. The `body` is
/// asked for if the credential is of it.
pub(super) fn examine(
    delivery: &Recorded,
    body: impl FnOnce() -> Result<Vec<u8>, CliError>,
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
        Some(Credential::Signature(value)) => of_signature(delivery, value, body, secret)?,
        Some(Credential::Header(name, value)) => of_header(name, value, secret),
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

fn of_signature(
    delivery: &Recorded,
    value: &str,
    body: impl FnOnce() -> Result<Vec<u8>, CliError>,
    secret: &[u8],
) -> Result<Verdict, CliError> {
    let body = body().map_err(|error| {
        let reason = match &delivery.row.reason {
            Some(reason) => format!(" It was answered {} ({reason}).", delivery.row.status),
            None => String::new(),
        };
        CliError::failed(format_args!(
            "{}: {}. A signature is of the whole body: take the request from where it was sent, and give it with --request.{reason}",
            delivery.name(),
            error.message(),
        ))
    })?;
    Ok(match Blotted::read(value) {
        Some(claimed) => search::blotted(&claimed, &body, secret),
        None => signature(&[value.as_bytes().to_vec()], &body, secret),
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
