//! `labelrelay pull` of 10,000 annotations of a real Label Studio, against the time of paging through
//! the same API with the same client. `cargo xtask bench reconcile` builds both and runs this.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement fails by panicking"
)]

use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::program;
use labelrelay_tests::relay::{Site, secrets};
use labelrelay_tests::servers::installed;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let number = |place: usize, default: usize| {
        let told = std::env::args().nth(place);
        told.map_or(default, |count| count.parse().unwrap())
    };
    let (annotations, rounds) = (number(1, 10_000), number(2, 3));
    let mut label_studio = LabelStudio::start();
    let project = label_studio.project("speed");
    for _ in 0..annotations.div_ceil(1000) {
        label_studio.import(project, annotations.min(1000), true);
    }
    println!("{annotations} tasks, each with an annotation; {rounds} rounds, in turns");
    let (mut paging, mut reconciling, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        paging.push(page(&label_studio));
        let site = Site::new();
        let (first, told) = reconcile(&site, &label_studio);
        reconciling.push(first);
        let (second, told_then) = reconcile(&site, &label_studio);
        quiet.push(second);
        println!(
            "round {round}: paging {:.2} s; first run {first:.2} s, {told}; second run {second:.2} s, {told_then}",
            paging[round]
        );
    }
    let (paging, reconciling) = (median(paging), median(reconciling));
    println!(
        "median: paging {paging:.2} s, first run {reconciling:.2} s = {:.2} of it; a run after which nothing changed {:.2} s",
        reconciling / paging,
        median(quiet)
    );
}

fn page(label_studio: &LabelStudio) -> f64 {
    let output = Command::new(installed("LABELRELAY_BENCH_PAGING"))
        .arg(&label_studio.base)
        .env("LABEL_STUDIO_API_KEY", &label_studio.token)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    told.split(' ').next().unwrap().parse().unwrap()
}

fn reconcile(site: &Site, label_studio: &LabelStudio) -> (f64, String) {
    let start = Instant::now();
    let output = program::command()
        .args([
            "pull",
            "label-studio",
            "--url",
            &label_studio.base,
            "--config",
        ])
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABEL_STUDIO_API_KEY", &label_studio.token)
        .current_dir(site.folder())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (
        seconds,
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
