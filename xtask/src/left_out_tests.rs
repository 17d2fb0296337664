//! Gaps of a test run: programs that no package registry has, and rights that a user may not have.

use crate::debian;
use crate::tools;

/// Exit code of a run in which nothing failed and something was left out.
pub(crate) const EXIT_CODE: u8 = 3;

/// Missing programs and rights, and how to get them.
pub(crate) struct LeftOut {
    /// Google's emulator of Pub/Sub.
    pub(crate) pubsub_emulator: Option<String>,
    /// Terraform.
    pub(crate) terraform: Option<String>,
    /// Prometheus' checker of rules.
    pub(crate) promtool: Option<String>,
    /// A system of its own to install a release in.
    pub(crate) clean_root: Option<String>,
}

/// The error of a run that did all that it could.
#[derive(Debug)]
pub(crate) struct Incomplete(pub(crate) usize);

impl LeftOut {
    /// Looks for what nobody can install but the machine's owner.
    pub(crate) fn find() -> Self {
        fn missing<T>(found: crate::Outcome<T>) -> Option<String> {
            found.err().map(|error| error.to_string())
        }
        Self {
            pubsub_emulator: missing(tools::pubsub_emulator()),
            terraform: missing(tools::terraform()),
            promtool: missing(debian::promtool()),
            clean_root: missing(debian::rights()),
        }
    }

    /// Says it before anything is built, since it takes long to hear of it at the end.
    pub(crate) fn announce(&self) {
        let all = [
            &self.pubsub_emulator,
            &self.terraform,
            &self.promtool,
            &self.clean_root,
        ];
        for missing in all.into_iter().flatten() {
            println!("WARNING: some tests will be left out: {missing}");
        }
    }

    /// Tests of `infra` that cannot run.
    pub(crate) fn infra_tests(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.terraform.is_some() {
            names.extend([
                "aws_module::",
                "google::",
                "google_archive::",
                "google_consumer::",
                "google_watched::",
                "scan::terraform_files",
            ]);
        }
        if self.promtool.is_some() {
            names.push("prometheus::each_alert_rings");
        }
        if self.pubsub_emulator.is_some() {
            names.extend(["consumers::the_consumer_of_google", "consumer_over_pubsub"]);
        }
        names
    }
}

impl std::fmt::Display for Incomplete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "nothing failed, but {} of the suites did not run or not whole: the lines above say what they need",
            self.0
        )
    }
}

impl std::error::Error for Incomplete {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::root;

    /// Where a program is missing, a test that needs it and is not left out fails the run.
    #[test]
    fn every_test_that_needs_a_missing_program_is_left_out() {
        let missing = || Some("it is missing".to_owned());
        let left_out = LeftOut {
            pubsub_emulator: None,
            terraform: missing(),
            promtool: missing(),
            clean_root: None,
        };
        let names = left_out.infra_tests();
        for (program, at_least) in [("terraform", 21), ("promtool", 1)] {
            let needing = tests_that_need(program);
            for test in &needing {
                assert!(names.iter().any(|part| test.contains(*part)), "{test}");
            }
            assert!(needing.len() >= at_least, "{program}: {needing:?}");
        }
    }

    fn tests_that_need(program: &str) -> Vec<String> {
        let ignored = format!("#[ignore = \"needs {program}");
        let mut found = Vec::new();
        for file in std::fs::read_dir(root().join("tests/infra")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let module = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split(&ignored).skip(1) {
                let (_, rest) = rest.split_once("fn ").unwrap();
                let (name, _) = rest.split_once('(').unwrap();
                found.push(format!("{module}::{name}"));
            }
        }
        found
    }
}
