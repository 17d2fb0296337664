//! A million messages to both readers of changes: `cargo xtask campaign changes` builds and runs this. Arguments: how many
//! messages, and the seed of the first part.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a campaign fails by panicking"
)]

#[path = "../changes_differential/mod.rs"]
mod changes_differential;

use std::time::Instant;

/// Messages of one seed: short enough that one can be run again.
const PART: u64 = 20_000;

fn main() {
    let number = |place: usize, default: u64| {
        let told = std::env::args().nth(place);
        told.map_or(default, |number| number.parse().expect("a number"))
    };
    let (messages, first_seed) = (number(1, 1_000_000), number(2, 0));
    let start = Instant::now();
    let recorded = changes_differential::run_originals();
    let (mut changes, mut errors, mut differences) =
        (recorded.changes, recorded.errors, recorded.differences);
    for part in 0..messages.div_ceil(PART) {
        let seed = first_seed + part;
        let tally = changes_differential::run(seed, PART.min(messages - part * PART));
        changes += tally.changes;
        errors += tally.errors;
        differences += tally.differences;
        if let Some(first) = tally.first {
            println!(
                "seed {seed}: {} differ, the first is {first}",
                tally.differences
            );
        }
        println!(
            "{} messages in {:.0} s",
            changes + errors,
            start.elapsed().as_secs_f64()
        );
    }
    println!("{changes} became changes, {errors} errors, {differences} differ");
    assert!(differences == 0, "{differences} were not read alike");
}
