//! Runs a pull once, or in rounds until it is stopped.

use crate::durations;
use crate::error::CliError;
use crate::output::{one_line, say};
use crate::serve::Signals;
use labelrelay_reconcile::Summary;
use std::time::Duration;

/// Runs `round` once, or with this pause after each, until a signal says to end. It ends at once then: the
/// next run takes up whatever broke off.
pub(super) async fn run<F: Future<Output = Result<(), CliError>>>(
    every: Option<Duration>,
    round: impl Fn() -> F,
) -> Result<(), CliError> {
    let Some(pause) = every else {
        return round().await;
    };
    let mut signals = Signals::new()?;
    tokio::select! {
        ended = rounds(pause, round) => ended,
        () = signals.next() => Ok(()),
    }
}

/// A failure in a later round may pass, and is said; one in the first round is for whoever starts this.
async fn rounds<F: Future<Output = Result<(), CliError>>>(
    pause: Duration,
    round: impl Fn() -> F,
) -> Result<(), CliError> {
    round().await?;
    loop {
        tokio::time::sleep(pause).await;
        if let Err(failure) = round().await {
            // Says it, and goes on: the next round begins where this one did.
            let _code = failure.report();
            say(format_args!(
                "the next run is in {}",
                durations::words(pause)
            ));
        }
    }
}

/// Summary of a run, in lines for people or for programs. `knows_deliveries` says whether the run learned what was
/// delivered since the one before.
pub(super) fn words(
    summary: &Summary,
    dry_run: bool,
    json: bool,
    knows_deliveries: bool,
) -> String {
    let Summary {
        projects,
        entities,
        created,
        updated,
        deleted,
        repeats,
        passed_over,
        refused,
        vanished,
        undelivered,
        silent,
        silent_changes,
        ..
    } = summary;
    let sent = created + updated + deleted;
    if json {
        return serde_json::json!({
            "dry_run": dry_run, "projects": projects, "things": entities, "sent": sent,
            "created": created, "updated": updated, "deleted": deleted, "repeats": repeats,
            "passed_over": passed_over, "refused": refused, "vanished": vanished,
            "undelivered": knows_deliveries.then_some(undelivered),
            "silent": knows_deliveries.then_some(silent),
        })
        .to_string();
    }
    let would = if dry_run { "would be sent" } else { "sent" };
    let mut lines = vec![format!(
        "{projects} projects, {entities} things looked at; {sent} events {would}: {created} created, {updated} updated, {deleted} deleted"
    )];
    if *passed_over > 0 {
        lines.push(format!(
            "{passed_over} more were only remembered: their type is filtered out, or they are older than --since"
        ));
    }
    if knows_deliveries && !silent.is_empty() {
        let projects = silent.join(", ");
        // The templates' alarms read the beginning of this line.
        lines.push(format!(
            "silence: {silent_changes} changes, and no delivery since the last run, in project {}; `labelrelay status` looks at the webhook",
            one_line(&projects)
        ));
    }
    lines.join("\n")
}
