//! A million bodies through the pipeline, and their envelopes to those who consume them: `cargo xtask campaign readers`
//! builds and runs this. Arguments: how many bodies, and the seed of the first part.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a campaign fails by panicking"
)]

#[path = "../readers/mod.rs"]
mod readers;

use readers::process::Readers;
use std::time::Instant;

/// Bodies of one seed: short enough that one can be run again.
const PART: u64 = 20_000;

fn main() {
    let number = |place: usize, default: u64| {
        let told = std::env::args().nth(place);
        told.map_or(default, |number| number.parse().expect("a number"))
    };
    let (bodies, first_seed) = (number(1, 1_000_000), number(2, 0));
    let start = Instant::now();
    let (mut embedded, mut base64, mut failed) = (0, 0, 0);
    let mut readers = Readers::start();
    for part in 0..bodies.div_ceil(PART) {
        let seed = first_seed + part;
        let tally = readers::run(seed, PART.min(bodies - part * PART), &mut readers);
        embedded += tally.embedded;
        base64 += tally.base64;
        for (what, (times, first)) in &tally.failures {
            println!("seed {seed}: {times} times {what}: {first}");
            failed += times;
        }
        println!(
            "{} bodies in {:.0} s",
            embedded + base64,
            start.elapsed().as_secs_f64()
        );
    }
    println!("{embedded} embedded, {base64} as base64, {failed} not read to the same data");
    assert!(failed == 0, "{failed} were not read to the same data");
}
