//! Content of a real Label Studio, sent to a cloud's queue, by a ledger in the cloud's store.

use super::{Cloud, LONG};
use crate::support::{Place, Ran};
use labelrelay_event::{Attributes, Envelope, Origin};
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::relay::eventually;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tasks, each with an annotation: two events each.
const TASKS: usize = 150;

const CONFIG: &str = "[[source]]
name = 'label-studio'
provider = 'label-studio'
secret = 'env:NEVER_READ'
";

const PULL: [&str; 3] = ["pull", "label-studio", "--json"];

impl Cloud<'_> {
    /// Each thing is sent once, also by two runs at once and after one that was killed; what a dry run shows is
    /// sent by nobody; and a queue that is not there is named.
    pub(super) fn fetches_what_was_missed(&self, missing: &str) {
        let mut label_studio = LabelStudio::start();
        let project = label_studio.project("missed");
        label_studio.import(project, TASKS, true);
        // Asked for last: a run that is killed after the first events has not come to it yet.
        let last = label_studio.project("last");
        label_studio.import(last, 1, false);
        let events = 2 * TASKS + 1;
        let place = self.reconciling(&label_studio);

        let tried = place.run(&["pull", "label-studio", "--dry-run"]);
        let lines = tried.good();
        assert!(
            lines.contains(&format!("{events} events would be sent")),
            "{lines}"
        );
        assert_eq!((self.drain)(), Vec::<Vec<u8>>::new());

        let nowhere = self
            .reconciling(&label_studio)
            .with("LABELRELAY_QUEUE", missing);
        nowhere.run(&PULL).failed(1, &["missing"]);

        // It is killed when it has sent something. What it sent before its ledger was saved is sent once more.
        let mut killed = place
            .command(&["pull", "label-studio", "--rate", "0.5"])
            .spawn()
            .unwrap();
        let mut first = BTreeSet::new();
        eventually("something was sent", || {
            first.extend(self.got());
            (!first.is_empty()).then_some(())
        });
        killed.kill().unwrap();
        killed.wait().unwrap();
        let rest = sent(&place.run(&PULL));
        // None, if it had come to its end before it was killed.
        assert!(rest == events || rest == 0, "{rest}");
        first.extend(self.got());
        assert_eq!(first.len(), events, "repeats have their ids");
        assert_eq!(sent(&place.run(&PULL)), 0);

        // Another machine goes by the same ledger.
        let place = self.reconciling(&label_studio);
        let annotations = label_studio.rows("select id from task_completion order by id limit 2");
        let path = |row: usize| {
            let id = annotations.get(row).and_then(|row| row.get(0)).unwrap();
            format!("/api/annotations/{id}/")
        };
        label_studio.call("PATCH", &path(0), &json!({"result": choice("b")}));
        label_studio.call("DELETE", &path(1), &Value::Null);
        assert_eq!(sent(&place.run(&PULL)), 2);
        let changes = self.got();
        assert_eq!(changes.len(), 2);
        assert!(changes.is_disjoint(&first));

        // Two at once may both send a thing, as the same event; what either has seen, the next one knows.
        label_studio.import(project, 20, true);
        let both = [self.reconciling(&label_studio), place];
        let runs = both.each_ref().map(|place| {
            let mut command = place.command(&PULL);
            command
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        });
        for run in runs {
            let ended = run.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", ended.status);
        }
        assert_eq!(self.got().len(), 40);
        let [place, _] = both;
        label_studio.call("DELETE", &path(0), &Value::Null);
        assert_eq!(sent(&place.run(&PULL)), 1);
        assert_eq!(self.got().len(), 1);
        assert_eq!(sent(&place.run(&PULL)), 0);
    }

    /// An event that is too large for the queue goes by a claim check; without a blob store it is named, tried again by
    /// each run, and keeps nothing else back.
    pub(super) fn fetches_what_is_large(&self, bytes: usize) {
        let mut label_studio = LabelStudio::start();
        let project = label_studio.project("large");
        label_studio.import(project, 3, false);
        let large = json!({"project": project, "data": {"text": "x".repeat(bytes)}});
        label_studio.call("POST", "/api/tasks/", &large);

        let ledger = format!("{}/ledger-alone", self.fallback.split('?').next().unwrap());
        let ledger = match self.fallback.split_once('?') {
            Some((_, query)) => format!("{ledger}?{query}"),
            None => ledger,
        };
        let ledger = ["--ledger", &ledger];
        let narrow = self
            .reconciling(&label_studio)
            .without("LABELRELAY_BLOB_STORE");
        let words = [&PULL[..], &ledger].concat();
        let ran = narrow.run(&words);
        ran.failed(
            1,
            &["was not sent: larger than the queue takes", "1 events"],
        );
        assert_eq!(sent_of(&ran.stdout), 3);
        assert_eq!(self.got().len(), 3);
        let again = narrow.run(&words);
        again.failed(1, &["was not sent"]);
        assert_eq!(sent_of(&again.stdout), 0);
        let wide = self.reconciling(&label_studio);
        assert_eq!(sent(&wide.run(&words)), 1);
        let got = (self.drain)();
        let [claimed] = got.as_slice() else {
            panic!("{} events", got.len());
        };
        let attributes = Envelope::decode(claimed).unwrap().attributes;
        assert!(attributes.dataref.is_some());
        assert_eq!(sent(&wide.run(&words)), 0);
    }

    fn reconciling(&self, label_studio: &LabelStudio) -> Place {
        let place = self
            .place(LONG)
            .with("LABEL_STUDIO_URL", &label_studio.base)
            .with("LABEL_STUDIO_API_KEY", &label_studio.token);
        place.write("labelrelay.toml", CONFIG);
        place
    }

    /// Ids of what is on the queue, all of it found by `pull`.
    fn got(&self) -> BTreeSet<String> {
        let id = |envelope: Vec<u8>| {
            let Attributes { id, origin, .. } = Envelope::decode(&envelope).unwrap().attributes;
            assert_eq!(origin, Some(Origin::Reconcile));
            id
        };
        (self.drain)().into_iter().map(id).collect()
    }
}

pub(super) fn sent(ran: &Ran) -> usize {
    sent_of(ran.good())
}

/// Number of sent events in a summary.
fn sent_of(stdout: &str) -> usize {
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let sent = summary.get("sent").and_then(Value::as_u64);
    usize::try_from(sent.unwrap()).unwrap()
}
