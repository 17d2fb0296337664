//! `cargo xtask bench lambda`: the function's starts, invocations, memory and weight, beside hello world
//! and the bare calls, in one run on this machine.
//!
//! No figure is of use by itself: the ratios of one run are the result.

mod answers;
mod aws_calls_process;
mod binary_size;
mod certificate;
mod cpu_share;
mod event;
mod function;
mod function_environment;
mod http1_stand_in;
mod invocations;
mod large;
mod memory_sizes;
mod minimal_start;
mod options;
mod profiles;
mod programs;
mod runtime_api;
mod stand_in;
mod starts;

use super::bench_folder::BenchFolder;
use super::figures::Figures;
use crate::Outcome;
use crate::step::status;
use function_environment::Surroundings;
use options::Options;
use programs::Programs;
use std::path::Path;
use std::process::Command;

pub(super) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    if options.profiles || !options.also.is_empty() {
        return profiles::run(options.starts, options.profiles, &options.also);
    }
    if options.memory {
        return memory_sizes::run();
    }
    let programs = Programs::build()?;
    // Pages that the build left unwritten would otherwise be written while starts are measured.
    status(&mut Command::new("sync"))?;
    let folder = BenchFolder::new()?;
    let mut figures = Figures::default();
    measure(&options, &programs, &folder.0, &mut figures)?;
    figures.print();
    if let Some(file) = &options.json {
        std::fs::write(file, figures.json()?)?;
        println!("figures: {}", file.display());
    }
    Ok(())
}

fn measure(
    options: &Options,
    programs: &Programs,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let surroundings = Surroundings::start(folder)?;
    println!("\n{} starts of each, in turns", options.starts);
    starts::measure(options.starts, programs, &surroundings, folder, figures)?;
    println!("{} invocations of one environment", options.invocations);
    invocations::measure(
        options.invocations,
        programs,
        &surroundings,
        folder,
        figures,
    )?;

    let weight = binary_size::of(&programs.relay)?;
    figures.goal("the binary, stripped", weight.binary, "MB", 8.0);
    figures.goal("the binary, zipped", weight.archive, "MB", 4.0);
    figures.note(
        "the binary, stripped: hello world",
        binary_size::of(&programs.hello)?.binary,
        "MB",
    );
    if options.large {
        large::measure(figures)?;
    }
    Ok(())
}
