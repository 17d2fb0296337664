//! The function for AWS Lambda, in a form that is deployed without a toolchain.

use super::folder::Folder;
use super::version::VERSION;
use super::{archive, glibc, licences};
use crate::Outcome;
use crate::paths::{built, root};
use crate::python::CARGO_LAMBDA;
use crate::step::{cargo, path_with, python, status};
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The C library of `provided.al2023`.
const GLIBC: glibc::Version = (2, 34);

pub(super) fn pack(folder: &Folder, target: &str) -> Outcome {
    let architecture = match target.split('-').next() {
        Some("x86_64") => "x86_64",
        Some("aarch64") => "arm64",
        _ => return Err(format!("Lambda does not run {target}").into()),
    };
    let name = format!("labelrelay-{VERSION}-lambda-{architecture}");
    let program = build(target)?;
    let stage = folder.stage(&name)?;
    status(
        python()
            .arg(root().join("packaging/pack_lambda.py"))
            .arg(&program)
            .arg(architecture)
            .arg(&stage),
    )?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "docs/aws.md"] {
        let from = root().join(file);
        std::fs::copy(&from, stage.join(from.file_name().unwrap_or_default()))?;
    }
    std::fs::copy(
        licences::of("labelrelay-lambda", "", target)?,
        stage.join(licences::FILE),
    )?;
    archive::zip(&stage, &folder.join(&format!("{name}.zip")), false)
}

/// Deploys the archive to a stand-in for AWS, with each of its variants, and delivers to what was deployed.
pub(super) fn tests(folder: &Folder) -> Outcome {
    let mut tests = cargo(
        "test --workspace --features xtask/load --test sam -- --ignored --show-output variants::",
    );
    tests
        .env("LABELRELAY_TEST_LAMBDA_ARCHIVE", archive_in(folder)?)
        .envs(tools::aws()?);
    status(&mut tests)
}

fn archive_in(folder: &Folder) -> Outcome<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    folder.one(&format!("-lambda-{architecture}.zip"))
}

/// Builds for the C library of Lambda, which may be older than this machine's.
fn build(target: &str) -> Outcome<PathBuf> {
    let cargo_lambda = CARGO_LAMBDA.ensure()?;
    let path = path_with(&cargo_lambda)?;
    let mut build = cargo("lambda build --profile function --locked --package labelrelay-lambda");
    if target.starts_with("aarch64") {
        build.arg("--arm64");
    }
    status(build.env("PATH", path))?;
    let program = built("lambda/labelrelay-lambda", "bootstrap")?;
    let needs = glibc::newest(&program)?;
    if needs > Some(GLIBC) {
        return Err(format!(
            "the function needs version {needs:?} of the C library, and Lambda has {GLIBC:?}"
        )
        .into());
    }
    starts(&program)?;
    Ok(program)
}

/// Without a configuration it says so, and ends.
fn starts(program: &Path) -> Outcome {
    let ended = Command::new(program).env_clear().output()?;
    if ended.status.code() == Some(78) {
        return Ok(());
    }
    Err(format!(
        "the function ended with {}, where it should say that nothing is configured",
        ended.status
    )
    .into())
}
