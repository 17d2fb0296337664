//! What to do about a refused delivery, as the page says it.

use crate::recorded_credential::{Credential, credential};
use crate::serve::delivery_lines::{NO_CREDENTIAL, cure};
use labelrelay_core::Outcome;
use labelrelay_page::BodyPart;
use labelrelay_record::{Recorded, Row};

/// What to do; `None` if nothing was refused. `body` is what there is of it; `secret` the reference to the source's.
pub(super) fn way_out(
    delivery: &Recorded,
    body: &BodyPart,
    keeps_bodies: bool,
    secret: Option<&str>,
) -> Option<String> {
    let row = &delivery.row;
    let outcome = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == row.outcome)?;
    if !matches!(outcome, Outcome::Unauthorized | Outcome::Malformed) {
        return cure(outcome, true).map(str::to_owned);
    }
    let secret = secret.unwrap_or("REF");
    let is_empty = row.body_bytes == 0 && row.body_sha256.is_some();
    let is_whole = is_empty || matches!(body, BodyPart::Whole(_));
    Some(match row.head.as_deref().map(credential) {
        None => "it never became a request: see what sent it, and what is between that and here"
            .to_owned(),
        Some(None) => NO_CREDENTIAL.to_owned(),
        Some(Some(Credential::Signature(_))) if !is_whole => {
            without_body(row, keeps_bodies, secret)
        }
        Some(Some(_)) => format!(
            "why: `labelrelay verify --delivery {} --secret {secret}` explains it",
            delivery.name()
        ),
    })
}

/// About a signature, which is of the whole body.
fn without_body(row: &Row, keeps_bodies: bool, secret: &str) -> String {
    if row.body_bytes == 0 && row.body_sha256.is_none() {
        return "nothing of a body was read, because the head alone decided, or because no body came: the reason says which; correct that on the platform, or in the proxy that changes it".to_owned();
    }
    let request = format!("`labelrelay verify --request FILE --secret {secret}`");
    if keeps_bodies {
        format!(
            "the signature is of the whole body, and the record does not have that: save a request where it is sent, and {request} explains it"
        )
    } else {
        format!(
            "the signature is of the whole body, and [serve.record] has `bodies = false`: remove that, and a later delivery can be explained; or save a request where it is sent, for {request}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(head: Option<&str>, body_bytes: i64) -> Recorded {
        let row = Row {
            outcome: "unauthorized".to_owned(),
            status: 401,
            head: head.map(str::to_owned),
            body_bytes,
            ..Row::default()
        };
        Recorded::new(12, row)
    }

    #[test]
    fn a_refusal_says_what_can_be_done() {
        let (whole, none) = (
            BodyPart::Whole(b"{}".to_vec()),
            BodyPart::Missing(String::new()),
        );
        let signed = Some("host: x\nx-hub-signature: sha1=00\n");
        let bearer = Some("authorization: Bearer x\n");
        let command = "verify --delivery r12 --secret file:/a.secret`";
        for (head, bytes, body, keeps, words) in [
            (signed, 2, &whole, true, command),
            (bearer, 0, &none, true, command),
            (bearer, 0, &none, false, command),
            (signed, 2, &none, true, "verify --request FILE"),
            (signed, 2, &none, false, "`bodies = false`"),
            (signed, 0, &none, true, "nothing of a body was read"),
            (Some("host: x\n"), 0, &none, true, "no credential came"),
            (None, 0, &none, true, "never became a request"),
        ] {
            let delivery = refused(head, bytes);
            let said = way_out(&delivery, body, keeps, Some("file:/a.secret")).unwrap();
            assert!(said.contains(words), "{head:?}: {said}");
        }
        let said = way_out(&refused(signed, 2), &whole, true, None).unwrap();
        assert!(said.contains("--secret REF`"), "{said}");
        let row = Row {
            outcome: "accepted".to_owned(),
            ..Row::default()
        };
        assert_eq!(way_out(&Recorded::new(1, row), &whole, true, None), None);
    }
}
