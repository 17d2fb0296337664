//! `cargo xtask test`: everything that must hold before a change goes in. What nobody can install but the machine's
//! owner is left out, said so, and an exit code of its own: never a success.

use crate::e2e::{ALL, PLAIN, TestSetup};
use crate::left_out_tests::LeftOut;
use crate::preinstall::Preinstall;
use crate::second_run::SecondRuns;
use crate::snapshots::References;
use crate::step::{Beside, Steps, cargo, output, status};
use crate::{Outcome, debian, e2e, fuzz, python_package, release, tree};
use std::process::Command;

/// Tests among the quick ones that need what only the whole command installs.
const NEED_PYTHON_PACKAGES: [&str; 2] = [
    "archive::duckdb_reads_an_archive",
    "changes::both_readers_say_the_same",
];

pub(crate) fn run(args: &[String]) -> Outcome {
    let quick = match args {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => return Err("usage: cargo xtask test [--quick]".into()),
    };
    let mut steps = Steps::default();
    components()?;
    let begun = if quick {
        None
    } else {
        debian::install_what_is_missing()?;
        let left_out = LeftOut::find();
        left_out.announce();
        Some((Preinstall::begin(&left_out), left_out))
    };
    // Once and first: all later steps then build what the lock file says.
    steps.run("lock file", || {
        output(&mut cargo("metadata --locked --format-version 1")).map(drop)
    })?;
    steps.run("format", || status(&mut cargo("fmt --all --check")))?;
    steps.run("dependency directions", tree::run)?;
    steps.run("lints", lints)?;
    let Some((mut preinstall, left_out)) = begun else {
        // Those that need Label Studio say that they were left out.
        steps.run("tests", || {
            let mut tests = cargo("test --workspace");
            with(&mut tests, PLAIN).arg("--").env("INSTA_UPDATE", "no");
            for name in NEED_PYTHON_PACKAGES {
                println!("left out: {name}, which needs packages of Python");
                tests.args(["--skip", name]);
            }
            status(&mut tests)
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
    steps.run("release builds", e2e::programs)?;
    let setup = steps.run("test tools, installed", || {
        preinstall.end()?;
        TestSetup::for_all_tests(&left_out)
    })?;
    let runs = SecondRuns::writing_to(std::io::stdout());
    steps.suite("Python", || python_package::run(&[]));
    steps.suite("tests", || {
        let references = References::new()?;
        let mut tests = cargo("test --workspace --no-fail-fast");
        references.record(setup.tell(with(&mut tests, PLAIN)));
        runs.tests(&mut tests)?;
        references.check(&["crates", "tests"])
    });
    steps.suite("a real Label Studio", || {
        runs.tests(&mut setup.long_tests())
    });
    // One core each: Terraform and the scanners run while the tests of AWS do.
    let infra_tests = || {
        let mut tests = setup.infra_tests();
        for name in left_out.infra_tests() {
            tests.args(["--skip", name]);
        }
        tests
    };
    let infra = Beside::begin("infra", infra_tests())?;
    steps.suite("AWS", || runs.all(setup.aws_tests(&[])));
    steps.suite("Terraform, Bicep, container (begun with AWS)", || {
        let (outcome, wrote) = infra.end()?;
        runs.after(&infra_tests(), outcome, &wrote)
    });
    match &left_out.pubsub_emulator {
        None => steps.suite("Google Cloud", || runs.all(setup.google_tests(&[]))),
        Some(why) => steps.left_out("Google Cloud", why),
    }
    steps.suite("Azure", || runs.all(setup.azure_tests(&[])));
    steps.suite("Postgres", || runs.all(setup.postgres_tests(&[])));
    steps.suite("NATS", || runs.all(setup.nats_tests(&[])));
    if let Some(why) = &left_out.terraform {
        steps.left_out("Terraform, of the suite above", why);
    }
    if let Some(why) = &left_out.promtool {
        steps.left_out("promtool, of the suite above", why);
    }
    match &left_out.clean_root {
        None => steps.suite("a release, installed", || {
            runs.tests(&mut release::tests_of_packed()?)
        }),
        Some(why) => steps.left_out("a release, installed", why),
    }
    runs.print();
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
