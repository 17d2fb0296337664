//! Lets `serve` pull, for a platform to which no webhook can work: the lines of configuration, written where they belong,
//! or printed to copy.

mod already;
mod figures;
mod first_event;
mod token;

pub(super) use already::ConfiguredPull;
pub(super) use token::KnownToken;

use super::config_section;
use super::facts::{Action, Facts};
use super::kept_secret::KeptSecret;
use super::report::{Problem, Report};
use crate::env::Env;
use crate::error::{CliError, chain};
use first_event::Awaited;
use labelrelay_core::config::SecretRef;
use labelrelay_local::{FileError, QueueFile};
use labelrelay_startup::SystemClock;
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use token::PullToken;

/// The way by which events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Webhooks,
    /// No webhook can work.
    Pull,
}

/// A project, as people are told of it.
pub(super) struct Named {
    pub(super) id: String,
    /// Its name; empty where the platform shows none.
    pub(super) name: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name } = self;
        if name.is_empty() {
            write!(f, "project {id}")
        } else {
            write!(f, "project {id} \"{name}\"")
        }
    }
}

/// Words about the pull from a platform.
pub(super) struct PlatformWords {
    /// Pause between two runs, in the configuration and in words.
    pub(super) every: &'static str,
    pub(super) every_words: &'static str,
    /// Events that come by a pull, next to those of webhooks.
    pub(super) events: &'static str,
    /// One thing that may be there already, and several.
    pub(super) one_thing: &'static str,
    pub(super) things: &'static str,
    /// What a person does there, so that an event comes.
    pub(super) submit: &'static str,
}

/// The section `[source.pull]`, but for the token.
pub(super) struct Section<'a> {
    pub(super) every: &'static str,
    /// URL of the platform, unless it is the usual one.
    pub(super) url: Option<&'a str>,
    /// Projects, as an array of TOML; `None`: all.
    pub(super) projects: Option<String>,
}

impl Section<'_> {
    /// Its text. The token itself is not in it.
    pub(super) fn text(&self, token: &SecretRef) -> String {
        // Escapes of JSON are those of TOML.
        let quoted = |text: &str| Value::from(text).to_string();
        let url = self.url.map(|url| format!("\nurl = {}", quoted(url)));
        let projects = self.projects.as_ref();
        let projects = projects.map(|projects| format!("\nprojects = {projects}"));
        format!(
            "[source.pull]\nevery = \"{}\"{}\ntoken = {}{}",
            self.every,
            url.unwrap_or_default(),
            quoted(&token.to_string()),
            projects.unwrap_or_default()
        )
    }
}

/// A pull that is set up because no webhook can work.
pub(super) struct PullSetup<'a> {
    /// Why no webhook can.
    pub(super) refused: String,
    /// The source's secret: without it, `serve` does not start. No webhook that delivers here has another one.
    pub(super) source_secret: &'a KeptSecret,
    /// Origin of the configuration: its file.
    pub(super) origin: &'a str,
    /// The embedded queue, where that is the queue.
    pub(super) queue: Option<&'a Path>,
    pub(super) token: KnownToken<'a>,
    pub(super) section: Section<'a>,
    pub(super) projects: &'a [Named],
    pub(super) words: &'a PlatformWords,
    /// Time for the first event.
    pub(super) patience: Duration,
    /// Lines to copy, for where nothing can be written.
    pub(super) to_copy: String,
}

impl PullSetup<'_> {
    /// Says what [`write`](Self::write) would do, and changes nothing.
    pub(super) async fn plan(
        &self,
        env: &Env<'_>,
        report: &mut Report,
        facts: &mut Facts,
    ) -> Result<(), Problem> {
        let (path, token) = self.place(env);
        let is_put = match self.could_be_written(&path, &token, env).await {
            Ok(is_put) => is_put,
            Err(why) => {
                report.failed(&self.refused)?;
                return Ok(self.not_written("could not be changed", &why, report)?);
            }
        };
        report.doubted(&self.refused)?;
        facts.secret = self.source_secret.put(true, report).await?;
        facts.pull = Some(Action::Made);
        if is_put {
            report.done(format_args!(
                "the token would be put into {}",
                token.words()
            ))?;
        }
        report.done(format_args!(
            "no webhook can work; [source.pull] would be written below the source `{}` in {}, which can be written; `serve` would pull every {} instead ({})",
            self.token.source, self.origin, self.words.every_words, self.words.events
        ))?;
        let section = self.section.text(token.reference());
        Ok(report.hint(format_args!("\n{section}\n"))?)
    }

    /// Puts the source's secret, the token and the section where they belong, and waits for the first event.
    pub(super) async fn write(
        &self,
        env: &Env<'_>,
        report: &mut Report,
        facts: &mut Facts,
    ) -> Result<(), Problem> {
        let (path, token) = self.place(env);
        let before = first_event::last_number(self.queue);
        if let Err(why) = self.could_be_written(&path, &token, env).await {
            report.failed(&self.refused)?;
            return Ok(self.not_written("was not changed", &why, report)?);
        }
        report.doubted(&self.refused)?;
        facts.secret = self.source_secret.put(false, report).await?;
        let is_put = match self.written(&path, &token, env).await {
            Ok(is_put) => is_put,
            Err(why) => return Ok(self.not_written("was not changed", &why, report)?),
        };
        facts.pull = Some(Action::Made);
        if is_put {
            report.done(format_args!("the token put into {}", token.words()))?;
        }
        report.done(format_args!(
            "no webhook can work; [source.pull] written below the source `{}` in {}, so that `serve` pulls every {}",
            self.token.source, self.origin, self.words.every
        ))?;
        let awaited = Awaited {
            source: self.token.source,
            queue: self.queue,
            before,
            token: token.reference(),
            projects: self.projects,
            words: self.words,
            patience: self.patience,
        };
        Ok(first_event::wait(&awaited, report, facts).await?)
    }

    fn place(&self, env: &Env<'_>) -> (PathBuf, PullToken) {
        let path = env.cwd().join(self.origin);
        let token = PullToken::of(&self.token, &path, env);
        (path, token)
    }

    /// `true` if the token would be put into its place, too. Changes nothing.
    async fn could_be_written(
        &self,
        path: &Path,
        token: &PullToken,
        env: &Env<'_>,
    ) -> Result<bool, String> {
        let (source, section) = (self.token.source, self.section.text(token.reference()));
        config_section::could_be_added(path, source, &section, env)?;
        token.could_be_put(env).await
    }

    /// `true` if the token was put into its place, too. What was begun is taken back where it can be.
    async fn written(&self, path: &Path, token: &PullToken, env: &Env<'_>) -> Result<bool, String> {
        let (source, section) = (self.token.source, self.section.text(token.reference()));
        let is_put = token.put(env).await?;
        match config_section::add(path, source, &section, env) {
            Err(why) if is_put => Err(match token.take_back() {
                Some(left) => format!("{why}; {left}"),
                None => why,
            }),
            done => done.map(|()| is_put),
        }
    }

    fn not_written(&self, what: &str, why: &str, report: &mut Report) -> Result<(), CliError> {
        report.failed(format_args!(
            "no webhook can work, and {} {what}: {why}; write the lines that are printed here",
            self.origin
        ))?;
        report.hint(&self.to_copy)
    }
}

/// Looks into the embedded queue.
pub(super) fn look<T>(
    queue: &Path,
    at: impl FnOnce(&QueueFile) -> Result<T, FileError>,
) -> Result<T, String> {
    let file = QueueFile::open(queue, Arc::new(SystemClock::new()));
    let file =
        file.map_err(|error| format!("the queue cannot be looked into: {}", chain(&error)))?;
    at(&file).map_err(|error| chain(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_what_differs_from_the_usual() {
        let token = SecretRef::Env("A_TOKEN".to_owned());
        let mut section = Section {
            every: "10s",
            url: None,
            projects: None,
        };
        let bare = "[source.pull]\nevery = \"10s\"\ntoken = \"env:A_TOKEN\"";
        assert_eq!(section.text(&token), bare);
        section.url = Some("http://a.test");
        section.projects = Some("[\"1\"]".to_owned());
        let whole = "[source.pull]\nevery = \"10s\"\nurl = \"http://a.test\"\ntoken = \"env:A_TOKEN\"\nprojects = [\"1\"]";
        assert_eq!(section.text(&token), whole);
    }
}
