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
            clean_root: missing(debian::rights()),
        }
    }

    /// Says it before anything is built, since it takes long to hear of it at the end.
    pub(crate) fn announce(&self) {
        let all = [&self.pubsub_emulator, &self.terraform, &self.clean_root];
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
                "google_watched::",
                "scan::terraform_files",
            ]);
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
