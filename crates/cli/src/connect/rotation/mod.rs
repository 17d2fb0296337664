//! Another secret for a source: a new one is made, both are good in between, and at the end the old one is refused.
//!
//! It works on the file of the secret or on its place in a cloud's store, and asks the relay which secrets it takes,
//! before any webhook is changed and after all are. What the platform has to do in between differs.
//!
//! Labelbox's secret in a store is left to people: its webhooks show no secret, and nobody here sees the deliveries, so
//! nothing would tell which webhook may be ended.

mod by_hand;
mod halves;
mod in_store;
mod secret_probe;
mod under_way;

pub(super) use under_way::Rotation;

use super::kept_secret;
use super::relay_url::RelayUrl;
use super::report::{Problem, Report};
use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::open;
use crate::random_secret::new_secret;
use crate::rotation_files::RotationFiles;
use crate::running_serve;
use crate::secret_reference;
use crate::serve::public_base;
use halves::Halves;
use in_store::InStore;
use labelrelay_core::Secret;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use secret_probe::Asked;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A source, as far as its secret may be rotated.
pub(super) struct Rotatable {
    source: SourceConfig,
    reference: SecretRef,
    /// The file that the secret is in, if it is in one.
    file: Option<PathBuf>,
    /// The `serve` that runs here. With a secret in a store, only one that the webhooks deliver to.
    serve: Option<SocketAddr>,
    /// URL of the source at the relay.
    relay: String,
    /// `true` if a `serve` that runs here could be found.
    is_findable: bool,
    /// Another source with the same file.
    shared_with: Option<String>,
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
        // A store is read by any number of relays, so one that happens to run here speaks for itself alone.
        let is_asked = |serve: &SocketAddr| {
            let url = format!("{}/{}", public_base(None, *serve), source.name);
            !matches!(reference, SecretRef::Store { .. }) || relay.is(&url)
        };
        Ok(Self {
            source: source.clone(),
            reference: reference.clone(),
            file,
            serve: running_serve::address(config, env).filter(is_asked),
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
        if self.file.is_none() && self.source.provider == Provider::Labelbox {
            return Err(Problem::Step(by_hand::labelbox_in_store(
                &self.reference,
                &self.relay,
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
            let rotation = self.begin(&[], env, report).await?;
            rotation.let_arrive().await;
            return rotation.end(report).await;
        }
        Err(Problem::Step(format!(
            "no webhook delivers to {relay}: leave out --rotate, and {otherwise}"
        )))
    }

    /// The words that end a rotation in files by hand.
    pub(super) fn end_by_hand(&self) -> String {
        let files = self.file.as_deref().map(RotationFiles::of);
        files.as_ref().map_or_else(String::new, halves::end_by_hand)
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
            None => self.begin_in_store(relay, env, report).await,
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
            is_found: false,
        })
    }

    /// The newest two values of the store are the two secrets. Where there are two already, a rotation broke off, or
    /// somebody began one by hand: the newer one is the new one, so that no secret goes that a webhook may have.
    async fn begin_in_store(
        &self,
        relay: Asked,
        env: &Env<'_>,
        report: &mut Report,
    ) -> Result<Rotation<'_>, Problem> {
        const NOTHING: &str = "No secret and no webhook was changed";
        let reference = &self.reference;
        let in_store = InStore::new(kept_secret::store(reference, env).await?, reference);
        let (old, newer) = in_store.held().await?;
        let is_found = newer.is_some();
        let new = if let Some(new) = newer {
            new
        } else {
            let new = Secret::new(reference.to_string(), new_secret()?);
            new.map_err(|error| Problem::Step(error.message))?
        };
        let rotation = Rotation {
            source: &self.source,
            relay,
            halves: Halves::Store(in_store),
            old,
            new,
            remembered: Vec::new(),
            is_found,
        };
        if is_found {
            report.done(format_args!(
                "{reference} holds two secrets, so a rotation has not ended: goes on with the newer one"
            ))?;
            return Ok(rotation);
        }
        if !rotation.takes(&rotation.old, NOTHING).await? {
            return Err(rotation.takes_another());
        }
        if let Halves::Store(store) = &rotation.halves {
            let by_hand = by_hand::in_store(&self.source, reference);
            let begun = store.begin(&rotation.old, &rotation.new, &by_hand).await;
            begun.map_err(Problem::Step)?;
        }
        report.done(format_args!("a new secret put into {reference}"))?;
        Ok(rotation)
    }
}
