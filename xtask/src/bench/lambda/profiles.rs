//! `cargo xtask bench lambda --profiles`: the function built in every way that is worth a try, and all
//! of them started in turns. With `--also` alone: the function as it is deployed, and others beside it.

use super::binary_size::{self, BinarySize};
use super::event::Events;
use super::function::Function;
use super::function_environment::{StartKind, Surroundings};
use super::invocations::accepted;
use super::programs::PROFILE;
use crate::Outcome;
use crate::bench::bench_folder::BenchFolder;
use crate::bench::memory::Memory;
use crate::bench::samples::Samples;
use crate::paths::built;
use crate::step::{cargo, status};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One way to build.
struct ProfileVariant {
    name: &'static str,
    profile: &'static str,
    /// Settings that replace the profile's own.
    settings: &'static [&'static str],
}

impl ProfileVariant {
    const fn of_lambda(name: &'static str, settings: &'static [&'static str]) -> Self {
        Self {
            name,
            profile: PROFILE,
            settings,
        }
    }

    /// The function is deployed as its profile says.
    fn is_deployed(&self) -> bool {
        self.profile == PROFILE && self.settings.is_empty()
    }
}

const VARIANTS: [ProfileVariant; 8] = [
    ProfileVariant::of_lambda("opt 3, fat", &["opt-level=3", "lto='fat'"]),
    ProfileVariant::of_lambda("opt 2, fat", &["opt-level=2", "lto='fat'"]),
    ProfileVariant::of_lambda("opt s, fat", &["opt-level='s'", "lto='fat'"]),
    ProfileVariant::of_lambda("opt z, fat", &["opt-level='z'", "lto='fat'"]),
    ProfileVariant::of_lambda("opt 3, thin", &["opt-level=3", "lto='thin'"]),
    ProfileVariant::of_lambda("opt s, thin", &["opt-level='s'", "lto='thin'"]),
    ProfileVariant::of_lambda("profile function", &[]),
    // The profile of `sam build` and `cargo lambda build --release`.
    ProfileVariant {
        name: "profile release",
        profile: "release",
        settings: &[],
    },
];

/// Invocations of one environment of each.
const INVOCATIONS: usize = 500;

struct Tried {
    name: String,
    program: PathBuf,
    built_s: f64,
    weight: BinarySize,
    lean: Samples,
    cpu: Samples,
    full: Samples,
    warm: Samples,
    memory: Memory,
}

/// Tries all profiles, or that of the deployed function alone, and what is `also` there.
pub(super) fn run(starts: usize, all: bool, also: &[(String, PathBuf)]) -> Outcome {
    let folder = BenchFolder::new()?;
    let mut tried = Vec::new();
    for variant in VARIANTS {
        if all || variant.is_deployed() {
            tried.push(build(&variant, &folder.0)?);
        }
    }
    for (name, program) in also {
        tried.push(Tried::new(name, program.clone(), None)?);
    }
    status(&mut Command::new("sync"))?;
    let surroundings = Surroundings::start(&folder.0)?;
    let (lean, full) = (
        surroundings.environment(StartKind::Lean),
        surroundings.environment(StartKind::Full),
    );
    // The first round reads the programs from the disk and is not counted.
    for round in 0..=starts {
        for variant in &mut tried {
            let function = Function::start(&variant.program, &folder.0, &lean)?;
            let (start, cpu) = (function.start, function.start_cpu);
            drop(function);
            let whole = Function::start(&variant.program, &folder.0, &full)?.start;
            if round > 0 {
                variant.lean.add(start);
                variant.cpu.add(cpu);
                variant.full.add(whole);
            }
        }
    }
    let events = Events::new(1024);
    for variant in &mut tried {
        let mut function = Function::start(&variant.program, &folder.0, &full)?;
        for _ in 0..INVOCATIONS {
            let invocation = function.invoke(events.next()?)?;
            accepted(&invocation)?;
            variant.warm.add(invocation.took);
        }
        variant.memory = function.memory()?;
    }
    print(&tried);
    Ok(())
}

/// Builds the function this way, and puts it aside.
fn build(variant: &ProfileVariant, folder: &Path) -> Outcome<Tried> {
    let mut build = cargo("build --locked --package labelrelay-lambda --profile");
    build.arg(variant.profile);
    for setting in variant.settings {
        build.args([
            "--config",
            &format!("profile.{}.{setting}", variant.profile),
        ]);
    }
    let start = Instant::now();
    status(&mut build)?;
    let program = folder.join(variant.name.replace([' ', ','], "-"));
    std::fs::copy(built(variant.profile, "labelrelay-lambda")?, &program)?;
    Tried::new(variant.name, program, Some(start.elapsed()))
}

impl Tried {
    fn new(name: &str, program: PathBuf, built: Option<Duration>) -> Outcome<Self> {
        Ok(Self {
            name: name.to_owned(),
            weight: binary_size::of(&program)?,
            program,
            built_s: built.map_or(f64::NAN, |time| time.as_secs_f64()),
            lean: Samples::default(),
            cpu: Samples::default(),
            full: Samples::default(),
            warm: Samples::default(),
            memory: Memory::default(),
        })
    }
}

fn print(tried: &[Tried]) {
    println!(
        "\n{:<16}{:>9}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "", "binary", "zipped", "lean", "lean CPU", "full", "warm", "resident", "build"
    );
    println!(
        "{:<16}{:>9}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>9}",
        "", "MB", "MB", "ms", "ms", "ms", "ms", "KiB", "s"
    );
    for variant in tried {
        println!(
            "{:<16}{:>9.2}{:>9.2}{:>10.2}{:>10.2}{:>10.2}{:>10.3}{:>10}{:>9.0}",
            variant.name,
            variant.weight.binary,
            variant.weight.archive,
            variant.lean.median(),
            variant.cpu.median(),
            variant.full.median(),
            variant.warm.median(),
            variant.memory.now,
            variant.built_s
        );
    }
}
