//! Programs besides the wheel's, each with its bill of materials. maturin builds them as it builds the wheel's: cargo
//! compiles everything again for another linker, and each tool that brings one keeps it in a place of its own.

use super::folder::Folder;
use super::version::VERSION;
use super::{glibc, python, wheel_files};
use crate::Outcome;
use crate::paths::root;
use crate::step::status;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the program of `package` with this profile. Its bill of materials becomes a file of the release, with the
/// name of what the program is released in.
pub(super) fn build(
    folder: &Folder,
    package: &str,
    profile: &str,
    released_in: &str,
    target: &str,
) -> Outcome<PathBuf> {
    let stage = Folder::empty_at(folder.stage(package)?)?;
    let below = package.strip_prefix("labelrelay-").unwrap_or(package);
    let mut build = python::build(profile, target)?;
    // Without features, maturin asks for those of the wheel.
    build.args(["--locked", "--features", "default", "--manifest-path"]);
    build.arg(root().join("crates").join(below).join("Cargo.toml"));
    status(build.arg("--out").arg(stage.path()))?;
    let wheel = stage.one(".whl")?;
    wheel_files::bill_of(&wheel, package, &folder.join(&bill_name(released_in)))?;
    let program = stage.join(package);
    wheel_files::program(&wheel, package, &program)?;
    let needs = glibc::newest(&program)?;
    if needs > Some(python::GLIBC) {
        return Err(format!(
            "{package} needs version {needs:?} of the C library, and was built for {:?}",
            python::GLIBC
        )
        .into());
    }
    Ok(program)
}

/// Writes the bill of materials of the wheel in `folder`.
pub(super) fn bill_of_wheel(folder: &Folder) -> Outcome {
    let name = bill_name(&format!("labelrelay-{VERSION}"));
    wheel_files::bill_of(&folder.one(".whl")?, "labelrelay", &folder.join(&name))
}

fn bill_name(released_in: &str) -> String {
    format!("{released_in}.cyclonedx.json")
}

/// Without a configuration it says so, and ends.
pub(super) fn starts(program: &Path) -> Outcome {
    let ended = Command::new(program).env_clear().output()?;
    if ended.status.code() == Some(78) {
        return Ok(());
    }
    Err(format!(
        "{} ended with {}, where it should say that nothing is configured",
        program.display(),
        ended.status
    )
    .into())
}
