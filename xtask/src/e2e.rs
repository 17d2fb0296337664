//! `cargo xtask e2e` and `cargo xtask aws`: the tests that need more than Rust, against release builds
//! and real programs.

mod suites;

pub(crate) use suites::{ALL, PLAIN};

use crate::Outcome;
use crate::debian;
use crate::left_out_tests::LeftOut;
use crate::paths::{built, cache, root};
use crate::python::CARGO_LAMBDA;
use crate::snapshots::References;
use crate::step::{cargo, path_with, status};
use crate::tools::{self, ToolPaths};
use std::path::{Path, PathBuf};
use std::process::Command;

/// By hand: all of them, or those with one of `names` in theirs.
pub(crate) fn run(names: &[String]) -> Outcome {
    let setup = TestSetup::prepare()?;
    let references = References::new()?;
    let mut tests = setup.tests();
    references.record(tests.args(names));
    status(&mut tests)?;
    if names.is_empty() {
        references.check(&["tests"])
    } else {
        Ok(())
    }
}

/// By hand: the tests of AWS alone, or those with one of `names` in theirs.
pub(crate) fn aws(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_aws()?;
    all(setup.aws_tests(names))
}

/// By hand: the tests of Google Cloud alone, or those with one of `names` in theirs.
pub(crate) fn google(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_google()?;
    all(setup.google_tests(names))
}

/// By hand: the tests of Azure alone, or those with one of `names` in theirs.
pub(crate) fn azure(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_azure()?;
    all(setup.azure_tests(names))
}

/// By hand: the tests of Postgres alone, or those with one of `names` in theirs.
pub(crate) fn postgres(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_postgres()?;
    all(setup.postgres_tests(names))
}

/// By hand: the tests of NATS alone, or those with one of `names` in theirs.
pub(crate) fn nats(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_nats()?;
    all(setup.nats_tests(names))
}

/// By hand: the tests of `infra` and the Dockerfile alone, or those with one of `names` in theirs.
pub(crate) fn infra(names: &[String]) -> Outcome {
    let mut setup = TestSetup::prepare()?;
    setup.prepare_google()?;
    setup.prepare_azure()?;
    setup.prepare_infra()?;
    setup.prepare_terraform()?;
    setup.prepare_promtool()?;
    status(setup.infra_tests().args(names))
}

/// By hand: how long `labelrelay pull` takes for so many annotations of a real Label Studio.
#[cfg(not(feature = "load"))]
pub(crate) fn bench_reconcile(args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    status(&mut cargo(
        "build --release --package labelrelay-reconcile --example paging",
    ))?;
    let paging = built("release/examples", "paging")?;
    setup.tools.push(("LABELRELAY_BENCH_PAGING", paging));
    let mut run = cargo("run --release --package labelrelay-tests --example reconcile_speed --");
    status(setup.tell(run.args(args)))
}

#[cfg(test)]
mod tests;

/// Programs that the tests run against.
pub(crate) struct TestSetup {
    tools: ToolPaths,
    build: Build,
}

/// Optimisation of the programs under test.
#[derive(Clone, Copy)]
enum Build {
    /// Little, and none at link time: that generates all code of everybody's crates once for each program, and would
    /// take half of a test run.
    Tested,
    /// Program of a release, for figures and campaigns.
    Released,
}

impl Build {
    /// Has cargo build profile `release` so, and every cargo that `command` runs.
    fn choose(self, command: &mut Command) -> &mut Command {
        match self {
            Self::Tested => command
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            Self::Released => command,
        }
    }
}

impl TestSetup {
    /// Installs and builds what tests of one machine need.
    pub(crate) fn prepare() -> Outcome<Self> {
        Self::with(Build::Tested)
    }

    /// The same with programs as they are released.
    pub(crate) fn released() -> Outcome<Self> {
        Self::with(Build::Released)
    }

    fn with(build: Build) -> Outcome<Self> {
        let mut tools = tools::one_machine()?;
        program(build)?;
        tools.push(("LABELRELAY_TEST_BINARY", built("release", "labelrelay")?));
        tools.push(("LABELRELAY_TEST_CACHE", cache()?));
        settle()?;
        Ok(Self { tools, build })
    }

    /// All of it that this machine can have.
    pub(crate) fn for_all_tests(left_out: &LeftOut) -> Outcome<Self> {
        let mut setup = Self::prepare()?;
        setup.prepare_aws()?;
        if left_out.pubsub_emulator.is_none() {
            setup.prepare_google()?;
        }
        setup.prepare_azure()?;
        setup.prepare_postgres()?;
        setup.prepare_nats()?;
        setup.prepare_infra()?;
        if left_out.terraform.is_none() {
            setup.prepare_terraform()?;
        }
        if left_out.promtool.is_none() {
            setup.prepare_promtool()?;
        }
        Ok(setup)
    }

    /// Installs and builds what tests of AWS need besides.
    pub(crate) fn prepare_aws(&mut self) -> Outcome {
        self.tools.extend(tools::aws()?);
        self.tools
            .push(("LABELRELAY_TEST_LAMBDA", function(self.build)?));
        settle()
    }

    /// Installs what tests of Google Cloud need besides.
    pub(crate) fn prepare_google(&mut self) -> Outcome {
        self.tools.extend(tools::google()?);
        Ok(())
    }

    /// Installs what tests of Azure need besides.
    pub(crate) fn prepare_azure(&mut self) -> Outcome {
        self.tools.extend(tools::azure()?);
        Ok(())
    }

    /// Installs what tests of Postgres need besides.
    pub(crate) fn prepare_postgres(&mut self) -> Outcome {
        self.tools.extend(tools::postgres()?);
        Ok(())
    }

    /// Installs what tests of NATS need besides.
    pub(crate) fn prepare_nats(&mut self) -> Outcome {
        self.tools.extend(tools::nats()?);
        Ok(())
    }

    /// Installs what tests of `infra` need besides those of Google Cloud and Azure.
    pub(crate) fn prepare_infra(&mut self) -> Outcome {
        self.tools.extend(tools::infra()?);
        Ok(())
    }

    /// Finds what tests of Terraform's files need besides those of `infra`.
    pub(crate) fn prepare_terraform(&mut self) -> Outcome {
        self.tools
            .push(("LABELRELAY_TEST_TERRAFORM", tools::terraform()?));
        Ok(())
    }

    /// Finds what the tests of the rules for Prometheus need besides.
    pub(crate) fn prepare_promtool(&mut self) -> Outcome {
        self.tools
            .push(("LABELRELAY_TEST_PROMTOOL", debian::promtool()?));
        Ok(())
    }

    /// Tells of more than that.
    pub(crate) fn add(&mut self, tools: ToolPaths) {
        self.tools.extend(tools);
    }

    /// Lets the tests that `command` runs find it.
    pub(crate) fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // A snapshot that differs fails; it is never rewritten by a test run.
        command.env("INSTA_UPDATE", "no");
        self.build.choose(command);
        command.envs(self.tools.iter().map(|(name, path)| (name, path)))
    }
}

/// Builds `labelrelay`.
fn program(build: Build) -> Outcome {
    status(build.choose(&mut cargo(
        "build --release --locked --package labelrelay --bin labelrelay --features otlp",
    )))
}

/// Builds the function, and weighs it.
fn function(build: Build) -> Outcome<PathBuf> {
    let (function, budget) = match build {
        Build::Tested => (deployed_function(build)?, TESTED_LAMBDA_BYTES),
        Build::Released => {
            status(&mut cargo(
                "build --profile function --locked --package labelrelay-lambda",
            ))?;
            (built("function", "labelrelay-lambda")?, LAMBDA_BYTES)
        }
    };
    weighs_at_most(&function, budget)?;
    Ok(function)
}

/// Builds it as `sam build` does, with cargo-lambda and its options: the test of `sam build` then finds everything
/// compiled.
fn deployed_function(build: Build) -> Outcome<PathBuf> {
    let mut command = cargo("lambda build --release --locked --bin labelrelay-lambda");
    command
        .current_dir(root().join("crates/lambda"))
        .env("PATH", path_with(&CARGO_LAMBDA.ensure()?)?);
    status(build.choose(&mut command))?;
    built("lambda/labelrelay-lambda", "bootstrap")
}

/// Builds the function that tests run.
pub(crate) fn tested_function() -> Outcome<PathBuf> {
    deployed_function(Build::Tested)
}

/// Builds the programs that tests run.
pub(crate) fn programs() -> Outcome {
    program(Build::Tested)?;
    function(Build::Tested).map(drop)
}

/// Runs commands until one fails.
pub(crate) fn all(commands: impl IntoIterator<Item = Command>) -> Outcome {
    commands
        .into_iter()
        .try_for_each(|mut command| status(&mut command))
}

/// Lambda reads the program from its archive at every start of an instance.
const LAMBDA_BYTES: u64 = 8_000_000;

/// The same without optimisation at link time. What makes the one larger makes the other larger.
const TESTED_LAMBDA_BYTES: u64 = 12_000_000;

/// Fails when a program has outgrown its budget.
fn weighs_at_most(program: &Path, budget: u64) -> Outcome {
    let bytes = std::fs::metadata(program)?.len();
    println!("{}: {bytes} of {budget} bytes", program.display());
    if bytes <= budget {
        return Ok(());
    }
    Err(format!(
        "{} has {bytes} bytes, and its budget is {budget}; `cargo tree` says what is new, `cargo bloat` what is large",
        program.display()
    )
    .into())
}

/// Writes the pages that a build left unwritten: they would otherwise be written under the tests, whose every
/// commit then waits for it.
fn settle() -> Outcome {
    status(&mut Command::new("sync"))
}
