//! `labelrelay pull labelbox` against a stand-in that Labelbox's own client exports from, too.

use super::{assert_each_once, text};
use labelrelay_tests::export::Exported;
use labelrelay_tests::program;
use labelrelay_tests::relay::{Site, secrets};
use labelrelay_tests::servers::{API_KEY, Labelbox, free_ports};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

/// A row with these labels, each an id and the hour in which it was changed last. Numbers, escapes and white
/// space as no writer of ours would write them.
fn row(id: &str, project: &str, labels: &[(&str, u8)]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|(label, hour)| format!(
            r#"{{"label_kind": "Default", "id": "{label}", "label_details": {{"created_at": "2026-11-20T00:00:00.000+00:00", "updated_at": "2026-11-20T{hour:02}:00:00.000+00:00"}}, "annotations": {{"value": 1.10, "big": 123456789012345678901234567890}}}}"#
        ))
        .collect();
    format!(
        r#"{{"data_row": {{"id": "{id}", "external_id": "é \u00e9 {id}", "details": {{"updated_at": "2026-11-01T00:00:00.000+00:00"}}}}, "media_attributes": {{}}, "projects": {{"{project}": {{"project_name": "p", "labels": [{}]}}}}}}"#,
        labels.join(", ")
    )
}

fn reconcile(site: &Site, endpoint: &str) -> Command {
    let mut command = program::command();
    command
        .args([
            "pull",
            "labelbox",
            "--json",
            "--endpoint",
            endpoint,
            "--config",
        ])
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABELBOX_API_KEY", API_KEY)
        .current_dir(site.folder())
        .stdin(Stdio::null());
    command
}

fn summary(site: &Site, labelbox: &Labelbox, args: &[&str]) -> Value {
    let output = reconcile(site, &labelbox.endpoint())
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap()
}

fn refused(command: &mut Command, said: &[&str]) {
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(!told.contains(API_KEY), "{told}");
    for words in said {
        assert!(told.contains(words), "{words:?} is not in: {told}");
    }
}

/// Rows that Labelbox's own client exports, by id.
fn exported(labelbox: &Labelbox, project: &str, since: &str) -> BTreeMap<String, Value> {
    let output = labelbox.own_client(API_KEY, project, since);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = text(&output.stdout);
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["data_row"]["id"].as_str().unwrap().to_owned(), row))
        .collect()
}

/// Rows that events carry, by id.
fn carried(events: &[Exported]) -> BTreeMap<String, Value> {
    let rows = events
        .iter()
        .map(|event| serde_json::from_slice::<Value>(&event.body).unwrap());
    rows.map(|row| (row["data_row"]["id"].as_str().unwrap().to_owned(), row))
        .collect()
}

#[test]
#[ignore = "needs Labelbox's own client: run it with `cargo xtask e2e labelbox`"]
fn events_are_the_rows_that_the_own_client_exports() {
    let _machine = crate::beside_others();
    let labelbox = Labelbox::start();
    let site = Site::new();
    let mut rows: Vec<_> = (0..30_u8)
        .map(|n| {
            row(
                &format!("row{n}"),
                "first",
                &[(&format!("label{n}"), n % 20)],
            )
        })
        .collect();
    rows.push(row("pair", "first", &[("left", 3), ("right", 4)]));
    rows.push(row("bare", "first", &[]));
    rows.push(row("other", "second", &[("elsewhere", 5)]));
    labelbox.set_rows(&rows);

    assert_eq!(summary(&site, &labelbox, &["--dry-run"])["sent"], 33);
    let queue = site.folder().join("queue.db");
    assert!(!queue.exists(), "a dry run leaves nothing behind");
    let first = summary(&site, &labelbox, &[]);
    assert_eq!(
        (&first["sent"], &first["created"], &first["projects"]),
        (&33.into(), &33.into(), &2.into())
    );
    let events = site.export();
    assert_each_once(&events);
    let mut own = exported(&labelbox, "first", "");
    own.extend(exported(&labelbox, "second", ""));
    own.remove("bare")
        .expect("a row without labels is exported, and makes no event");
    assert_eq!(carried(&events), own);
    for event in &events {
        let attributes = &event.attributes;
        assert!(
            rows.iter().any(|row| row.as_bytes() == event.body),
            "byte for byte"
        );
        assert_eq!(attributes.event_type, "com.labelbox.label.created");
        assert!(attributes.origin.is_some());
        assert!(
            attributes
                .sequence
                .as_deref()
                .unwrap()
                .starts_with("20261120T")
        );
    }
    let subjects: BTreeSet<_> = events
        .iter()
        .filter_map(|event| event.attributes.subject.clone())
        .collect();
    assert!(subjects.contains("label/left") && subjects.contains("label/right"));
    assert_eq!(subjects.len(), 33);

    // Nothing changed: nothing is sent. The watermark is now, and everything is older.
    assert_eq!(summary(&site, &labelbox, &[])["sent"], 0);

    // In the year that follows, one label of a pair changes, and one is new.
    rows[30] = row("pair", "first", &[("left", 3), ("right", 4)])
        .replace("2026-11-20T04", "2099-01-01T04");
    rows.push(row("late", "first", &[("new", 6)]).replace("2026-11-20T06", "2099-01-01T06"));
    labelbox.set_rows(&rows);
    let second = summary(&site, &labelbox, &["--project", "first"]);
    assert_eq!(
        (&second["created"], &second["updated"], &second["deleted"]),
        (&1.into(), &1.into(), &0.into()),
        "{second}"
    );
    let events = site.export().split_off(33);
    let since = "2098-01-01T00:00:00+0000";
    assert_eq!(carried(&events), exported(&labelbox, "first", since));
    let types: BTreeSet<_> = events
        .iter()
        .map(|event| {
            let attributes = &event.attributes;
            format!(
                "{} {}",
                attributes.event_type,
                attributes.subject.as_deref().unwrap()
            )
        })
        .collect();
    let expected = [
        "com.labelbox.label.created label/new",
        "com.labelbox.label.updated label/right",
    ];
    assert_eq!(types, BTreeSet::from(expected.map(str::to_owned)));
    assert_eq!(summary(&site, &labelbox, &[])["sent"], 0);
}

#[test]
#[ignore = "needs Labelbox's own client: run it with `cargo xtask e2e labelbox`"]
fn a_fault_is_named_and_nothing_moves() {
    let _machine = crate::beside_others();
    let labelbox = Labelbox::start();
    let site = Site::new();
    labelbox.set_rows(&[
        row("row1", "good", &[("label1", 1)]),
        row("row2", "fails", &[("label2", 2)]),
        row("row3", "lacks", &[("label3", 3)]),
    ]);
    let endpoint = labelbox.endpoint();
    let of = |project: &str| {
        let mut command = reconcile(&site, &endpoint);
        command.args(["--project", project]);
        command
    };
    // Labelbox's own client is told the same.
    let own = labelbox.own_client("wrong", "good", "");
    assert!(
        text(&own.stderr).contains("Invalid API key"),
        "{}",
        text(&own.stderr)
    );
    refused(
        of("good").env("LABELBOX_API_KEY", "wrong"),
        &["refuses the API key", "env:LABELBOX_API_KEY"],
    );
    refused(
        of("good").env_remove("LABELBOX_API_KEY"),
        &["LABELBOX_API_KEY is not set"],
    );
    let own = labelbox.own_client(API_KEY, "gone", "");
    assert!(
        text(&own.stderr).contains("not found"),
        "{}",
        text(&own.stderr)
    );
    refused(&mut of("gone"), &["project gone is gone", "--project gone"]);
    refused(&mut of("fails"), &["project fails", "FAILED"]);
    refused(
        &mut of("lacks"),
        &["could not export all of it", "one row could not be read"],
    );
    let [port] = free_ports();
    refused(
        &mut reconcile(&site, &format!("http://127.0.0.1:{port}/graphql")),
        &["cannot connect to"],
    );
    refused(
        &mut reconcile(&site, "api.labelbox.com"),
        &["begins with http"],
    );

    // Nothing was remembered of any of it: everything is still to be sent.
    assert!(site.export().is_empty());
    assert_eq!(summary(&site, &labelbox, &["--project", "good"])["sent"], 1);
}

/// `labelrelay dataset`, ready to run.
fn dataset(site: &Site, words: &[&str]) -> Command {
    let mut command = program::command();
    command
        .arg("dataset")
        .args(words)
        .arg("--config")
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABELBOX_API_KEY", API_KEY)
        .current_dir(site.folder())
        .stdin(Stdio::null());
    command
}

/// Red if a label that changed is not reported, or if one that is gone passes for checked.
#[test]
#[ignore = "needs Labelbox's own client: run it with `cargo xtask e2e labelbox`"]
fn a_dataset_is_compared_with_an_export() {
    let _machine = crate::beside_others();
    let labelbox = Labelbox::start();
    let site = Site::new();
    let mut rows: Vec<_> = (0..5_u8)
        .map(|n| row(&format!("row{n}"), "first", &[(&format!("label{n}"), n)]))
        .collect();
    labelbox.set_rows(&rows);
    assert_eq!(summary(&site, &labelbox, &[])["sent"], 5);
    let synced = dataset(&site, &["sync", "cars", "--format", "jsonl"])
        .output()
        .unwrap();
    assert!(synced.status.success(), "{}", text(&synced.stderr));
    let endpoint = labelbox.endpoint();
    let verify = |words: &[&str]| {
        let verb = ["verify", "cars", "--endpoint", &endpoint];
        dataset(&site, &verb).args(words).output().unwrap()
    };
    let equal = verify(&[]);
    let told = text(&equal.stdout);
    assert!(equal.status.success(), "{told}{}", text(&equal.stderr));
    assert!(told.contains("equal to Labelbox at"), "{told}");
    assert!(told.contains("5 equal, 0 missing, 0 different"), "{told}");
    assert!(told.contains("deletions cannot be checked"), "{told}");

    // One changed, one is new, and one is gone: that one nobody can tell.
    rows[1] = row("row1", "first", &[("label1", 20)]);
    rows[2] = row("row5", "first", &[("label5", 5)]);
    labelbox.set_rows(&rows);
    let differs = verify(&["--json"]);
    assert_eq!(differs.status.code(), Some(1), "{}", text(&differs.stderr));
    let told: Value = serde_json::from_slice(&differs.stdout).unwrap();
    assert_eq!(
        told["different"],
        serde_json::json!(["/labelbox label/label1"]),
        "{told}"
    );
    assert_eq!(
        told["missing"],
        serde_json::json!(["/labelbox label/label5"]),
        "{told}"
    );
    assert_eq!(told["extra"], serde_json::json!([]), "{told}");
    assert_eq!(told["deletions_checked"], false, "{told}");
    let mended = verify(&["--repair"]);
    assert!(mended.status.success(), "{}", text(&mended.stderr));
    assert!(verify(&[]).status.success());
    refused(
        dataset(&site, &["verify", "cars", "--source", "labelbox"])
            .args(["--url", "http://127.0.0.1:1"]),
        &["Labelbox takes --endpoint and --key"],
    );
}
