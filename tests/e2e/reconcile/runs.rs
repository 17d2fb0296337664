//! Runs one after the other: tried out, broken off, with another token.

use super::{assert_each_once, of_origin, reconcile, run, summary, text};
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::relay::{Site, eventually};
use serde_json::json;
use std::process::Stdio;

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_dry_run_leaves_nothing_a_killed_run_is_taken_up_and_a_personal_token_does() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let project = label_studio.project("runs");
    label_studio.import(project, 600, true);

    let files = || {
        let entries = std::fs::read_dir(site.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    let tried = run(&site, &label_studio, &["--dry-run"]);
    let lines = text(&tried.stdout);
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.starts_with("io.labelstud.task.created task/"))
            .count(),
        600
    );
    assert!(lines.contains("1200 events would be sent"), "{lines}");
    assert_eq!(files(), before, "a dry run leaves nothing behind");

    // Slowly, so that it is killed in the middle.
    let mut killed = reconcile(&site, &label_studio.base, &label_studio.token)
        .args(["--rate", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("some of it is in the queue", || {
        (site.queue_file().exists() && count(&site) > 0).then_some(())
    });
    killed.kill().unwrap();
    killed.wait().unwrap();
    let some = count(&site);
    assert!(some < 1200, "it was killed too late");

    let rest = summary(&site, &label_studio, &[]);
    assert_eq!(rest["sent"], 1200 - some, "what was sent before is known");
    let events = site.export();
    assert_eq!((events.len(), of_origin(&events, true)), (1200, 1200));
    assert_each_once(&events);

    // A personal access token, which is exchanged for one that lives for minutes.
    let personal = label_studio.call("POST", "/api/token/", &json!({}));
    let personal = personal["token"].as_str().unwrap();
    assert_eq!(personal.matches('.').count(), 2);
    let file = site.folder().join("token");
    std::fs::write(&file, format!("{personal}\n")).unwrap();
    let output = reconcile(&site, &label_studio.base, "none")
        .args(["--json", "--token", &format!("file:{}", file.display())])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains(r#""sent":0"#),
        "{}",
        text(&output.stdout)
    );
}

/// Events in the queue.
fn count(site: &Site) -> u64 {
    let database = rusqlite::Connection::open(site.queue_file()).unwrap();
    // The file may be there before its tables.
    database
        .query_row("select count(*) from events", [], |row| {
            row.get::<_, i64>(0)
        })
        .map_or(0, i64::cast_unsigned)
}
