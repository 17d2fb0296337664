//! `cargo xtask test`: everything that must hold before a change goes in. A missing component is a
//! failure, never a skip.

use crate::snapshots::References;
use crate::step::{Steps, cargo, output, status};
use crate::{Outcome, e2e, fuzz, tree};

pub(crate) fn run(args: &[String]) -> Outcome {
    let quick = match args {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => return Err("usage: cargo xtask test [--quick]".into()),
    };
    let mut steps = Steps::default();
    components()?;
    // Once and first: all later steps then build what the lock file says.
    steps.run("lock file", || {
        output(&mut cargo("metadata --locked --format-version 1")).map(drop)
    })?;
    steps.run("format", || status(&mut cargo("fmt --all --check")))?;
    steps.run("lints", || {
        status(&mut cargo(
            "clippy --workspace --all-targets -- -D warnings",
        ))?;
        let mut clouds = cargo("clippy --workspace --all-targets --features");
        status(clouds.args([e2e::CLOUDS, "--", "-D", "warnings"]))?;
        status(&mut cargo(
            "clippy --package xtask --features load --all-targets -- -D warnings",
        ))
    })?;
    steps.run("what is linked", tree::run)?;
    if quick {
        // Those that need Label Studio say that they were left out.
        steps.run("tests", || {
            status(cargo("test --workspace").env("INSTA_UPDATE", "no"))?;
            status(&mut cargo("test --package xtask --features load"))
        })?;
        steps.summary();
        return Ok(());
    }
    steps.run("documentation", || {
        status(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    fuzz::shortly(&mut steps)?;
    let mut setting = None;
    steps.run("release build, Label Studio", || {
        setting = Some(e2e::Setting::prepare()?);
        Ok(())
    })?;
    let mut setting = setting.ok_or("nothing was prepared")?;
    steps.run("the function, local servers for AWS", || {
        setting.prepare_aws()
    })?;
    steps.run("local servers for Google Cloud", || {
        setting.prepare_google()
    })?;
    steps.run("local servers for Azure", || setting.prepare_azure())?;
    steps.run("Terraform, scanners", || setting.prepare_infra())?;
    steps.run("tests", || {
        let references = References::new()?;
        let mut tests = cargo("test --workspace");
        references.record(setting.tell(&mut tests));
        status(&mut tests)?;
        references.check(&["crates", "tests"])?;
        status(&mut cargo("test --package xtask --features load"))
    })?;
    steps.run("a real Label Studio", || {
        status(&mut setting.tests("--ignored"))
    })?;
    steps.run("AWS", || e2e::all(setting.aws_tests(&[])))?;
    steps.run("Google Cloud", || e2e::all(setting.google_tests(&[])))?;
    steps.run("Azure", || e2e::all(setting.azure_tests(&[])))?;
    steps.run("Terraform, Bicep, container", || {
        status(&mut setting.infra_tests())
    })?;
    steps.summary();
    Ok(())
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
