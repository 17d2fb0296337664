//! `cargo xtask fuzz`: builds the fuzz targets, and runs each for a while, seeded from the fixtures.

mod options;
mod program;
mod seeds;

use crate::Outcome;
use crate::paths::{root, target};
use crate::step::{Steps, cargo, host, output, status};
use options::Options;
use program::Program;
use std::path::{Path, PathBuf};

/// Time that each target runs as a step of `cargo xtask test`.
const SHORT: Length = Length::Seconds(5);

/// When a target has run enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// After this time.
    Seconds(u64),
    /// After so many executions.
    Runs(u64),
}

/// By hand.
pub(crate) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args, &targets()?)?;
    let folder = Folder::prepare()?;
    build(&folder)?;
    if options.keep {
        for name in &options.targets {
            folder.program(name)?.keep()?;
        }
        return Ok(());
    }
    run_each(&folder, &options.targets, options.length)
}

/// The long run, unless `args` say how long.
pub(crate) fn long(args: &[String]) -> Outcome {
    let says = |arg: &String| matches!(arg.as_str(), "--seconds" | "--runs" | "--keep");
    let mut args = args.to_vec();
    if !args.iter().any(says) {
        args.extend(["--runs".to_owned(), "2000000".to_owned()]);
    }
    run(&args)
}

/// As steps of `cargo xtask test`: that all targets are sound, and a short run of each.
pub(crate) fn shortly(steps: &mut Steps) -> Outcome {
    let mut folder = None;
    steps.run("fuzz targets", || {
        let manifest = "--manifest-path fuzz/Cargo.toml";
        output(&mut cargo(&format!(
            "metadata --locked --format-version 1 {manifest}"
        )))?;
        status(&mut cargo(&format!("fmt {manifest} --check")))?;
        let prepared = Folder::prepare()?;
        let mut lints = cargo(&format!("clippy {manifest} --all-targets --target-dir"));
        status(lints.arg(&prepared.path).args(["--", "-D", "warnings"]))?;
        build(&prepared)?;
        folder = Some(prepared);
        Ok(())
    })?;
    let folder = folder.ok_or("nothing was built")?;
    steps.run("fuzzing, shortly", || run_each(&folder, &targets()?, SHORT))
}

/// Runs them, two at a time: each has one thread.
fn run_each(folder: &Folder, targets: &[String], length: Length) -> Outcome {
    let mut executions = 0;
    for pair in targets.chunks(2) {
        let ended: Vec<Outcome<u64>> = std::thread::scope(|scope| {
            let run = |name: &String| {
                let name = name.clone();
                scope.spawn(move || folder.program(&name)?.run(length))
            };
            let running: Vec<_> = pair.iter().map(run).collect();
            running
                .into_iter()
                .map(|one| one.join().map_err(|_| "a run ended with a panic")?)
                .collect()
        });
        for done in ended {
            executions += done?;
        }
    }
    println!(
        "{executions} executions of {} targets, 0 failures",
        targets.len()
    );
    Ok(())
}

/// Names of the targets: those of their files.
fn targets() -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for file in std::fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = file?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        names.push(name.ok_or("a fuzz target without a name")?.to_owned());
    }
    names.sort();
    Ok(names)
}

/// Instrumentation for libFuzzer: a counter for each edge of the program, and the operands of comparisons.
///
/// These are what `cargo fuzz build --sanitizer none --debug-assertions` sets. One codegen unit, or nothing is
/// inlined across units: threefold slower.
const INSTRUMENTED: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
];

/// Depth of the stack; its symbol is defined on Linux alone.
const STACK_DEPTH: &str = "-Cllvm-args=-sanitizer-coverage-stack-depth";

/// Builds all targets.
///
/// Without a sanitizer: that needs no nightly compiler and runs twice as fast, and the crates under test
/// have no unsafe code (`unsafe_code = "deny"`), so that there is little for one to find. Overflows and
/// debug assertions are failures all the same.
fn build(folder: &Folder) -> Outcome {
    // A target that is named: what runs while building is not instrumented then.
    let mut build = cargo("build --release --locked --manifest-path fuzz/Cargo.toml --target");
    build
        .arg(&folder.host)
        .arg("--target-dir")
        .arg(&folder.path);
    let mut flags = INSTRUMENTED.to_vec();
    if cfg!(target_os = "linux") {
        flags.push(STACK_DEPTH);
    }
    status(build.env("RUSTFLAGS", flags.join(" ")))
}

/// Folders of the targets that cargo builds, and of the inputs that are not kept.
struct Folder {
    path: PathBuf,
    /// Target of the build: the machine that builds.
    host: String,
}

impl Folder {
    fn prepare() -> Outcome<Self> {
        let path = target()?.join("fuzz");
        seeds::write(&path.join("seeds"))?;
        let host = host()?;
        Ok(Self { path, host })
    }

    fn program(&self, name: &str) -> Outcome<Program> {
        Ok(Program {
            name: name.to_owned(),
            file: self.path.join(&self.host).join("release").join(name),
            found: made(&self.path.join("corpus").join(name))?,
            failures: made(&self.path.join("failures").join(name))?,
            seeds: made(&self.path.join("seeds").join(name))?,
            kept: made(&root().join("fuzz/corpus").join(name))?,
        })
    }
}

fn made(folder: &Path) -> Outcome<PathBuf> {
    std::fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}
