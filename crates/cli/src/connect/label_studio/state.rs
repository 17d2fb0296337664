//! The relay's webhooks on Label Studio as they are, for `labelrelay status`. Nothing is changed.

use super::project_names::named_projects;
use super::silence::Seen;
use super::target::{Common, Target};
use crate::connect::allowlist;
use crate::connect::sections;
use crate::connect::state::{State, no_secret, within_patience};
use crate::durations::words;
use crate::env::Env;
use crate::evidence::Evidence;
use crate::label_studio_access;
use jiff::{SignedDuration, Timestamp};
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::{ProjectTitle, Webhook};
use std::path::Path;
use std::time::Duration;

/// Clocks that differ by more are told of: times of events, and what is looked for since a time, go by them.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Tells whether the configuration names the Label Studio of `source`.
pub(in crate::connect) fn is_known(source: &SourceConfig, env: &Env<'_>) -> bool {
    sections::url(None, source).is_some() || label_studio_access::is_set(env)
}

/// Tells whether everything on the Label Studio of `source` is for this source. Variables name one server, which
/// several sources without a URL may share.
pub(in crate::connect) fn is_its_own(config: &Config, source: &SourceConfig) -> bool {
    let is_nameless = |source: &&SourceConfig| {
        source.provider == Provider::LabelStudio && sections::url(None, source).is_none()
    };
    !is_nameless(&source) || config.sources.iter().filter(is_nameless).count() == 1
}

/// Asks the Label Studio of `source`, and compares with `evidence` of what came, where there is a queue; `file` is the
/// configuration's file, where the command line named one.
///
/// # Errors
/// Problem and cure, when it cannot be asked.
pub(in crate::connect) async fn ask(
    config: &Config,
    source: &SourceConfig,
    file: Option<&Path>,
    evidence: Option<Evidence<'_>>,
    env: &Env<'_>,
) -> Result<State, String> {
    let target = Common::of(source, file, false)
        .open_in(config, source, env)
        .await;
    let target = target.map_err(|error| error.message().to_owned())?;
    if target.secret.is_missing() {
        return Err(no_secret(&target.rotatable));
    }
    within_patience(&target.server, read(&target, source, evidence)).await
}

async fn read(
    target: &Target,
    source: &SourceConfig,
    evidence: Option<Evidence<'_>>,
) -> Result<State, PlatformError> {
    let management = &target.management;
    let user = management.user().await?;
    let version = management.version().await?;
    let time = management.time().await?;
    let now = Timestamp::now();
    let ahead = time.map(|time| time.duration_since(now));
    let projects = management.projects(&target.projects).await?;
    let webhooks = management.webhooks().await?;
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook))
        .collect();
    let (with, without) = parted(&projects, &ours);
    let mut warnings: Vec<_> = ours
        .iter()
        .filter_map(|hook| flawed(target, hook))
        .collect();
    // A pull brings every event, so a source that is pulled needs no webhook.
    if !without.is_empty() && !target.is_pulled {
        warnings.push(missing(target, &without));
    }
    let mut besides = if target.is_pulled {
        "; `serve` pulls besides"
    } else {
        ""
    };
    if !ours.is_empty()
        && let Err(error) = management.check_url(&target.relay.url).await
    {
        if error.refuses_address && target.is_pulled {
            warnings.clear();
            besides = ", whose URL Label Studio refuses; `serve` pulls instead";
        } else {
            warnings.push(refused(target, &error));
        }
    }
    if !ours.is_empty() && !target.is_pulled {
        warnings.extend(allowlist::doubt(source, &target.server).await);
    }
    warnings.extend(ahead.and_then(clocks));
    let seen = Seen {
        source,
        projects: &projects,
        without: &without,
        ahead: ahead.unwrap_or_default(),
        now,
    };
    let changes = match evidence {
        Some(evidence) => seen.compare(target, evidence).await,
        None => Ok(None),
    };
    let changes = changes.unwrap_or_else(|error| {
        warnings.push(format!(
            "source `{}`: what changed on Label Studio is not known: {error}",
            target.source
        ));
        None
    });
    Ok(State {
        server: format!("Label Studio {version} at {} as {user}", target.server),
        webhooks: format!(
            "{} of {} projects deliver to {}{besides}",
            with,
            projects.len(),
            target.relay.url
        ),
        warnings,
        changes,
    })
}

/// Words about a clock that is off. Label Studio tells its time to the second.
fn clocks(ahead: SignedDuration) -> Option<String> {
    if ahead.abs() <= CLOCKS_DIFFER {
        return None;
    }
    let which = if ahead.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    let minutes = (ahead.unsigned_abs().as_secs() + 30) / 60;
    let off = Duration::from_secs(minutes * 60);
    Some(format!(
        "the clock of this machine is {} {which} that of Label Studio: see which of them is right (`date -u`), and let a time service set the other (NTP); events have the relay's time",
        words(off)
    ))
}

/// Number of the projects whose events come, and the other projects.
fn parted<'a>(projects: &'a [ProjectTitle], ours: &[&Webhook]) -> (usize, Vec<&'a ProjectTitle>) {
    let comes = |project: &&ProjectTitle| {
        let of_it = |hook: &&Webhook| hook.project.is_none_or(|id| id == project.id);
        ours.iter().any(of_it)
    };
    let (with, without): (Vec<_>, Vec<_>) = projects.iter().partition(comes);
    (with.len(), without)
}

/// Words about a webhook that delivers here and does not send every event.
fn flawed(target: &Target, webhook: &Webhook) -> Option<String> {
    let flaws = target.credential.flaws(webhook);
    if flaws.is_empty() {
        return None;
    }
    let name = super::named(webhook.id, webhook.project);
    Some(format!(
        "source `{}`: {name} of Label Studio does not send every event ({}); `{}` mends it",
        target.source,
        flaws.join(", "),
        target.repair
    ))
}

/// Words about projects whose events do not come.
fn missing(target: &Target, projects: &[&ProjectTitle]) -> String {
    format!(
        "source `{}`: no webhook delivers the events of {}; `{}` makes them",
        target.source,
        named_projects(projects),
        target.repair
    )
}

/// Words about a URL that Label Studio does not take. Webhooks that an older version took stay there, active, and
/// nothing else says that they send nothing.
fn refused(target: &Target, error: &PlatformError) -> String {
    let source = &target.source;
    if !error.refuses_address {
        return format!(
            "source `{source}`: whether Label Studio takes webhooks to the relay is not known: {error}"
        );
    }
    if error.is_retryable {
        return format!(
            "source `{source}`: Label Studio sends nothing to the relay while this is so: {error}. If it stays so, `{}` lets `serve` pull instead",
            target.repair
        );
    }
    format!(
        "source `{source}`: Label Studio no longer takes webhooks to the relay, and sends none, also by those that an older version took: {error}. `{}` lets `serve` pull instead",
        target.repair
    )
}
