//! `dataset` on a disk that is full, or that cannot be written to: a clear error, and the last snapshot stays.

use crate::dataset::{annotate, latest, sync};
use crate::full_disk::in_a_namespace_of_its_own;
use crate::support::{Place, deriving_nothing, until};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::Command;

/// A place whose directory `cars` is a disk of 8 MiB.
fn on_a_small_disk() -> Place {
    let place = deriving_nothing();
    fs::create_dir(place.path("cars")).unwrap();
    mount(&place, &["-t", "tmpfs", "-o", "size=8m", "none"]);
    place
}

fn mount(place: &Place, words: &[&str]) {
    let mut mount = Command::new("mount");
    let mounted = mount.args(words).arg(place.path("cars")).status().unwrap();
    assert!(mounted.success(), "{words:?}");
}

/// Fills the disk, but for so many bytes.
fn fill_but_for(place: &Place, bytes: u64) {
    let path = place.path("cars/filling");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let some = [1; 4096];
    while file.write_all(&some).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
}

/// Red if an event is acknowledged that is not on the disk, if the error does not say that the disk is full, or if the last
/// snapshot goes.
#[test]
fn a_full_disk_is_named_and_the_last_snapshot_stays() {
    if !in_a_namespace_of_its_own("dataset_disk::a_full_disk_is_named_and_the_last_snapshot_stays")
    {
        return;
    }
    let place = on_a_small_disk();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    sync(&place, &[]).good();
    let before = latest(&place);
    assert_eq!(before["counts"]["annotations"], 1);
    fill_but_for(&place, 256 * 1024);
    annotate(&place, &serving, 2, 1024 * 1024);
    sync(&place, &["--visibility", "5s"]).failed(1, &["state.db", "make room on its disk"]);
    assert_eq!(latest(&place), before);
    let snapshot = format!(
        "cars/{}/jsonl/samples.jsonl",
        before["path"].as_str().unwrap()
    );
    assert!(place.path(&snapshot).is_file());

    fs::remove_file(place.path("cars/filling")).unwrap();
    until("the event comes again, and is taken in", || {
        sync(&place, &[]).good();
        latest(&place)["counts"]["annotations"] == 2
    });
}

/// Red if a disk that cannot be written to is not named as that, or if it costs an event.
#[test]
fn a_disk_that_cannot_be_written_to_is_named() {
    if !in_a_namespace_of_its_own("dataset_disk::a_disk_that_cannot_be_written_to_is_named") {
        return;
    }
    let place = on_a_small_disk();
    let serving = place.serve(&[]);
    annotate(&place, &serving, 1, 0);
    sync(&place, &[]).good();
    let before = latest(&place);
    annotate(&place, &serving, 2, 0);
    mount(&place, &["-o", "remount,ro"]);
    sync(&place, &[]).failed(1, &["cars", "name a directory that can be written to"]);
    assert_eq!(latest(&place), before);
    // Who only looks needs to write nothing.
    let status = place.run(&["dataset", "status", "cars"]);
    assert!(status.good().contains("1 annotation"), "{status:?}");
    mount(&place, &["-o", "remount,rw"]);
    sync(&place, &[]).good();
    assert_eq!(latest(&place)["counts"]["annotations"], 2);
}
