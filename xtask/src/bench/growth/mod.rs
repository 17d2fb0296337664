//! `cargo xtask bench growth`: how a delivery's cost grows with the events in the file, the connections, the size of
//! the body and the number of sources. One of them grows, and everything else stays as it is.

mod axis;
mod bodies;
mod connections;
mod descriptors;
mod events;
mod options;
mod plot;
mod section;
mod sources;
mod step;
mod table;

use super::bench_folder::BenchFolder;
use crate::Outcome;
use crate::paths::root;
use crate::step::{cargo, status};
use axis::Axis;
use options::Options;
use std::time::Instant;
use step::Run;
use table::Table;

/// Where a kept run goes, below the root of the repository.
const CSV: &str = "docs/growth.csv";
const PLOT: &str = "docs/images/growth.svg";
const FIGURES: &str = "docs/figures.md";

pub(super) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    status(&mut cargo("build --release --package labelrelay"))?;
    let mut table = Table::default();
    for axis in Axis::ALL {
        let folder = BenchFolder::new()?;
        let mut run = Run {
            axis,
            folder: folder.0.clone(),
            window: options.window,
            end: Instant::now() + options.limit,
            table: &mut table,
        };
        println!("\n== {}", axis.title());
        match axis {
            Axis::Events => events::measure(&mut run, options.most_events)?,
            Axis::Connections => connections::measure(&mut run)?,
            Axis::Bytes => bodies::measure(&mut run)?,
            Axis::Sources => sources::measure(&mut run)?,
        }
    }
    table.extrapolate_events();
    print!("\n{}", table.markdown());
    if options.keeps {
        let root = root();
        std::fs::write(root.join(CSV), table.csv())?;
        std::fs::write(root.join(PLOT), plot::svg(&table))?;
        let figures = std::fs::read_to_string(root.join(FIGURES))?;
        let with_section = section::put(&figures, &section::text(&table))?;
        std::fs::write(root.join(FIGURES), with_section)?;
        println!("kept in {CSV}, {PLOT} and {FIGURES}");
    }
    Ok(())
}
