//! Another secret for a source: a new one is made, both are good in between, and at the end the old one is refused.
//!
//! It works on the file of the secret or on its place in a cloud's store, and asks the relay which secrets it takes,
//! before any webhook is changed and after all are. What the platform has to do in between differs.

mod by_hand;
mod halves;
mod secret_probe;

use super::kept_secret;
use super::relay_url::RelayUrl;
use super::report::{Problem, Report};
use crate::env::Env;
use crate::error::CliError;
use crate::local_dir::new_secret;
use crate::locations::QueueLocation;
use crate::open;
use crate::rotation_files::RotationFiles;
use crate::running_serve;
use crate::secret_reference;
use halves::Halves;
use labelrelay_core::Secret;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::secret::SecretRing;
use secret_probe::Asked;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Deliveries that are under way with the old secret when the last webhook has the new one: Label Studio gives one
/// up after a second, newer versions after ten.
const UNDER_WAY: Duration = Duration::from_secs(11);

const POLL: Duration = Duration::from_millis(200);

/// Pause between two questions to a relay that reads a store: each may be a line of its log.
const POLL_STORE: Duration = Duration::from_secs(2);

/// A source, as far as its secret may be rotated.
pub(super) struct Rotatable {
    source: SourceConfig,
    reference: SecretRef,
    /// The file that the secret is in, if it is in one.
    file: Option<PathBuf>,
    /// The `serve` that runs here.
    serve: Option<SocketAddr>,
    /// URL of the source at the relay.
    relay: String,
    /// `true` if a `serve` that runs here could be found.
    is_findable: bool,
    /// Another source with the same file.
    shared_with: Option<String>,
}

/// A rotation that has begun.
pub(super) struct Rotation<'a> {
    source: &'a SourceConfig,
    relay: Asked,
    halves: Halves,
    old: Secret,
    pub(super) new: Secret,
    /// Words that the platform's half had to remember when it began.
    pub(super) remembered: Vec<String>,
}

impl Rotatable {
    pub(super) fn new(
        config: &Config,
        source: &SourceConfig,
        relay: &RelayUrl,
        env: &Env<'_>,
    ) -> Result<Self, CliError> {
        let Some((reference, _)) = source.secrets.first() else {
            return Err(CliError::config(format_args!(
                "{}: source `{}` has no secret; set `secret`",
                config.origin, source.name
            )));
        };
        let file = match reference {
            SecretRef::File(path) => Some(env.cwd().join(path)),
            _ => None,
        };
        Ok(Self {
            source: source.clone(),
            reference: reference.clone(),
            file,
            serve: running_serve::address(config, env),
            relay: relay.url.clone(),
            is_findable: matches!(
                open::queue_location(config, env),
                Ok(QueueLocation::Sqlite(_))
            ),
            shared_with: config
                .sources
                .iter()
                .filter(|other| other.name != source.name)
                .find(|other| other.secrets.iter().any(|(one, _)| one == reference))
                .map(|other| other.name.clone()),
        })
    }

    /// Reference to the newest secret.
    pub(super) fn reference(&self) -> &SecretRef {
        &self.reference
    }

    pub(super) fn source(&self) -> &SourceConfig {
        &self.source
    }

    /// Stops a walk that would give webhooks the old secret again.
    pub(super) fn refuse_while_under_way(&self) -> Result<(), Problem> {
        let file = self.file.as_deref().map(RotationFiles::of);
        match file.filter(RotationFiles::is_under_way) {
            None => Ok(()),
            Some(files) => Err(Problem::Step(format!(
                "a rotation of the secret in {} has not ended: run this with --rotate, which goes on from there",
                files.current.display()
            ))),
        }
    }

    /// The relay that a rotation asks, or why there can be no rotation and what to do by hand.
    fn needs(&self) -> Result<Asked, Problem> {
        if let SecretRef::Env(name) = &self.reference {
            return Err(Problem::Step(by_hand::variable(&self.source, name)));
        }
        if self.source.ml_backend {
            return Err(Problem::Step(by_hand::ml_backend(&self.source)));
        }
        if let Some(other) = &self.shared_with {
            let place = self.file.as_ref().map_or_else(
                || self.reference.to_string(),
                |file| file.display().to_string(),
            );
            return Err(Problem::Step(format!(
                "the sources `{}` and `{other}` have the same secret in {place}, and --rotate changes it for one alone: give each a place of its own",
                self.source.name
            )));
        }
        if let Some(serve) = self.serve {
            return Ok(Asked::Here(serve));
        }
        if self.file.is_none() {
            return Ok(Asked::At(self.relay.clone()));
        }
        if !self.is_findable {
            return Err(Problem::Step(by_hand::unseen(&self.source)));
        }
        Err(Problem::Step(
            "--rotate asks the relay which secrets it takes, and no `serve` runs here with this configuration and its queue: run it where `serve` runs, as the same user"
                .to_owned(),
        ))
    }

    /// Tells whether a rotation has begun and not ended.
    pub(super) fn is_under_way(&self) -> bool {
        let file = self.file.as_deref().map(RotationFiles::of);
        file.is_some_and(|files| files.is_under_way())
    }

    /// No webhook delivers to `relay`: nothing is left that has the old secret, so a rotation whose webhooks somebody
    /// removed ends. `otherwise` is what to do where there is none.
    pub(super) async fn without_webhooks(
        &self,
        plan: bool,
        relay: &str,
        otherwise: &str,
        env: &Env<'_>,
        report: &mut Report,
    ) -> Result<(), Problem> {
        if !plan && self.is_under_way() {
            return self.begin(&[], env, report).await?.end(report).await;
        }
        Err(Problem::Step(format!(
            "no webhook delivers to {relay}: leave out --rotate, and {otherwise}"
        )))
    }

    /// Checks that a rotation can begin; changes nothing.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.needs().map(drop)
    }

    /// Makes a new secret, or takes up the one of a rotation that broke off.
    pub(super) async fn begin(
        &self,
        remember: &[String],
        env: &Env<'_>,
        report: &mut Report,
    ) -> Result<Rotation<'_>, Problem> {
        let relay = self.needs()?;
        match &self.file {
            Some(file) => {
                let files = RotationFiles::of(file);
                self.begin_in_files(files, relay, remember, env, report)
                    .await
            }
            None => self.begin_in_store(relay, remember, env, report).await,
        }
    }

    async fn begin_in_files(
        &self,
        files: RotationFiles,
        relay: Asked,
        remember: &[String],
        env: &Env<'_>,
        report: &mut Report,
    ) -> Result<Rotation<'_>, Problem> {
        let goes_on = files.is_under_way();
        let old = secret_reference::read(&SecretRef::File(files.current.clone()), env).await?;
        let begun = files.begin(&new_secret()?, remember);
        let begun = begun.and_then(|()| files.remembered());
        let remembered = begun.map_err(|error| {
            Problem::Step(format!(
                "the new secret cannot be put beside {}: {error}; run this as the user whose file that is, in a directory that it may write to",
                files.current.display()
            ))
        })?;
        let new = secret_reference::read(&SecretRef::File(files.next.clone()), env).await?;
        if goes_on {
            report.done("goes on with the rotation that broke off")?;
        }
        Ok(Rotation {
            source: &self.source,
            relay,
            halves: Halves::Files(files),
            old,
            new,
            remembered,
        })
    }

    /// The newest two values of the store are the two secrets. Where there are two already, a rotation broke off, or
    /// somebody began one by hand: the newer one is the new one, so that no secret goes that a webhook may have.
    async fn begin_in_store(
        &self,
        relay: Asked,
        remember: &[String],
        env: &Env<'_>,
        report: &mut Report,
    ) -> Result<Rotation<'_>, Problem> {
        let reference = &self.reference;
        let store = kept_secret::store(reference, env).await?;
        let (old, newer) = halves::held(store.as_ref(), reference).await?;
        let goes_on = newer.is_some();
        let new = match newer {
            Some(new) => new,
            None => {
                let new = Secret::new(reference.to_string(), new_secret()?);
                new.map_err(|error| Problem::Step(error.message))?
            }
        };
        let rotation = Rotation {
            source: &self.source,
            relay,
            halves: Halves::Store {
                store,
                reference: reference.clone(),
            },
            old,
            new,
            remembered: if goes_on {
                Vec::new()
            } else {
                remember.to_vec()
            },
        };
        if goes_on {
            report.done(format_args!(
                "{reference} holds two secrets, so a rotation has not ended: goes on with the newer one"
            ))?;
            return Ok(rotation);
        }
        if !rotation.takes(&rotation.old).await? {
            return Err(rotation.takes_another());
        }
        let put = rotation.halves.add(&rotation.new).await;
        put.map_err(|error| {
            Problem::Step(format!(
                "{error}. No webhook was changed. By hand: {}",
                by_hand::in_store(&self.source, reference)
            ))
        })?;
        report.done(format_args!("a new secret put into {reference}"))?;
        Ok(rotation)
    }
}

impl Rotation<'_> {
    /// Sees that the relay takes both secrets, so that nothing is refused when webhooks get the new one.
    pub(super) async fn both_are_taken(&self, report: &mut Report) -> Result<(), Problem> {
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

    fn takes_another(&self) -> Problem {
        Problem::Step(format!(
            "the relay at {} does not take the secret in {}: see that it has this configuration. No webhook was changed",
            self.relay,
            self.halves.of_old()
        ))
    }

    /// Tells whether a delivery has shown the new secret; `None` where nobody can see that.
    pub(super) fn is_shown(&self) -> Option<bool> {
        match &self.halves {
            Halves::Files(files) => Some(files.is_shown()),
            Halves::Store { .. } => None,
        }
    }

    /// The words that end it by hand.
    pub(super) fn end_by_hand(&self) -> String {
        self.halves.end_by_hand()
    }

    /// Waits for what is under way with the old secret, takes it away, and sees that it is refused.
    pub(super) async fn end(self, report: &mut Report) -> Result<(), Problem> {
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

    async fn takes(&self, secret: &Secret) -> Result<bool, Problem> {
        let asked = secret_probe::ask(&self.relay, self.source, secret).await;
        asked.map_err(|problem| {
            Problem::Step(format!(
                "the relay at {} does not say which secrets it takes: {problem}; both are good as long as the rotation has not ended: run this again",
                self.relay
            ))
        })
    }
}
