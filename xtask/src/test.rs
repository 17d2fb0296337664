//! `cargo xtask test`: everything that must hold before a change goes in. A missing component is a
//! failure, never a skip.

use crate::e2e::{ALL, PLAIN, TestSetup};
use crate::preinstall::Preinstall;
use crate::snapshots::References;
use crate::step::{Steps, cargo, output, status};
use crate::{Outcome, e2e, fuzz, release, tools, tree};
use std::process::Command;

pub(crate) fn run(args: &[String]) -> Outcome {
    let quick = match args {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => return Err("usage: cargo xtask test [--quick]".into()),
    };
    let mut steps = Steps::default();
    components()?;
    let preinstall = if quick {
        None
    } else {
        tools::by_hand()?;
        Some(Preinstall::begin())
    };
    // Once and first: all later steps then build what the lock file says.
    steps.run("lock file", || {
        output(&mut cargo("metadata --locked --format-version 1")).map(drop)
    })?;
    steps.run("format", || status(&mut cargo("fmt --all --check")))?;
    steps.run("dependency directions", tree::run)?;
    steps.run("lints", lints)?;
    let Some(mut preinstall) = preinstall else {
        // Those that need Label Studio say that they were left out.
        steps.run("tests", || {
            status(with(&mut cargo("test --workspace"), PLAIN).env("INSTA_UPDATE", "no"))
        })?;
        return steps.summary();
    };
    preinstall.check()?;
    steps.run("documentation", || {
        let mut doc = cargo("doc --workspace --no-deps");
        status(with(&mut doc, PLAIN).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    // Apart from running them, so that the table says what compiling takes.
    steps.run("tests, compiled", || {
        for features in [PLAIN, ALL] {
            status(with(&mut cargo("test --workspace --no-run"), features))?;
        }
        Ok(())
    })?;
    preinstall.check()?;
    fuzz::shortly(&mut steps)?;
    preinstall.check()?;
    steps.run("release builds, the function", e2e::programs)?;
    let setup = steps.run("test tools, installed", || {
        preinstall.end()?;
        TestSetup::whole()
    })?;
    steps.suite("tests", || {
        let references = References::new()?;
        let mut tests = cargo("test --workspace --no-fail-fast");
        references.record(setup.tell(with(&mut tests, PLAIN)));
        status(&mut tests)?;
        references.check(&["crates", "tests"])
    });
    steps.suite("a real Label Studio", || {
        status(&mut setup.tests("--ignored"))
    });
    steps.suite("AWS", || e2e::all(setup.aws_tests(&[])));
    steps.suite("Google Cloud", || e2e::all(setup.google_tests(&[])));
    steps.suite("Azure", || e2e::all(setup.azure_tests(&[])));
    steps.suite("Terraform, Bicep, container", || {
        status(&mut setup.infra_tests())
    });
    steps.suite("a release, installed", release::tests_of_packed);
    steps.summary()
}

/// Of everything, with the clouds' back ends and without; the second look compiles `labelrelay` alone again.
fn lints() -> Outcome {
    for features in [ALL, PLAIN] {
        let mut clippy = cargo("clippy --workspace --all-targets");
        status(with(&mut clippy, features).args(["--", "-D", "warnings"]))?;
    }
    // As `cargo xtask` itself is built.
    status(&mut cargo(
        "clippy --package xtask --all-targets -- -D warnings",
    ))
}

fn with<'a>(command: &'a mut Command, features: &str) -> &'a mut Command {
    command.args(["--features", features])
}

/// rustfmt and clippy are parts of a toolchain that can be missing.
fn components() -> Outcome {
    for (part, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        output(cargo(part).arg("--version")).map_err(|error| {
            format!("{component} is missing ({error}); install it with `rustup component add {component}`")
        })?;
    }
    Ok(())
}
