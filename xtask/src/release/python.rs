//! Wheel and sdist, by maturin.

use super::folder::Folder;
use super::version::{VERSION, commit_time};
use crate::Outcome;
use crate::paths::{root, target};
use crate::python::{CARGO_LAMBDA, RELEASE};
use crate::step::{output, path_with, status};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest C library that a wheel for Linux asks for: that of Debian 10, Ubuntu 20.04 and RHEL 8.
const MANYLINUX: &str = "manylinux_2_28";

pub(super) fn sdist(folder: &Folder) -> Outcome {
    status(maturin()?.args(["sdist", "--out"]).arg(folder.path()))
}

/// Unpacks the sdist, and builds from that and nothing else what `pip` would build from it. Without optimisation:
/// it shows that no file is missing. The lock file is not held to: the sdist has it whole, and fewer crates.
pub(super) fn build_from_sdist(folder: &Folder) -> Outcome {
    let stage = folder.stage("sdist")?;
    let mut unpack = Command::new("tar");
    unpack.args(["--extract", "--gzip", "--file"]);
    unpack.arg(folder.join(&format!("labelrelay-{VERSION}.tar.gz")));
    status(unpack.arg("--directory").arg(&stage))?;
    let mut build = maturin()?;
    build
        .current_dir(stage.join(format!("labelrelay-{VERSION}")))
        .env("CARGO_TARGET_DIR", target()?.join("sdist"))
        .args(["build", "--compatibility", "linux", "--out"]);
    status(build.arg(stage.join("wheel")))
}

/// Builds the program for `target`, and the wheel of it.
pub(super) fn wheel(folder: &Folder, target: &str) -> Outcome {
    let mut build = maturin()?;
    build.args([
        "build",
        "--release",
        "--locked",
        "--target",
        target,
        "--out",
    ]);
    build.arg(folder.path());
    if target.ends_with("linux-gnu") {
        // The linker knows the symbols of older C libraries.
        build.args(["--zig", "--compatibility", MANYLINUX]);
        build.env("CARGO_ZIGBUILD_PYTHON_PATH", zig()?);
    }
    status(&mut build)
}

/// A Python that has `ziglang`.
pub(super) fn zig() -> Outcome<PathBuf> {
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

/// The bill of materials that maturin has put into the wheel, as a file of the release.
pub(super) fn sbom(folder: &Folder) -> Outcome {
    let wheel = folder.one(".whl")?;
    let script = "import sys, zipfile
wheel, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    [name] = [name for name in files.namelist() if '/sboms/' in name and 'cyclonedx' in name]
    open(out, 'wb').write(files.read(name))";
    let out = folder.join(&format!("labelrelay-{VERSION}.cyclonedx.json"));
    run_python(script, &wheel, &out)
}

/// The program of the wheel, which the archive and the Debian package have too: one build, and the oldest C library.
pub(super) fn program(folder: &Folder) -> Outcome<PathBuf> {
    let wheel = folder.one(".whl")?;
    let script = "import os, sys, zipfile
wheel, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    [name] = [name for name in files.namelist() if name.endswith('.data/scripts/labelrelay')]
    open(out, 'wb').write(files.read(name))
os.chmod(out, 0o755)";
    let out = folder.stage("program")?.join("labelrelay");
    run_python(script, &wheel, &out)?;
    Ok(out)
}

fn run_python(script: &str, wheel: &Path, out: &Path) -> Outcome {
    let python = RELEASE.ensure()?.with_file_name("python");
    let mut run = Command::new(python);
    output(run.args(["-c", script]).arg(wheel).arg(out)).map(drop)
}

/// maturin, which gives the same bytes for the same commit.
fn maturin() -> Outcome<Command> {
    let program = RELEASE.ensure()?;
    let path = path_with(&program)?;
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .env("PATH", path)
        .env("SOURCE_DATE_EPOCH", commit_time()?);
    Ok(command)
}
