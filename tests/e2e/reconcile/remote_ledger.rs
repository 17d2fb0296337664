//! A ledger in a store, because the queue is not a file.

use super::{reconcile, text};
use labelrelay_event::Envelope;
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::relay::Site;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

const TASKS: usize = 25;

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn printed_events_are_remembered_in_a_directory() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let project = label_studio.project("kept");
    label_studio.import(project, TASKS, true);
    let run = |args: &[&str]| -> Output {
        let mut command = reconcile(&site, &label_studio.base, &label_studio.token);
        command.env("LABELRELAY_QUEUE", "stdout:").args(args);
        command.output().unwrap()
    };
    let refused = |args: &[&str], code: i32, words: &str| {
        let output = run(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    };
    refused(&[], 2, "--ledger URL");
    refused(&["--ledger", "nowhere"], 78, "--ledger");

    let ledger = ["--ledger", "file:remembered"];
    let tried = run(&["--dry-run", ledger[0], ledger[1]]);
    assert!(tried.status.success(), "{}", text(&tried.stderr));
    assert!(text(&tried.stdout).contains("50 events would be sent"));
    assert!(
        !site.folder().join("remembered").exists(),
        "a dry run leaves nothing behind"
    );
    let first = run(&ledger);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let printed = text(&first.stdout);
    let ids: BTreeSet<_> = printed
        .lines()
        .map(|line| Envelope::decode(line.as_bytes()).unwrap().attributes.id)
        .collect();
    assert_eq!((printed.lines().count(), ids.len()), (2 * TASKS, 2 * TASKS));
    assert!(
        text(&first.stderr).contains("50 events sent"),
        "the summary does not stand between events"
    );

    let second = run(&ledger);
    assert!(second.status.success() && second.stdout.is_empty());
    let (keys, bodies) = objects(&site);
    assert_eq!(
        (keys.len(), bodies.len()),
        (2, 2),
        "the whole, and what changed"
    );
    let bytes = bodies.iter().map(|file| file.metadata().unwrap().len());
    assert!(bytes.min().unwrap() <= 100_000, "a quiet run saves little");

    std::fs::write(&bodies[0], b"damaged").unwrap();
    refused(&ledger, 1, "is not what");
    std::fs::write(&keys[0], b"{\"some\":\"event\"}").unwrap();
    refused(&ledger, 1, "no version of a ledger");
    let (keys_after, bodies_after) = objects(&site);
    assert_eq!(
        (keys, bodies),
        (keys_after, bodies_after),
        "it is left as it is"
    );
}

/// Files with keys, and those with ledgers.
fn objects(site: &Site) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let files = |dir: PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let place = site.folder().join("remembered/label-studio");
    let keys = files(place.clone())
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    let folders = files(place.join("bodies")).into_iter();
    let bodies = folders.flat_map(files).collect();
    (keys, bodies)
}
