//! `cargo xtask release`: the files of a release. Only this knows how each is made; the workflow calls the same
//! steps, one machine for each kind of processor and system.

mod archive;
mod azure;
mod clean;
mod deb;
mod folder;
mod glibc;
mod lambda;
mod licences;
mod lock_file;
mod program;
mod python;
mod sums;
mod version;
mod wheel_files;

use crate::Outcome;
use crate::step::{Steps, host, status};
use folder::Folder;
use std::path::{Path, PathBuf};

pub(crate) use clean::tests_of_packed;

const USAGE: &str = "\
usage: cargo xtask release --dry-run
       cargo xtask release --packed
       cargo xtask release STEP… [--target TRIPLE]
       cargo xtask release licences-of PROGRAM FOLDER
steps: tag NAME, licences, sdist, wheel, archive, deb, lambda, azure, cloud-run, sums";

pub(crate) fn run(args: &[String]) -> Outcome {
    match args {
        [flag] if flag == "--dry-run" => dry_run(),
        [flag] if flag == "--packed" => status(&mut tests_of_packed()?),
        [step, name] if step == "tag" => version::check_tag(name),
        [step, program, folder] if step == "licences-of" => licences_of(program, folder.as_ref()),
        _ => some(args),
    }
}

/// Everything that this machine can make, from an empty folder, and whether each file works in a root without Rust.
fn dry_run() -> Outcome {
    let mut steps = Steps::default();
    let folder = Folder::empty()?;
    let made = all(&mut steps, &folder);
    // Of a run that ended early too: which step it was, and what the others took.
    let told = steps.summary();
    let listed = folder.list();
    made.and(told).and(listed)
}

fn all(steps: &mut Steps, folder: &Folder) -> Outcome {
    let target = host()?;
    steps.run("tools, installed", clean::prepare)?;
    steps.run("notes", || version::notes(folder))?;
    steps.run("licences of what is linked", || {
        licences::write(&target).map(drop)
    })?;
    steps.run("sdist", || python::sdist(folder))?;
    let program = steps.run("wheel, from the sdist", || {
        python::wheel_from_sdist(folder, &target)?;
        program::bill_of_wheel(folder)?;
        python::program(folder)
    })?;
    steps.run("archive", || archive::pack(folder, &target, &program))?;
    steps.run("Debian package", || deb::pack(folder, &target, &program))?;
    steps.run("package for Azure Functions", || {
        azure::pack(folder, &target)
    })?;
    steps.run("program for Cloud Run", || cloud_run(folder, &target))?;
    steps.run("function for Lambda", || lambda::pack(folder, &target))?;
    steps.run("checksums", || sums::write(folder))?;
    steps.run("tests, compiled", clean::compile)?;
    steps.run("installed in a root without Rust", || clean::tests(folder))?;
    steps.run("function, deployed to a stand-in for AWS", || {
        lambda::tests(folder)
    })
}

/// The image for Cloud Run is built from the Dockerfile, and its program here: the bill of materials is a file of the
/// release.
fn cloud_run(folder: &Folder, target: &str) -> Outcome {
    let package = "labelrelay-cloud-function";
    let released_in = format!("{package}-{}", version::VERSION);
    let program = program::build(folder, package, "function", &released_in, target)?;
    program::starts(&program)
}

/// Fills a folder that goes into an image.
fn licences_of(program: &str, folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    licences::put(folder, program, &host()?)
}

/// The steps that are named, in their order.
fn some(args: &[String]) -> Outcome {
    let (chosen, target) = chosen(args)?;
    let folder = Folder::open()?;
    let mut steps = Steps::default();
    let with_wheel = chosen.contains(&Step::Wheel);
    let made = chosen
        .iter()
        .try_for_each(|step| steps.run(step.name(), || step.run(&folder, &target, with_wheel)));
    let told = steps.summary();
    made.and(told)
}

/// One kind of file.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Licences,
    Sdist,
    Wheel,
    Archive,
    Deb,
    Lambda,
    Azure,
    CloudRun,
    Sums,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Licences,
        Self::Sdist,
        Self::Wheel,
        Self::Archive,
        Self::Deb,
        Self::Lambda,
        Self::Azure,
        Self::CloudRun,
        Self::Sums,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Licences => "licences",
            Self::Sdist => "sdist",
            Self::Wheel => "wheel",
            Self::Archive => "archive",
            Self::Deb => "deb",
            Self::Lambda => "lambda",
            Self::Azure => "azure",
            Self::CloudRun => "cloud-run",
            Self::Sums => "sums",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    fn run(self, folder: &Folder, target: &str, with_wheel: bool) -> Outcome {
        match self {
            Self::Licences => licences::write(target).map(drop),
            Self::Sdist => {
                licences::write(target)?;
                python::sdist(folder)
            }
            Self::Wheel => {
                licences::write(target)?;
                python::wheel(folder, target)
            }
            Self::Archive => {
                archive::pack(folder, target, &program_for(folder, target, with_wheel)?)
            }
            Self::Deb => deb::pack(folder, target, &program_for(folder, target, with_wheel)?),
            Self::Lambda => lambda::pack(folder, target),
            Self::Azure => azure::pack(folder, target),
            Self::CloudRun => cloud_run(folder, target),
            Self::Sums => sums::write(folder),
        }
    }
}

fn chosen(args: &[String]) -> Outcome<(Vec<Step>, String)> {
    let (mut steps, mut target) = (Vec::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--target" {
            target = Some(args.next().ok_or(USAGE)?.clone());
        } else {
            steps.push(Step::named(arg).ok_or(USAGE)?);
        }
    }
    if steps.is_empty() {
        return Err(USAGE.into());
    }
    Ok((steps, target.map_or_else(host, Ok)?))
}

/// Features that `labelrelay` is released with: the queues of all clouds and of Postgres, and OpenTelemetry.
const FEATURES: &str = "aws,azure,google,nats,otlp,postgres";

/// The program for `target`: that of the wheel, where this run makes one for older systems; else it is built with the
/// libraries of this machine.
fn program_for(folder: &Folder, target: &str, with_wheel: bool) -> Outcome<PathBuf> {
    if with_wheel && target.ends_with("linux-gnu") {
        return python::program(folder);
    }
    crate::step::status(&mut crate::step::cargo(&format!(
        "build --release --locked --package labelrelay --features {FEATURES} --target {target}"
    )))?;
    let name = if target.contains("windows") {
        "labelrelay.exe"
    } else {
        "labelrelay"
    };
    Ok(crate::paths::target()?
        .join(target)
        .join("release")
        .join(name))
}
