//! The function for AWS Lambda, in a form that is deployed without a toolchain.

use super::folder::Folder;
use super::version::VERSION;
use super::{archive, licences, program};
use crate::Outcome;
use crate::paths::root;
use crate::step::{cargo, python, status};
use crate::tools;
use std::path::{Path, PathBuf};

const PROGRAM: &str = "labelrelay-lambda";

/// Builds the program of a release, for an older C library than that of `provided.al2023`, and packs it.
pub(super) fn pack(folder: &Folder, target: &str) -> Outcome {
    let name = name(architecture(target)?);
    let program = program::build(folder, PROGRAM, "function", &name, target)?;
    program::starts(&program)?;
    pack_around(folder, target, &program)
}

/// Lambda's word for a kind of processor.
fn architecture(target: &str) -> Outcome<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Ok("x86_64"),
        Some("aarch64") => Ok("arm64"),
        _ => Err(format!("Lambda does not run {target}").into()),
    }
}

fn name(architecture: &str) -> String {
    format!("labelrelay-{VERSION}-lambda-{architecture}")
}

/// Packs a program that is built already.
pub(super) fn pack_around(folder: &Folder, target: &str, program: &Path) -> Outcome {
    let architecture = architecture(target)?;
    let name = name(architecture);
    let stage = folder.stage(&name)?;
    status(
        python()
            .arg(root().join("packaging/pack_lambda.py"))
            .arg(program)
            .arg(architecture)
            .arg(&stage),
    )?;
    std::fs::copy(root().join("docs/aws.md"), stage.join("aws.md"))?;
    licences::put(&stage, PROGRAM, target)?;
    archive::zip(&stage, &folder.join(&format!("{name}.zip")), false)
}

/// Deploys the archive to a stand-in for AWS, with each of its variants, and delivers to what was deployed.
pub(super) fn tests(folder: &Folder) -> Outcome {
    let mut tests = cargo(
        "test --workspace --features xtask/load --test sam -- --ignored --show-output variants::",
    );
    tests
        .env("LABELRELAY_TEST_LAMBDA_ARCHIVE", archive_in(folder)?)
        .envs(tools::deployment()?);
    status(&mut tests)
}

fn archive_in(folder: &Folder) -> Outcome<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    folder.one(&format!("-lambda-{architecture}.zip"))
}
