//! Wheel and sdist, by maturin.

use super::folder::Folder;
use super::version::{VERSION, commit, commit_time};
use super::{glibc, lock_file, wheel_files};
use crate::Outcome;
use crate::paths::{root, target};
use crate::python::{CARGO_LAMBDA, RELEASE};
use crate::step::{as_by_hand, output, path_with, status};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest C library that a program for Linux asks for: that of Debian 10, Ubuntu 20.04 and RHEL 8.
const MANYLINUX: &str = "manylinux_2_28";

/// The same as a version.
pub(super) const GLIBC: glibc::Version = (2, 28);

/// Packs the sources of the wheel, with the licences of what it links.
pub(super) fn sdist(folder: &Folder) -> Outcome {
    status(maturin()?.args(["sdist", "--out"]).arg(folder.path()))
}

/// Builds the wheel from the sdist and nothing else, as `pip` does where there is no wheel: so no file is missing from
/// the sdist, and the program is compiled once for both. The sdist has the lock file of all our crates and fewer
/// crates, for which cargo writes another; the two are compared.
pub(super) fn wheel_from_sdist(folder: &Folder, target: &str) -> Outcome {
    let stage = folder.stage("sdist")?;
    let mut unpack = Command::new("tar");
    // As new as they are here: cargo takes files that are older than its last build for those of that build.
    unpack.args(["--extract", "--touch", "--gzip", "--file"]);
    unpack.arg(folder.join(&format!("labelrelay-{VERSION}.tar.gz")));
    status(unpack.arg("--directory").arg(&stage))?;
    let sources = stage.join(format!("labelrelay-{VERSION}"));
    let mut build = build("release", target)?;
    build
        .current_dir(&sources)
        .env("LABELRELAY_COMMIT", commit()?);
    status(build.arg("--out").arg(folder.path()))?;
    lock_file::compare(&root().join("Cargo.lock"), &sources.join("Cargo.lock"))
}

/// Builds the program for `target`, and the wheel of it.
pub(super) fn wheel(folder: &Folder, target: &str) -> Outcome {
    let mut build = build("release", target)?;
    status(build.arg("--locked").arg("--out").arg(folder.path()))
}

/// maturin's build with this profile.
pub(super) fn build(profile: &str, target: &str) -> Outcome<Command> {
    let mut build = maturin()?;
    build.args(["build", "--profile", profile, "--target", target]);
    if target.ends_with("linux-gnu") {
        // The linker knows the symbols of older C libraries.
        build.args(["--zig", "--compatibility", MANYLINUX]);
        build.env("CARGO_ZIGBUILD_PYTHON_PATH", zig()?);
    }
    Ok(build)
}

/// A Python that has `ziglang`.
fn zig() -> Outcome<PathBuf> {
    Ok(CARGO_LAMBDA.ensure()?.with_file_name("python"))
}

/// Packs a wheel around a program that is built already. All in it but the program is maturin's, from the same
/// manifest, so that what is tested of it is true of a released one.
pub(super) fn pack(folder: &Folder, program: &Path) -> Outcome {
    let stage = folder.stage("wheel")?;
    status(
        maturin()?
            .args([
                "pep517",
                "write-dist-info",
                "--compatibility",
                "linux",
                "--metadata-directory",
            ])
            .arg(&stage),
    )?;
    let scripts = stage.join(format!("labelrelay-{VERSION}.data/scripts"));
    std::fs::create_dir_all(&scripts)?;
    std::fs::copy(program, scripts.join("labelrelay"))?;
    copy_package(&root().join("python/labelrelay"), &stage.join("labelrelay"))?;
    let wheel = RELEASE.ensure()?.with_file_name("wheel");
    output(
        Command::new(wheel)
            .arg("pack")
            .arg(&stage)
            .arg("--dest-dir")
            .arg(folder.path()),
    )
    .map(drop)
}

/// Copies the Python package with its samples, and nothing that Python made beside them.
fn copy_package(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_package(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// The program of the wheel, which the archive and the Debian package have too: one build, and the oldest C library.
pub(super) fn program(folder: &Folder) -> Outcome<PathBuf> {
    let out = folder.stage("program")?.join("labelrelay");
    wheel_files::program(&folder.one(".whl")?, "labelrelay", &out)?;
    Ok(out)
}

/// maturin, which gives the same bytes for the same commit.
fn maturin() -> Outcome<Command> {
    let program = RELEASE.ensure()?;
    let path = path_with(&program)?;
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target()?)
        .env("SOURCE_DATE_EPOCH", commit_time()?);
    as_by_hand(&mut command);
    Ok(command)
}
