//! Starts: from making a process to its first answer, and what it holds then.

use super::platform::{Environment, Platform};
use super::programs::megabytes;
use super::running_program::Running;
use crate::Outcome;
use crate::bench::figures::Figures;
use crate::bench::memory::Memory;
use crate::bench::samples::Samples;
use std::path::Path;

/// Mebibytes that may be resident when nothing was delivered yet.
const IDLE: f64 = 24.0;

/// Starts both `rounds` times, in turns, so that a slow second of the machine hits both.
pub(super) fn measure(
    platform: &Platform,
    hello: &Path,
    rounds: usize,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let environment = platform.environment();
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let (mut memory, mut bare) = (Memory::default(), Memory::default());
    // The first round reads the programs from the disk and is not counted.
    for round in 0..=rounds {
        let first = Running::start(hello, "PORT", &Environment::new(), folder)?;
        bare = first.memory()?;
        let second = Running::start(&platform.program, platform.port, &environment, folder)?;
        memory = second.memory()?;
        if round > 0 {
            theirs.add(first.start);
            ours.add(second.start);
        }
    }
    let name = platform.name;
    figures.times(format!("{name}: start to first answer"), &ours);
    figures.times(
        format!("{name}: start to first answer, hello world"),
        &theirs,
    );
    figures.goal(
        format!("{name}: start to first answer / hello world"),
        ours.median() / theirs.median(),
        "x",
        2.0,
    );
    figures.goal(
        format!("{name}: resident, idle"),
        mebibytes(memory.now),
        "MiB",
        IDLE,
    );
    figures.note(
        format!("{name}: resident, idle, hello world"),
        mebibytes(bare.now),
        "MiB",
    );
    Ok(())
}

/// What the start of this program may take, of an earlier one's.
const OF_EARLIER: f64 = 1.03;

/// Starts the program and an earlier build of it `rounds` times. Who goes first alternates.
pub(super) fn beside(
    platform: &Platform,
    earlier: &Path,
    rounds: usize,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let environment = platform.environment();
    let start = |program: &Path| -> Outcome<_> {
        Ok(Running::start(program, platform.port, &environment, folder)?.start)
    };
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    // The first round reads the programs from the disk and is not counted.
    for round in 0..=rounds {
        let (own, other);
        if round % 2 == 0 {
            own = start(&platform.program)?;
            other = start(earlier)?;
        } else {
            other = start(earlier)?;
            own = start(&platform.program)?;
        }
        if round > 0 {
            ours.add(own);
            theirs.add(other);
        }
    }
    let name = platform.name;
    figures.times(format!("{name}: start to first answer"), &ours);
    figures.times(format!("{name}: start to first answer, earlier"), &theirs);
    figures.goal(
        format!("{name}: start to first answer / earlier"),
        ours.median() / theirs.median(),
        "x",
        OF_EARLIER,
    );
    figures.goal(
        format!("{name}: the program / earlier"),
        megabytes(&platform.program)? / megabytes(earlier)?,
        "x",
        OF_EARLIER,
    );
    Ok(())
}

/// Of the kernel's kilobytes.
#[expect(
    clippy::cast_precision_loss,
    reason = "memory of a process is far below 2^52 KiB"
)]
pub(super) fn mebibytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}
