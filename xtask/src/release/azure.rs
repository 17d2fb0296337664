//! The package for Azure Functions, in a form that is deployed without a toolchain.

use super::folder::Folder;
use super::version::VERSION;
use super::{archive, licences, program};
use crate::Outcome;
use crate::paths::root;
use crate::step::{cargo, status};
use std::path::{Path, PathBuf};

const PROGRAM: &str = "labelrelay-azure-function";

/// Files of the app besides its program.
const APP: [&str; 3] = ["host.json", "webhook", "redrive"];

/// Builds the program of a release, for an older C library than Azure's own, and packs it.
pub(super) fn pack(folder: &Folder, target: &str) -> Outcome {
    let program = program::build(folder, PROGRAM, "function", &name(target)?, target)?;
    pack_around(folder, target, &program)
}

fn name(target: &str) -> Outcome<String> {
    if !target.starts_with("x86_64-unknown-linux") {
        return Err(format!("Azure Functions does not run {target}").into());
    }
    Ok(format!("labelrelay-{VERSION}-azure-x86_64"))
}

/// Packs a program that is built already.
pub(super) fn pack_around(folder: &Folder, target: &str, program: &Path) -> Outcome {
    let name = name(target)?;
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
    std::fs::copy(root().join("docs/azure.md"), stage.join("docs/azure.md"))?;
    licences::put(&stage, PROGRAM, target)?;
    archive::zip(&stage, &folder.join(&format!("{name}.zip")), false)
}

/// The program that is built for tests.
pub(super) fn tested_program() -> Outcome<PathBuf> {
    status(&mut cargo(&format!(
        "build --workspace --features {} --bin {PROGRAM}",
        crate::e2e::PLAIN
    )))?;
    crate::paths::built("debug", PROGRAM)
}
