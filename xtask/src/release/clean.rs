//! Tries a release's files: each is installed in a root without Rust, and runs there.

use super::folder::Folder;
use super::{archive, azure, deb, host, lambda, licences, python, sums};
use crate::Outcome;
use crate::e2e::tested_function;
use crate::paths::{built, target};
use crate::python::{CARGO_LAMBDA, RELEASE};
use crate::step::{cargo, status};
use crate::tools;
use std::process::Command;

/// Installs what files are made and tried with. Who could not try them is told before anything is built.
pub(super) fn prepare() -> Outcome {
    tools::release()?;
    tools::deployment()?;
    RELEASE.ensure()?;
    CARGO_LAMBDA.ensure()?;
    Ok(())
}

/// Compiles the tests of all files, apart from running them.
pub(super) fn compile() -> Outcome {
    status(&mut cargo(
        "test --workspace --features xtask/load --test release --test sam --no-run",
    ))
}

/// Of the files in `folder`, which are those of a release: what they weigh and how fast they start counts too.
pub(super) fn tests(folder: &Folder) -> Outcome {
    status(command(folder)?.env("LABELRELAY_TEST_RELEASED", "yes"))
}

/// Those of files that are packed around the programs of the other tests. A release compiles everything again; that
/// is `cargo xtask campaign release`.
pub(crate) fn tests_of_packed() -> Outcome<Command> {
    let folder = Folder::empty_at(target()?.join("release-packed"))?;
    let (target, program) = (host()?, built("release", "labelrelay")?);
    licences::write(&target)?;
    python::sdist(&folder)?;
    python::pack(&folder, &program)?;
    archive::pack(&folder, &target, &program)?;
    deb::pack(&folder, &target, &program)?;
    lambda::pack_around(&folder, &target, &tested_function()?)?;
    azure::pack_around(&folder, &target, &azure::tested_program()?)?;
    sums::write(&folder)?;
    // Bills of materials come with a build.
    let mut tests = command(&folder)?;
    tests.args(["--skip", "bills::"]);
    Ok(tests)
}

fn command(folder: &Folder) -> Outcome<Command> {
    let mut tests = cargo(
        "test --workspace --features xtask/load --test release -- --ignored --show-output --test-threads=1",
    );
    tests
        .env("LABELRELAY_TEST_RELEASE", folder.path())
        .envs(tools::release()?);
    Ok(tests)
}
