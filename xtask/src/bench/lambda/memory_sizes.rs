//! `cargo xtask bench lambda --memory`: what invocations take with the processor time that Lambda gives
//! to functions of several sizes of memory, which is what the template's `MemorySize` rests on.

use super::cpu_share::{CpuShare, PERIOD};
use super::event::{self, Events};
use super::function::Function;
use super::function_environment::{StartKind, Surroundings};
use super::invocations::accepted;
use super::programs::Programs;
use crate::Outcome;
use crate::bench::bench_folder::BenchFolder;
use crate::bench::samples::Samples;
use crate::step::status;
use std::process::Command;
use std::time::Duration;

/// Sizes that are measured; a whole processor is the last.
const SIZES: [u64; 6] = [128, 192, 256, 512, 1_024, 1_769];

/// Invocations of each kind at each size.
const INVOCATIONS: u64 = 20;

/// Time that a call to SQS or S3 takes in a region.
const AWAY: Duration = Duration::from_millis(8);

pub(super) fn run() -> Outcome {
    let programs = Programs::build()?;
    status(&mut Command::new("sync"))?;
    let folder = BenchFolder::new()?;
    let surroundings = Surroundings::start(&folder.0)?;
    surroundings.set_delay(AWAY);
    let share = CpuShare::new()?;
    println!(
        "\nservices {} ms away; median and slowest of {INVOCATIONS}, in milliseconds\n\n{:>8}{:>18}{:>18}{:>18}{:>20}{:>12}",
        AWAY.as_millis(),
        "MB",
        "1 KB",
        "100 KB",
        "5 MB, stored",
        "new connection",
        "peak MiB"
    );
    let (small, middle) = (Events::new(1024), Events::new(100 * 1024));
    for size in SIZES {
        share.set(size)?;
        // A start has the whole processor, as Lambda gives it; what is invoked has its share.
        let mut relay = Function::start(
            &programs.relay,
            &folder.0,
            &surroundings.environment(StartKind::Full),
        )?;
        share.hold(&relay)?;
        let mut times = [Samples::default(), Samples::default(), Samples::default()];
        for number in 0..INVOCATIONS {
            let events = [small.next()?, middle.next()?, event::large(number)?];
            for (event, times) in events.into_iter().zip(&mut times) {
                rest();
                let invocation = relay.invoke(event)?;
                accepted(&invocation)?;
                times.add(invocation.took);
            }
        }
        let peak = relay.memory()?.peak;
        drop(relay);

        let mut cold = Samples::default();
        for _ in 0..INVOCATIONS {
            let mut relay = Function::start(
                &programs.relay,
                &folder.0,
                &surroundings.environment(StartKind::Lean),
            )?;
            share.hold(&relay)?;
            rest();
            let invocation = relay.invoke(small.next()?)?;
            accepted(&invocation)?;
            cold.add(invocation.took);
        }
        print!("{size:>8}");
        for times in &times {
            print!("{:>10.1}{:>8.1}", times.median(), times.max());
        }
        println!(
            "{:>12.1}{:>8.1}{:>12}",
            cold.median(),
            cold.max(),
            peak / 1024
        );
    }
    Ok(())
}

/// Lets the share fill up, as it is after a pause between deliveries.
fn rest() {
    std::thread::sleep(Duration::from_micros(2 * PERIOD));
}
