//! What a request's head decides: source, endpoint, address, credential.

use super::Relay;
use super::receive::BodyCheck;
use super::refusal::Refusal;
use crate::address::client_address;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::provider::Endpoint;
use crate::request::RequestHead;
use crate::signature::{ClaimedSignature, HeaderProof, ShownSecret, SignatureCheck};
use crate::source::{Route, Source};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// What the head alone says.
pub(super) struct Opened<'a> {
    pub(super) source: &'a Source,
    pub(super) endpoint: Endpoint,
    pub(super) check: BodyCheck,
}

impl Relay {
    /// Everything that can be decided before the body is read.
    pub(super) async fn open<'a>(
        &'a self,
        head: &RequestHead,
        report: &mut Report,
    ) -> Result<Opened<'a>, Refusal> {
        let Route {
            source,
            below,
            is_named,
        } = self
            .routes
            .find(&head.path)
            .ok_or_else(|| Refusal::new(Outcome::NotFound, "nothing here has this path"))?;
        // Only a credential tells of a wrong URL. Why secrets cannot be read is not for the sender.
        let misrouted = |refusal: Refusal| {
            let is_ours = refusal.answer.outcome == Outcome::Unavailable;
            if !is_named && below.len() > 1 && !is_ours {
                let names = self.sources().iter().map(|source| source.name.as_str());
                refusal.on_the_path_of(&source.name, names)
            } else {
                refusal
            }
        };
        let deadline = head.arrived + source.answer_by;
        report.source = Some(source.name.clone());
        report.delivery_id = source
            .provider
            .delivery_id(head)
            .map(crate::identity::bounded);
        report.client = client_address(head, source.trusted_proxies);
        let endpoint = source
            .provider
            .endpoint(&head.method, &below, source.ml_backend);
        if let Endpoint::WrongMethod { allow } = endpoint {
            let message = format!("this path takes {allow}");
            let answer = Answer::refusal(Outcome::WrongMethod, &message).allowing(allow);
            return Err(misrouted(Refusal {
                reason: Some(message),
                ..answer.into()
            }));
        }
        if let Some(allow) = &source.allow
            && !report.client.is_some_and(|address| allow.contains(address))
        {
            return Err(Refusal::new(
                Outcome::Forbidden,
                "this address may not deliver here",
            ));
        }
        let check = if let Some(scheme) = &source.header {
            let shown = scheme
                .shown(head)
                .map_err(|error| misrouted(error.into()))?;
            let proof = self.check_header(source, &shown, deadline).await;
            BodyCheck::Header(proof.map_err(misrouted)?, Sha256::new())
        } else {
            let claimed =
                ClaimedSignature::from_head(head).map_err(|error| misrouted(error.into()))?;
            let secrets = self
                .in_time(source, deadline, source.secrets.live())
                .await?;
            BodyCheck::Signature(SignatureCheck::new(claimed, &secrets), claimed, secrets)
        };
        if head
            .content_length()
            .is_some_and(|length| length > source.max_body_bytes)
        {
            return Err(Refusal::too_large(source.max_body_bytes));
        }
        Ok(Opened {
            source,
            endpoint,
            check,
        })
    }

    async fn check_header(
        &self,
        source: &Source,
        shown: &ShownSecret,
        deadline: Duration,
    ) -> Result<HeaderProof, Refusal> {
        let secrets = self
            .in_time(source, deadline, source.secrets.live())
            .await?;
        let mismatch = match shown.check(&secrets) {
            Ok(proof) => return Ok(proof),
            Err(error) => error,
        };
        let looked = self.in_time(source, deadline, source.secrets.after_miss(&secrets));
        match looked.await? {
            Some(fresh) => shown
                .check(&fresh)
                .map_err(|error| Refusal::credential(&error, &fresh)),
            None => Err(Refusal::credential(&mismatch, &secrets)),
        }
    }

    /// Labelbox asks which models may be trained. The question is signed, over its empty body.
    pub(super) async fn models(
        &self,
        source: &Source,
        check: BodyCheck,
        payload: Payload,
        deadline: Duration,
        report: &mut Report,
    ) -> Refusal {
        match self.verify(source, check, payload, deadline).await {
            (_, Ok(verified)) => {
                report.verified_by = Some(verified.by().to_owned());
                Answer::reply(source.models.clone()).into()
            }
            (_, Err(error)) => error.into(),
        }
    }
}
