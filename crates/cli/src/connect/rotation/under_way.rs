//! A rotation that has begun: both secrets are good, until it ends.

use super::halves::Halves;
use super::secret_probe::{self, Asked};
use crate::connect::report::{Problem, Report};
use crate::local_dir::new_secret;
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
}

impl Rotation<'_> {
    /// Sees that the relay takes both secrets, so that nothing is refused when webhooks get the new one.
    pub(in crate::connect) async fn both_are_taken(
        &self,
        report: &mut Report,
    ) -> Result<(), Problem> {
        self.wait_for_instances(report).await?;
        let begun = Instant::now();
        while !self.takes(&self.new).await? {
            if begun.elapsed() > self.halves.read_within() {
                let place = self.halves.of_new();
                let end = match &self.halves {
                    Halves::Files(_) => "To end the rotation, remove that file",
                    Halves::Store { .. } => "Both secrets stay good; run this again",
                };
                return Err(Problem::Step(format!(
                    "the relay at {} does not take the new secret in {place}: see that it is one of this version, with this configuration, that may read it. No webhook was changed. {end}",
                    self.relay
                )));
            }
            tokio::time::sleep(self.pause()).await;
        }
        if !self.takes(&self.old).await? {
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
            "Waiting {} minutes, until every instance of the relay has read its secrets again. Whatever breaks off here leaves both good.",
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

    /// Tells whether a delivery has shown the new secret; `None` where nobody can see that.
    pub(in crate::connect) fn is_shown(&self) -> Option<bool> {
        match &self.halves {
            Halves::Files(files) => Some(files.is_shown()),
            Halves::Store { .. } => None,
        }
    }

    /// The words that end it by hand.
    pub(in crate::connect) fn end_by_hand(&self) -> String {
        self.halves.end_by_hand()
    }

    /// Waits for what is under way with the old secret, takes it away, and sees that it is refused.
    pub(in crate::connect) async fn end(self, report: &mut Report) -> Result<(), Problem> {
        tokio::time::sleep(UNDER_WAY).await;
        self.halves.end(&self.new).await.map_err(|error| {
            Problem::Step(format!(
                "the new secret cannot take the old one's place: {error}; both are good. Run this again, or do it by hand: {}",
                self.end_by_hand()
            ))
        })?;
        self.wait_for_instances(report).await?;
        let begun = Instant::now();
        while self.takes(&self.old).await? {
            if begun.elapsed() > self.halves.read_within() {
                return Err(Problem::Step(format!(
                    "the webhooks and {} have the new secret, and the relay still takes the old one: see whether `previous_secret` of the source `{}` is the same, and take it away",
                    self.reference(),
                    self.source.name
                )));
            }
            tokio::time::sleep(self.pause()).await;
            self.provoke().await?;
        }
        report.done("the old secret is refused")?;
        Ok(())
    }

    /// Shows a relay here a secret that it cannot know, so that it reads the store again.
    async fn provoke(&self) -> Result<(), Problem> {
        if matches!(
            (&self.relay, &self.halves),
            (Asked::Here(_), Halves::Store { .. })
        ) {
            let unknown = Secret::new("nobody's", new_secret()?);
            let unknown = unknown.map_err(|error| Problem::Step(error.message))?;
            self.takes(&unknown).await?;
        }
        Ok(())
    }

    fn reference(&self) -> String {
        match &self.halves {
            Halves::Files(files) => files.current.display().to_string(),
            Halves::Store { reference, .. } => reference.to_string(),
        }
    }

    fn pause(&self) -> Duration {
        match &self.halves {
            Halves::Files(_) => POLL,
            Halves::Store { .. } => POLL_STORE,
        }
    }

    pub(super) async fn takes(&self, secret: &Secret) -> Result<bool, Problem> {
        let asked = secret_probe::ask(&self.relay, self.source, secret).await;
        asked.map_err(|problem| {
            Problem::Step(format!(
                "the relay at {} does not say which secrets it takes: {problem}; both are good as long as the rotation has not ended: run this again",
                self.relay
            ))
        })
    }
}
