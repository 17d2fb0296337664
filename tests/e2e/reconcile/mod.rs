//! `labelrelay pull` against a real Label Studio, and a stand-in for Labelbox.

mod bad_input;
mod labelbox;
mod large;
mod older_versions;
mod outage;
mod remote_ledger;
mod reused_ids;
mod runs;
mod serve_pulls;

use labelrelay_event::Attributes;
use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::program;
use labelrelay_tests::relay::{Site, secrets};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};

/// `labelrelay pull label-studio`, ready to run.
fn reconcile(site: &Site, url: &str, token: &str) -> Command {
    let mut command = program::command();
    command
        .args(["pull", "label-studio", "--url", url, "--config"])
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABEL_STUDIO_API_KEY", token)
        .current_dir(site.folder())
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it with `args`; it must succeed.
fn run(site: &Site, label_studio: &LabelStudio, args: &[&str]) -> Output {
    let mut command = reconcile(site, &label_studio.base, &label_studio.token);
    let output = command.args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}\n{}",
        output.status,
        text(&output.stderr)
    );
    output
}

/// Runs it with `args`; what it did.
fn summary(site: &Site, label_studio: &LabelStudio, args: &[&str]) -> Value {
    let output = run(site, label_studio, &[&["--json"], args].concat());
    let last = text(&output.stdout);
    serde_json::from_str(last.lines().last().unwrap()).unwrap()
}

/// Result of the events, applied by id and version: the newest version of each subject. A deletion is final for every
/// version up to its receipt; what is newer is another thing with the same id. Of each thing that is there, the event
/// that says so; what an event says of several things counts, too.
fn applied(events: &[Exported]) -> BTreeMap<String, Exported> {
    let mut there: BTreeMap<String, (Option<String>, Exported)> = BTreeMap::new();
    let mut gone: BTreeMap<String, Option<String>> = BTreeMap::new();
    for event in events {
        for (subject, version) in subjects(event) {
            if event.attributes.event_type.ends_with(".deleted") {
                there.remove(&subject);
                gone.insert(subject, version_of(&event.attributes.receivedtime));
                continue;
            }
            if gone.get(&subject).is_some_and(|gone| version <= *gone) {
                continue;
            }
            if there.get(&subject).is_none_or(|(old, _)| version >= *old) {
                there.insert(subject, (version, event.clone()));
            }
        }
    }
    let without_version = |(subject, (_, event))| (subject, event);
    there.into_iter().map(without_version).collect()
}

fn version_of(time: &str) -> Option<String> {
    labelrelay_core::time::parse(time).map(labelrelay_core::time::sequence)
}

/// The tasks and annotations that an event is about, each with its version.
fn subjects(event: &Exported) -> Vec<(String, Option<String>)> {
    let Attributes {
        event_type,
        subject,
        sequence,
        ..
    } = &event.attributes;
    let kind = event_type.rsplit('.').nth(1).unwrap();
    if !matches!(kind, "task" | "annotation") {
        return Vec::new();
    }
    if let Some(subject) = subject.as_deref()
        && subject.starts_with(&format!("{kind}/"))
    {
        return vec![(subject.to_owned(), sequence.clone())];
    }
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    let several = [kind.to_owned(), format!("{kind}s")];
    let several = several.iter().find_map(|key| body[key].as_array());
    // A bulk action that changed nothing lists nothing.
    let several = several.into_iter().flatten();
    several
        .map(|thing| {
            let version = thing["updated_at"].as_str().and_then(version_of);
            (format!("{kind}/{}", thing["id"]), version)
        })
        .collect()
}

/// No event is in the queue twice.
fn assert_each_once(events: &[Exported]) {
    let mut ids: Vec<_> = events.iter().map(|event| &event.attributes.id).collect();
    ids.sort();
    for pair in ids.windows(2) {
        assert_ne!(pair[0], pair[1], "an id is in the queue twice");
    }
}

fn of_origin(events: &[Exported], reconciled: bool) -> usize {
    let is = |event: &&Exported| event.attributes.origin.is_some() == reconciled;
    events.iter().filter(is).count()
}
