//! Tries a release's files: each is installed in a root without Rust, and runs there.

use super::folder::Folder;
use super::{archive, azure, deb, host, python};
use crate::Outcome;
use crate::paths::{built, target};
use crate::step::{cargo, status};
use crate::tools;
use std::process::Command;

/// Of the files in `folder`, which are those of a release: what they weigh and how fast they start counts too.
pub(super) fn tests(folder: &Folder) -> Outcome {
    status(command(folder)?.env("LABELRELAY_TEST_RELEASED", "yes"))
}

/// Of files that are packed around the program of the other tests. A release compiles everything again; that is
/// `cargo xtask campaign release`.
pub(crate) fn tests_of_packed() -> Outcome {
    let folder = Folder::empty_at(target()?.join("release-packed"))?;
    let (target, program) = (host()?, built("release", "labelrelay")?);
    archive::pack(&folder, &target, &program)?;
    deb::pack(&folder, &target, &program)?;
    python::pack(&folder, &program)?;
    azure::pack_around(&folder, &target, &azure::tested_program()?)?;
    status(&mut command(&folder)?)
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
