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
mod python;
mod sums;
mod version;

use crate::Outcome;
use crate::step::{Steps, host};
use folder::Folder;
use std::path::PathBuf;

pub(crate) use clean::tests_of_packed;

const USAGE: &str = "\
usage: cargo xtask release --dry-run
       cargo xtask release --packed
       cargo xtask release STEP… [--target TRIPLE]
steps: tag NAME, licences, sdist, wheel, archive, deb, lambda, azure, sums";

pub(crate) fn run(args: &[String]) -> Outcome {
    match args {
        [flag] if flag == "--dry-run" => dry_run(),
        [flag] if flag == "--packed" => tests_of_packed(),
        [step, name] if step == "tag" => version::check_tag(name),
        _ => {
            let (steps, target) = chosen(args)?;
            let folder = Folder::open()?;
            steps.iter().try_for_each(|step| step.run(&folder, &target))
        }
    }
}

/// Everything that this machine can make, from an empty folder, and whether each file works in a root without Rust.
fn dry_run() -> Outcome {
    let mut steps = Steps::default();
    let folder = Folder::empty()?;
    let target = host()?;
    steps.run("notes", || version::notes(&folder))?;
    steps.run("licences of what is linked", || {
        licences::write(&target).map(drop)
    })?;
    steps.run("sdist", || python::sdist(&folder))?;
    steps.run("wheel from the sdist", || python::build_from_sdist(&folder))?;
    let program = steps.run("wheel", || {
        python::wheel(&folder, &target)?;
        python::sbom(&folder)?;
        python::program(&folder)
    })?;
    steps.run("archive", || archive::pack(&folder, &target, &program))?;
    steps.run("Debian package", || deb::pack(&folder, &target, &program))?;
    steps.run("function for Lambda", || lambda::pack(&folder, &target))?;
    steps.run("package for Azure Functions", || {
        azure::pack(&folder, &target)
    })?;
    steps.run("checksums", || sums::write(&folder))?;
    steps.run("installed in a root without Rust", || clean::tests(&folder))?;
    steps.run("function, deployed to a stand-in for AWS", || {
        lambda::tests(&folder)
    })?;
    steps.summary()?;
    folder.list()
}

/// One kind of file.
#[derive(Clone, Copy)]
enum Step {
    Licences,
    Sdist,
    Wheel,
    Archive,
    Deb,
    Lambda,
    Azure,
    Sums,
}

impl Step {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "licences" => Self::Licences,
            "sdist" => Self::Sdist,
            "wheel" => Self::Wheel,
            "archive" => Self::Archive,
            "deb" => Self::Deb,
            "lambda" => Self::Lambda,
            "azure" => Self::Azure,
            "sums" => Self::Sums,
            _ => return None,
        })
    }

    fn run(self, folder: &Folder, target: &str) -> Outcome {
        match self {
            Self::Licences => licences::write(target).map(drop),
            Self::Sdist => python::sdist(folder),
            Self::Wheel => {
                licences::write(target)?;
                python::wheel(folder, target)
            }
            Self::Archive => archive::pack(folder, target, &program(target)?),
            Self::Deb => deb::pack(folder, target, &program(target)?),
            Self::Lambda => lambda::pack(folder, target),
            Self::Azure => azure::pack(folder, target),
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

/// Features of every program that is released.
const FEATURES: &str = "aws,azure,google";

/// Builds the program for `target`, with the libraries of this machine.
fn program(target: &str) -> Outcome<PathBuf> {
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
