//! A rotation that has begun: both secrets are good, until it ends.

use super::halves::Halves;
use super::secret_probe::{self, Asked};
use crate::connect::report::{Problem, Report};
use labelrelay_core::Secret;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::secret::SecretRing;
use std::time::{Duration, Instant};

/// Deliveries that are under way with the old secret when the last webhook has the new one: Label Studio gives one
/// up after a second, newer versions after ten.
const UNDER_WAY: Duration = Duration::from_secs(11);

const POLL: Duration = Duration::from_millis(200);

/// Pause between two questions to a relay that reads a store: each may be a line of its log.
const POLL_STORE: Duration = Duration::from_secs(2);

/// A rotation that has begun.
pub(in crate::connect) struct Rotation<'a> {
    pub(super) source: &'a SourceConfig,
    pub(super) relay: Asked,
    pub(super) halves: Halves,
    pub(super) old: Secret,
    pub(in crate::connect) new: Secret,
    /// Words that the platform's half had to remember when it began.
    pub(in crate::connect) remembered: Vec<String>,
    /// `true` if the new secret is one that a store held already, and that may be of no rotation that broke off.
    pub(super) is_found: bool,
}

impl Rotation<'_> {
    /// Sees that the relay takes both secrets, so that nothing is refused when webhooks get the new one.
    pub(in crate::connect) async fn both_are_taken(
        &self,
        report: &mut Report,
    ) -> Result<(), Problem> {
        const END: &str = "No webhook was changed, and both secrets stay good: run this again";
        self.wait_for_instances(report).await?;
        let begun = Instant::now();
        while !self.takes(&self.new, END).await? {
            if begun.elapsed() > self.halves.read_within() {
                let place = self.halves.of_new();
                let end = match &self.halves {
                    Halves::Files(_) => "To end the rotation, remove that file",
                    Halves::Store(_) => "Both secrets stay good; run this again",
                };
                return Err(Problem::Step(format!(
                    "the relay at {} does not take the new secret in {place}: see that it is one of this version, with this configuration, that may read it. No webhook was changed. {end}",
                    self.relay
                )));
            }
            tokio::time::sleep(self.pause()).await;
        }
        if !self.takes(&self.old, END).await? {
            return Err(self.takes_another());
        }
        report.done("the relay takes the old secret and a new one")?;
        Ok(())
    }

    /// A relay elsewhere may be many instances, each of which reads a store at its own time: so the question to one
    /// proves nothing of the others.
    async fn wait_for_instances(&self, report: &Report) -> Result<(), Problem> {
        if matches!(self.relay, Asked::Here(_)) {
            return Ok(());
        }
        report.hint(format_args!(
            "Waiting {} minutes, until every instance of the relay has read its secrets again. Whatever breaks off here leaves the webhooks a secret that is good.",
            SecretRing::MAX_AGE.as_secs() / 60
        ))?;
        tokio::time::sleep(SecretRing::MAX_AGE).await;
        Ok(())
    }

    pub(super) fn takes_another(&self) -> Problem {
        Problem::Step(format!(
            "the relay at {} does not take the secret in {}: see that it has this configuration. No webhook was changed",
            self.relay,
            self.halves.of_old()
        ))
    }

    /// Tells whether a delivery has shown the new secret. Nobody here sees that of a store.
    pub(in crate::connect) fn is_shown(&self) -> bool {
        matches!(&self.halves, Halves::Files(files) if files.is_shown())
    }

    /// Waits for what is under way with the old secret.
    pub(in crate::connect) async fn let_arrive(&self) {
        tokio::time::sleep(UNDER_WAY).await;
    }

    /// Takes the old secret away, and sees that it is refused. Nothing may be under way with it any more, and no
    /// webhook may have it.
    pub(in crate::connect) async fn end(self, report: &mut Report) -> Result<(), Problem> {
        let ended = self.halves.end(&self.new).await;
        if let Some(left) = ended.map_err(Problem::Step)? {
            report.warn(left);
        }
        let place = self.reference();
        let unseen = format!(
            "The webhooks and {place} have the new secret, and the old one was taken away there; only the answer of the relay is missing"
        );
        self.wait_for_instances(report).await?;
        let begun = Instant::now();
        while self.takes(&self.old, &unseen).await? {
            if begun.elapsed() > self.halves.read_within() {
                return Err(Problem::Step(format!(
                    "the webhooks and {place} have the new secret, and the relay still takes the old one: see whether `previous_secret` of the source `{}` is the same, and take it away",
                    self.source.name
                )));
            }
            tokio::time::sleep(self.pause()).await;
        }
        if !self.takes(&self.new, &unseen).await? {
            return Err(Problem::Step(format!(
                "the webhooks and {place} have the new secret, and the relay at {} takes neither of the two: see that it may read it; until then it refuses every delivery",
                self.relay
            )));
        }
        report.done("the old secret is refused")?;
        if self.is_found {
            report.done(format_args!(
                "no new secret was made: the newer one of the two in {place} is the secret now. If no rotation had broken off, run this again for a new one"
            ))?;
        }
        Ok(())
    }

    fn reference(&self) -> String {
        match &self.halves {
            Halves::Files(files) => files.current.display().to_string(),
            Halves::Store(store) => store.reference.to_string(),
        }
    }

    fn pause(&self) -> Duration {
        match &self.halves {
            Halves::Files(_) => POLL,
            Halves::Store(_) => POLL_STORE,
        }
    }

    /// Asks the relay; `state` says which secrets are good, where it does not tell.
    pub(super) async fn takes(&self, secret: &Secret, state: &str) -> Result<bool, Problem> {
        let asked = secret_probe::ask(&self.relay, self.source, secret).await;
        asked.map_err(|problem| {
            Problem::Step(format!(
                "the relay at {} does not say which secrets it takes: {problem}. {state}",
                self.relay
            ))
        })
    }
}
