//! The package for Azure Functions, in a form that is deployed without a toolchain.

use super::folder::Folder;
use super::version::VERSION;
use super::{archive, glibc, licences, python};
use crate::Outcome;
use crate::paths::{root, target};
use crate::python::RELEASE;
use crate::step::{cargo, path_with, status};
use std::path::{Path, PathBuf};

const PROGRAM: &str = "labelrelay-azure-function";

/// Files of the app besides its program.
const APP: [&str; 3] = ["host.json", "webhook", "redrive"];

/// The C library that the program asks for at most; the wheel asks for the same, and Azure's own is newer.
const GLIBC: glibc::Version = (2, 28);

/// Builds the program of a release, and packs it.
pub(super) fn pack(folder: &Folder, target: &str) -> Outcome {
    let program = build(target)?;
    pack_around(folder, target, &program)
}

/// Packs a program that is built already.
pub(super) fn pack_around(folder: &Folder, target: &str, program: &Path) -> Outcome {
    if !target.starts_with("x86_64-unknown-linux") {
        return Err(format!("Azure Functions does not run {target}").into());
    }
    let name = format!("labelrelay-{VERSION}-azure-x86_64");
    let (stage, app) = (folder.stage(&name)?, folder.stage("azure-app")?);
    let parts = root().join("crates/azure-function/app");
    for part in APP {
        let from = parts.join(part);
        if from.is_dir() {
            archive::copy_folder(&from, &app.join(part))?;
        } else {
            std::fs::copy(from, app.join(part))?;
        }
    }
    std::fs::copy(program, app.join(PROGRAM))?;
    archive::zip(&app, &stage.join("app.zip"), false)?;
    // These have the same folders as in a clone, so that a command of the documents is the same in both.
    archive::copy_folder(&root().join("infra/azure"), &stage.join("infra/azure"))?;
    std::fs::create_dir(stage.join("docs"))?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "docs/azure.md"] {
        std::fs::copy(root().join(file), stage.join(file))?;
    }
    std::fs::copy(
        licences::of(PROGRAM, "", target)?,
        stage.join(licences::FILE),
    )?;
    archive::zip(&stage, &folder.join(&format!("{name}.zip")), false)
}

/// Builds for an older C library than this machine's.
fn build(triple: &str) -> Outcome<PathBuf> {
    let (major, minor) = GLIBC;
    let mut build = cargo("zigbuild --release --locked --package");
    build.args([PROGRAM, "--target", &format!("{triple}.{major}.{minor}")]);
    build
        .env("PATH", path_with(&RELEASE.ensure()?)?)
        .env("CARGO_ZIGBUILD_PYTHON_PATH", python::zig()?);
    status(&mut build)?;
    let program = target()?.join(triple).join("release").join(PROGRAM);
    let needs = glibc::newest(&program)?;
    if needs > Some(GLIBC) {
        return Err(format!(
            "{PROGRAM} needs version {needs:?} of the C library, and was built for {GLIBC:?}"
        )
        .into());
    }
    Ok(program)
}

/// The program that is built for tests.
pub(super) fn tested_program() -> Outcome<PathBuf> {
    status(&mut cargo(&format!(
        "build --workspace --features {} --bin {PROGRAM}",
        crate::e2e::PLAIN
    )))?;
    crate::paths::built("debug", PROGRAM)
}
