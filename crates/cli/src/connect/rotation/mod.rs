//! Another secret for a source: a new one is made, both are good in between, and at the end the old one is refused.
//!
//! It works on the file of the secret, and asks the `serve` that runs here which secrets it takes, before any webhook
//! is changed and after all are. What the platform has to do in between differs.

mod by_hand;
mod secret_probe;

use super::report::{Problem, Report};
use crate::env::Env;
use crate::error::CliError;
use crate::local_dir::new_secret;
use crate::locations::QueueLocation;
use crate::open;
use crate::rotation_files::RotationFiles;
use crate::running_serve;
use crate::secret_reference;
use labelrelay_core::Secret;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Deliveries that are under way with the old secret when the last webhook has the new one: Label Studio gives one
/// up after a second, newer versions after ten.
const UNDER_WAY: Duration = Duration::from_secs(11);

/// Time for `serve` to read a file again, which it does before each delivery.
const READ_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);

/// A source, as far as its secret may be rotated.
pub(super) struct Rotatable {
    source: SourceConfig,
    reference: SecretRef,
    /// The file that the secret is in, if it is in one.
    file: Option<PathBuf>,
    /// The `serve` that runs here.
    serve: Option<SocketAddr>,
    /// `true` if a `serve` that runs here could be found.
    is_findable: bool,
    /// Another source with the same file.
    shared_with: Option<String>,
}

/// A rotation that has begun.
pub(super) struct Rotation<'a> {
    source: &'a SourceConfig,
    serve: SocketAddr,
    files: RotationFiles,
    old: Secret,
    pub(super) new: Secret,
    /// Words that the platform's half had to remember when it began.
    pub(super) remembered: Vec<String>,
}

impl Rotatable {
    pub(super) fn new(
        config: &Config,
        source: &SourceConfig,
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

    /// Files and address that a rotation needs, or why there can be none and what to do by hand.
    fn needs(&self) -> Result<(RotationFiles, SocketAddr), Problem> {
        let Some(file) = &self.file else {
            return Err(Problem::Step(by_hand::elsewhere(
                &self.source,
                &self.reference,
            )));
        };
        if self.source.ml_backend {
            return Err(Problem::Step(by_hand::ml_backend(&self.source)));
        }
        if let Some(other) = &self.shared_with {
            return Err(Problem::Step(format!(
                "the sources `{}` and `{other}` have the same secret in {}, and --rotate changes it for one alone: give each a file of its own",
                self.source.name,
                file.display()
            )));
        }
        if !self.is_findable {
            return Err(Problem::Step(by_hand::unseen(&self.source)));
        }
        let serve = self.serve.ok_or_else(|| {
            Problem::Step(
                "--rotate asks the relay which secrets it takes, and no `serve` runs here with this configuration and its queue: run it where `serve` runs, as the same user"
                    .to_owned(),
            )
        })?;
        Ok((RotationFiles::of(file), serve))
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
        let (files, serve) = self.needs()?;
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
            serve,
            files,
            old,
            new,
            remembered,
        })
    }
}

impl Rotation<'_> {
    /// Sees that the relay takes both secrets, so that nothing is refused when webhooks get the new one.
    pub(super) async fn both_are_taken(&self, report: &mut Report) -> Result<(), Problem> {
        let begun = Instant::now();
        while !self.takes(&self.new).await? {
            if begun.elapsed() > READ_WITHIN {
                return Err(Problem::Step(format!(
                    "the relay at {} does not take the new secret in {}: see that it is a `serve` of this version, with this configuration, that may read the file. No webhook was changed. To end the rotation, remove that file",
                    self.serve,
                    self.files.next.display()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
        if !self.takes(&self.old).await? {
            return Err(Problem::Step(format!(
                "the relay at {} does not take the secret in {}: see that it has this configuration. No webhook was changed",
                self.serve,
                self.files.current.display()
            )));
        }
        report.done("the relay takes the old secret and a new one")?;
        Ok(())
    }

    /// Tells whether a delivery has shown the new secret.
    pub(super) fn is_shown(&self) -> bool {
        self.files.is_shown()
    }

    /// The words that end it by hand.
    pub(super) fn end_by_hand(&self) -> String {
        let (next, current) = (self.files.next.display(), self.files.current.display());
        format!("mv {next} {current}")
    }

    /// Waits for what is under way with the old secret, takes it away, and sees that it is refused.
    pub(super) async fn end(self, report: &mut Report) -> Result<(), Problem> {
        tokio::time::sleep(UNDER_WAY).await;
        self.files.end().map_err(|error| {
            Problem::Step(format!(
                "the new secret cannot take the old one's place: {error}; both are good. Run this again, or do it by hand: {}",
                self.end_by_hand()
            ))
        })?;
        let begun = Instant::now();
        while self.takes(&self.old).await? {
            if begun.elapsed() > READ_WITHIN {
                return Err(Problem::Step(format!(
                    "the webhooks and {} have the new secret, and the relay still takes the old one: see whether `previous_secret` of the source `{}` is the same, and take it away",
                    self.files.current.display(),
                    self.source.name
                )));
            }
            tokio::time::sleep(POLL).await;
        }
        report.done("the old secret is refused")?;
        Ok(())
    }

    async fn takes(&self, secret: &Secret) -> Result<bool, Problem> {
        let asked = secret_probe::ask(self.serve, self.source, secret).await;
        asked.map_err(|problem| {
            Problem::Step(format!(
                "the relay at {} does not say which secrets it takes: {problem}; both are good as long as the rotation has not ended: run this again",
                self.serve
            ))
        })
    }
}
