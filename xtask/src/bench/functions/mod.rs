//! `cargo xtask bench functions`: the service for Cloud Run and the handler for Azure Functions. Starts and
//! memory beside a hello world, requests beside the same clients publishing alone, weight; with the emulators
//! of the clouds as queues, in one run on this machine.
//!
//! The emulators share the processors with what is measured: the ratios of one run are the result.

mod options;
mod platform;
mod programs;
mod running_program;
mod starts;
mod throughput;

use super::bench_folder::BenchFolder;
use super::figures::Figures;
use crate::Outcome;
use crate::step::status;
use options::Options;
use platform::Platform;
use programs::Programs;
use std::process::Command;

/// Largest program, in megabytes (10⁶).
const WEIGHT: f64 = 12.0;

pub(super) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    let programs = Programs::build()?;
    // Pages that the build left unwritten would otherwise be written while starts are measured.
    status(&mut Command::new("sync"))?;
    let folder = BenchFolder::new()?;
    let mut figures = Figures::default();
    if let Some(earlier) = &options.earlier {
        let platform = Platform::google(&programs);
        starts::beside(&platform, earlier, options.starts, &folder.0, &mut figures)?;
        figures.print();
        return Ok(());
    }
    for platform in [Platform::google(&programs), Platform::azure(&programs)] {
        println!("\n{}: {} starts, in turns", platform.name, options.starts);
        starts::measure(
            &platform,
            &programs.hello,
            options.starts,
            &folder.0,
            &mut figures,
        )?;
        println!(
            "{}: 64 connections, {} rounds",
            platform.name, options.rounds
        );
        throughput::measure(
            &platform,
            &programs.publish,
            &options,
            &folder.0,
            &mut figures,
        )?;
        let weight = programs::megabytes(&platform.program)?;
        figures.goal(
            format!("{}: the program, stripped", platform.name),
            weight,
            "MB",
            WEIGHT,
        );
    }
    figures.print();
    if let Some(file) = &options.json {
        std::fs::write(file, figures.json()?)?;
        println!("figures: {}", file.display());
    }
    Ok(())
}
