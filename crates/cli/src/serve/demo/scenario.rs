//! One delivery of the demo: made, perhaps tampered with, sent, answered.

use super::Secrets;
use crate::delivery::{Credential, Delivery};
use crate::error::CliError;
use crate::samples::Sample;
use bytes::Bytes;
use http::{HeaderValue, Request};
use labelrelay_core::Outcome;
use labelrelay_core::provider::Provider;
use labelrelay_core::signature::SecretHeader;
use serde::Deserialize;

/// Change to a delivery before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tamper {
    Nothing,
    ForeignSecret,
    BodyBit,
    SignatureBit,
    SignatureCut,
    SignatureTwice,
    NoCredential,
    EmptyBody,
}

/// A delivery to be made, and the answer that is right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) about: &'static str,
    pub(super) sample: &'static Sample,
    pub(super) tamper: Tamper,
    pub(super) expected: Outcome,
}

/// A delivery that was made.
pub(super) struct PlayedScenario {
    pub(super) scenario: Scenario,
    /// Bytes that went over the wire.
    pub(super) body: Bytes,
    pub(super) status: u16,
    pub(super) outcome: String,
    /// The event's id, where there is one.
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
struct AnswerBody {
    outcome: String,
    id: Option<String>,
}

impl PlayedScenario {
    pub(super) async fn run(
        scenario: Scenario,
        base: &str,
        secrets: &Secrets,
    ) -> Result<Self, CliError> {
        let request = scenario.request(base, secrets).map_err(CliError::failed)?;
        let body = request.body().clone();
        let answer = labelrelay_http_client::send(request)
            .await
            .map_err(CliError::failed)?;
        let parsed: Option<AnswerBody> = serde_json::from_slice(&answer.body).ok();
        let (outcome, id) = parsed.map_or_else(
            || ("?".to_owned(), None),
            |parsed| (parsed.outcome, parsed.id),
        );
        Ok(Self {
            scenario,
            body,
            status: answer.status,
            outcome,
            id,
        })
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.outcome == self.scenario.expected.as_str()
            && self.status == self.scenario.expected.status().as_u16()
    }
}

impl Scenario {
    fn request(&self, base: &str, secrets: &Secrets) -> Result<Request<Bytes>, String> {
        let (own, credential, header) = match self.sample.provider {
            Provider::Labelbox => (&secrets.labelbox, Credential::Signature, "x-hub-signature"),
            _ => (
                &secrets.label_studio,
                Credential::Header(SecretHeader::Authorization),
                "authorization",
            ),
        };
        let url = format!(
            "{base}/{}{}",
            self.sample.provider.as_str(),
            self.sample.path
        );
        let mut request = Delivery {
            url: &url,
            body: if self.tamper == Tamper::EmptyBody {
                Bytes::new()
            } else {
                Bytes::from_static(self.sample.body)
            },
            secret: if self.tamper == Tamper::ForeignSecret {
                &secrets.foreign
            } else {
                own
            },
            credential: &credential,
            topic: self.sample.topic,
            id: (self.sample.provider == Provider::Labelbox).then_some("ckfgcfsjk09jn06624cy7gb26"),
        }
        .request()?;
        let value = request
            .headers()
            .get(header)
            .map(|value| value.as_bytes().to_vec())
            .unwrap_or_default();
        let changed = match self.tamper {
            Tamper::Nothing | Tamper::ForeignSecret | Tamper::EmptyBody => return Ok(request),
            Tamper::NoCredential => {
                request.headers_mut().remove(header);
                return Ok(request);
            }
            Tamper::BodyBit => {
                *request.body_mut() = flip_last_digit(request.body());
                return Ok(request);
            }
            Tamper::SignatureTwice => {
                let twice = HeaderValue::from_bytes(&value).map_err(|error| error.to_string())?;
                request.headers_mut().append(header, twice);
                return Ok(request);
            }
            Tamper::SignatureBit if self.sample.provider == Provider::Labelbox => {
                flip_last_digit(&value).to_vec()
            }
            Tamper::SignatureBit => flip_last_bit(value),
            Tamper::SignatureCut => value
                .get(..value.len().saturating_sub(1))
                .unwrap_or_default()
                .to_vec(),
        };
        let changed = HeaderValue::from_bytes(&changed).map_err(|error| error.to_string())?;
        request.headers_mut().insert(header, changed);
        Ok(request)
    }
}

/// A secret of letters and digits with its last bit inverted: what comes out may stand in a header.
fn flip_last_bit(mut secret: Vec<u8>) -> Vec<u8> {
    if let Some(last) = secret.last_mut() {
        *last ^= 1;
    }
    secret
}

/// The bytes with the lowest bit of the last decimal digit inverted; a digit stays a digit then.
fn flip_last_digit(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(digit) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit ^= 1;
    }
    Bytes::from(bytes)
}
