//! `cargo xtask e2e`: the tests in `tests/`, against a release build and a real Label Studio.

use crate::Outcome;
use crate::paths::{cache, release};
use crate::python::LABEL_STUDIO;
use crate::snapshots::References;
use crate::step::{cargo, status};
use std::process::Command;

/// By hand: all of them, or those with one of `names` in theirs.
pub(crate) fn run(names: &[String]) -> Outcome {
    let setting = Setting::prepare()?;
    let references = References::new()?;
    let mut tests = setting.tests("--include-ignored")?;
    references.record(tests.args(names));
    status(&mut tests)?;
    if names.is_empty() {
        references.check(&["tests"])
    } else {
        Ok(())
    }
}

/// What the tests run against.
pub(crate) struct Setting {
    label_studio: std::path::PathBuf,
}

impl Setting {
    /// Installs and builds it.
    pub(crate) fn prepare() -> Outcome<Self> {
        let label_studio = LABEL_STUDIO.ensure()?;
        status(&mut cargo("build --release --package labelrelay"))?;
        // What the build left unwritten would otherwise be written under the tests, whose every
        // commit then waits for it.
        status(&mut Command::new("sync"))?;
        Ok(Self { label_studio })
    }

    /// Lets the tests that `command` runs find it.
    pub(crate) fn tell<'a>(&self, command: &'a mut Command) -> Outcome<&'a mut Command> {
        // A snapshot that differs fails; it is never rewritten by a test run.
        command.env("INSTA_UPDATE", "no");
        command.env("LABELRELAY_TEST_BINARY", release("labelrelay")?);
        command.env("LABELRELAY_TEST_LABEL_STUDIO", &self.label_studio);
        Ok(command.env("LABELRELAY_TEST_CACHE", cache()?))
    }

    /// The end-to-end tests, one at a time: several of them load all cores, and one compares times.
    pub(crate) fn tests(&self, which: &str) -> Outcome<Command> {
        // The whole workspace is named, so that its features, hence its crates, are those of `test`.
        let mut tests = cargo("test --workspace --test e2e -- --test-threads=1 --show-output");
        self.tell(tests.arg(which))?;
        Ok(tests)
    }
}
