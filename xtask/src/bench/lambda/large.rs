//! A large event in the process alone: its own benchmark measures, here its figure joins the others.

use super::programs::PROFILE;
use crate::Outcome;
use crate::bench::figures::Figures;
use crate::step::{cargo, output};

/// Beginning of the benchmark's line with the ratio.
const RATIO: &str = "5 MB, event bytes to the SDK's call / the passes that it cannot avoid:";

pub(super) fn measure(figures: &mut Figures) -> Outcome {
    println!("a 5 MB event against the passes that it cannot avoid (criterion)");
    let mut bench = cargo("bench --locked --package labelrelay-lambda --bench large --profile");
    let said = output(bench.arg(PROFILE))?;
    println!("{said}");
    let ratio = said
        .lines()
        .find_map(|line| line.strip_prefix(RATIO))
        .ok_or("the benchmark `large` printed no ratio")?;
    figures.goal(RATIO.trim_end_matches(':'), ratio.trim().parse()?, "x", 1.2);
    Ok(())
}
