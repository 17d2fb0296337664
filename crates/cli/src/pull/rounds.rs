//! Runs a pull once, or in rounds until it is stopped.

use crate::durations;
use crate::error::CliError;
use crate::output::say;
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

/// Summary of a run, in lines for people or for programs.
pub(super) fn words(summary: &Summary, dry_run: bool, json: bool) -> String {
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
        ..
    } = summary;
    let sent = created + updated + deleted;
    if json {
        return serde_json::json!({
            "dry_run": dry_run, "projects": projects, "things": entities, "sent": sent,
            "created": created, "updated": updated, "deleted": deleted, "repeats": repeats,
            "passed_over": passed_over, "refused": refused, "vanished": vanished,
        })
        .to_string();
    }
    let would = if dry_run { "would be sent" } else { "sent" };
    let done = format!(
        "{projects} projects, {entities} things looked at; {sent} events {would}: {created} created, {updated} updated, {deleted} deleted"
    );
    if *passed_over == 0 {
        return done;
    }
    format!(
        "{done}\n{passed_over} more were only remembered: their type is filtered out, or they are older than --since"
    )
}
