//! The step before the body: endpoint, address, credential.

use super::body_check::BodyCheck;
use super::delivery::Delivery;
use super::pipeline::Relay;
use super::refusal::Refusal;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::provider::Endpoint;
use crate::source::Route;

impl Relay {
    /// Everything that can be decided before the body is read.
    pub(super) async fn authenticate(
        &self,
        delivery: &Delivery,
        route: &Route<'_>,
    ) -> Result<(Endpoint, BodyCheck), Refusal> {
        let Delivery { source, head, .. } = delivery;
        let misrouted = |refusal| self.perhaps_misrouted(delivery, refusal);
        let endpoint = source
            .provider
            .endpoint(&head.method, &route.below, source.ml_backend);
        if let Endpoint::WrongMethod { allow } = endpoint {
            let message = format!("this path takes {allow}");
            let answer = Answer::refusal(Outcome::WrongMethod, &message).allowing(allow);
            return Err(misrouted(Refusal {
                reason: Some(message),
                ..answer.into()
            }));
        }
        if let Some(allow) = &source.allow
            && !delivery
                .report
                .client
                .is_some_and(|address| allow.contains(address))
        {
            return Err(Refusal::new(
                Outcome::Forbidden,
                "this address may not deliver here",
            ));
        }
        let answer_by = delivery.deadlines.answer;
        let check = self.verifier.begin(source, head, answer_by).await;
        let check = check.map_err(misrouted)?;
        if head
            .content_length()
            .is_some_and(|length| length > source.max_body_bytes)
        {
            return Err(Refusal::too_large(source.max_body_bytes));
        }
        Ok((endpoint, check))
    }

    /// The refusal of a credential or a method, which may be wrong because the URL is. The log then names the other
    /// sources. An error of our own says nothing of the URL.
    pub(super) fn perhaps_misrouted(&self, delivery: &Delivery, refusal: Refusal) -> Refusal {
        let is_ours = refusal.answer.outcome == Outcome::Unavailable;
        if delivery.is_on_nobodys_path && !is_ours {
            let names = self.sources().iter().map(|source| source.name.as_str());
            refusal.on_the_path_of(&delivery.source.name, names)
        } else {
            refusal
        }
    }

    /// Labelbox asks which models may be trained. The question is signed, over its empty body.
    pub(super) async fn models(
        &self,
        delivery: &mut Delivery,
        check: BodyCheck,
        payload: Payload,
    ) -> Refusal {
        let answer_by = delivery.deadlines.answer;
        let checked = self
            .verifier
            .finish(&delivery.source, check, payload, answer_by);
        match checked.await {
            (_, Ok(verified)) => {
                delivery.verified_by(verified.by());
                Answer::reply(delivery.source.models.clone()).into()
            }
            (_, Err(error)) => self.perhaps_misrouted(delivery, error.into()),
        }
    }
}
