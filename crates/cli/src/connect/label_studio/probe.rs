//! One event through the platform: a temporary project, a webhook on it, another title for it. Both are removed
//! again, whatever becomes of the event.

use super::target::Target;
use crate::connect::pulling::look;
use crate::serve::Signals;
use labelrelay_local::{Filter, Pattern, QueueFile};
use labelrelay_reconcile::label_studio::WebhookSettings;
use serde_json::Map;
use std::time::{Duration, Instant};

/// Name of the temporary project, so that whoever finds it knows what it is.
const TITLE: &str = "labelrelay probe (temporary)";
const NEW_TITLE: &str = "labelrelay probe (temporary), changed";

const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);

/// Sends the event; words for what came of it.
pub(super) async fn run(target: &Target) -> Result<String, String> {
    let mut signals = Signals::new().map_err(|error| error.to_string())?;
    let made = target.management.make_project(TITLE).await;
    let project = made.map_err(|error| format!("probe: {error}"))?;
    let sent = tokio::select! {
        sent = send(target, project) => sent,
        () = signals.next() => Err("it was interrupted".to_owned()),
    };
    // The project's webhooks go with it.
    let left = match target.management.delete_project(project).await {
        Ok(()) => String::new(),
        Err(error) => format!("; project {project} \"{TITLE}\" is left, delete it: {error}"),
    };
    match sent {
        Ok(words) if left.is_empty() => Ok(format!("probe: {words}")),
        Ok(words) => Err(format!("probe: {words}{left}")),
        Err(problem) => Err(format!("probe: {problem}{left}")),
    }
}

async fn send(target: &Target, project: u64) -> Result<String, String> {
    let headers = target.credential.headers(&Map::new());
    let settings = WebhookSettings {
        url: &target.relay.url,
        headers: &headers,
        sends_payload: true,
        sends_all_actions: true,
        actions: &[],
    };
    let management = &target.management;
    let made = management.make_webhook(project, &settings).await;
    made.map_err(|error| error.to_string())?;
    // A Label Studio that began anew gives numbers of projects again, of which the queue may know.
    let before = match &target.queue {
        Some(queue) => look(queue, QueueFile::last_number)?,
        None => 0,
    };
    let begun = Instant::now();
    let renamed = management.rename_project(project, NEW_TITLE).await;
    renamed.map_err(|error| error.to_string())?;
    let Some(queue) = &target.queue else {
        return Ok(
            "Label Studio was made to send an event; the queue is not a file of this machine, so look for it there"
                .to_owned(),
        );
    };
    let filter = Filter {
        source: Some(Pattern::is(&format!("/{}", target.source))),
        subject: Some(Pattern::is(&format!("project/{project}"))),
        after: Some(before),
        ..Filter::default()
    };
    while begun.elapsed() < PATIENCE {
        if !look(queue, |file| file.list(&filter, 1))?.is_empty() {
            let millis = begun.elapsed().as_millis();
            return Ok(format!("an event was in the queue after {millis} ms"));
        }
        tokio::time::sleep(POLL).await;
    }
    Err(format!(
        "no event came within {} s: see that Label Studio reaches {}, that the relay there has the queue {}, and what the logs of both say",
        PATIENCE.as_secs(),
        target.relay.url,
        queue.display()
    ))
}
