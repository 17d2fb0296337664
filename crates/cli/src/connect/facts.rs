//! The result of a run as JSON, for programs.

use super::relay_url::RelayUrl;
use super::report::Report;
use crate::error::CliError;
use serde::Serialize;
use std::fmt;

#[derive(Default, Serialize)]
pub(super) struct Facts {
    /// URL of the platform.
    pub(super) server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<String>,
    pub(super) relay: String,
    pub(super) source: String,
    pub(super) plan: bool,
    pub(super) webhooks: Vec<Row>,
    /// Things in the projects that got their first webhook, of which it does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) there_before: Option<u64>,
    /// Change of the source's secret, if it was kept nowhere yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<Action>,
    /// Change of `[source.pull]`, if no webhook can work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull: Option<Action>,
    /// Events that the first look of `serve` through the platform put on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queued: Option<u64>,
    /// The first event that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_event: Option<FirstEvent>,
}

/// An event that was waited for.
#[derive(Serialize)]
pub(super) struct FirstEvent {
    #[serde(rename = "type")]
    pub(super) event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
    pub(super) after_ms: u64,
}

/// Number or name that a platform gave to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The change that was made to a webhook, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Made,
    Mended,
    Removed,
    /// The webhook has the new secret.
    Rotated,
    Unchanged,
    /// The webhook should have been changed, and was not.
    Failed,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Made => "made",
            Self::Mended => "mended",
            Self::Removed => "removed",
            Self::Rotated => "given the new secret",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        })
    }
}

/// One webhook that was looked at.
#[derive(Serialize)]
pub(super) struct Row {
    /// `None` while the webhook is only planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Id>,
    /// `None` for one of the organization.
    pub(super) project: Option<Id>,
    pub(super) action: Action,
    /// Flaws that it had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) flaws: Vec<&'static str>,
}

impl Facts {
    /// Facts that are known before anybody is asked.
    pub(super) fn new(server: &str, relay: &RelayUrl, source: &str, plan: bool) -> Self {
        Self {
            server: server.to_owned(),
            relay: relay.url.clone(),
            source: source.to_owned(),
            plan,
            ..Self::default()
        }
    }

    /// Says whether there was anything to do, to a person. `true` when something was done.
    pub(super) fn conclude(&self, report: &Report) -> Result<bool, CliError> {
        let of_webhooks = self.webhooks.iter().map(|row| row.action);
        let changed = of_webhooks
            .chain(self.pull)
            .chain(self.secret)
            .any(|action| action != Action::Unchanged);
        if !changed {
            report.hint("nothing to change: all is as it should be")?;
        } else if self.plan {
            report.hint("nothing was changed; leave out --plan to do it")?;
        }
        Ok(changed && !self.plan)
    }

    /// The same after a removal.
    pub(super) fn conclude_removal(&self, report: &Report) -> Result<(), CliError> {
        if self.webhooks.is_empty() {
            report.hint(format_args!(
                "nothing to remove: no webhook delivers to {}",
                self.relay
            ))?;
        } else if self.plan {
            report.hint("nothing was changed; leave out --plan to do it")?;
        }
        Ok(())
    }
}
